"""Stretches of road: what a table of worst roads lists, from street to street."""
