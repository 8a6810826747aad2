"""The drawings of the report, and its map."""
