"""Several cities beside each other, as a page and as a GeoPackage."""
