"""The files that tables are written into."""
