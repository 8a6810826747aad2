"""Answers of a search, as files."""
