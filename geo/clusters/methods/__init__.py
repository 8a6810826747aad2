"""Ways of clustering, a module each: what it is told in a city's file, and how it groups points."""
