"""How often the tests of types are wrong, and how often they find what is there: networks, scenarios, what is told."""
