"""Counts, rates and how sure they are."""
