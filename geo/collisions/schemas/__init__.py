"""Collision records as they are published, each kind read into the canonical table."""
