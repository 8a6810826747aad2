"""Encoders and how their embeddings are pooled."""
