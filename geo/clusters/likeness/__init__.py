"""Segments elsewhere that look like a segment, and how alike they must be to be called so."""
