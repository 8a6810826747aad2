"""The GeoPackage and the report page."""
