"""Rows of records as a CSV file."""

import csv


def write(path, *rows):
    """Write rows, mappings with the same keys; gives the path as text."""
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, fieldnames=list(rows[0]))
        writer.writeheader()
        writer.writerows(rows)
    return str(path)
