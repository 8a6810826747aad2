"""Embeddings that others have computed, pooled along roads: rasters of a vector a pixel, chips of a vector a row."""
