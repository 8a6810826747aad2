"""The files that hold records, of whatever form, and their rows as text."""
