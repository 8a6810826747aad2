"""Several cities beside each other, whose roads are of the same types."""
