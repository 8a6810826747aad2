"""Which raster covers what, and how its pixels are read."""
