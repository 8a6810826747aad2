"""Writing a city's first file."""
