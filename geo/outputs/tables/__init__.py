"""Tables for people without a GIS: a workbook, and the same as CSV."""
