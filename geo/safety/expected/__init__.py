"""How many collisions are to be expected, and which roads have more."""
