"""Styles, tips, legends and the project that QGIS opens."""
