"""Print layouts of the QGIS project: the city on A3, one page a road, one page a type."""
