"""A small town drawn from a seed, with known truth."""
