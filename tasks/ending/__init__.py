"""The end of a run: what lies beside its GeoPackage, and its folder, whole or not at all."""
