"""How QGIS shows rows: forms in tabs with rounded figures, tables of few columns, and what can be done with a row."""
