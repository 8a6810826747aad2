"""Cells as places: coordinates, degrees, geometries, and what is doubtful of them."""
