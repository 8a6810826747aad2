"""Collision records: read once, placed once."""
