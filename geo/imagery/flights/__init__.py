"""Which flight a raster is of, and how flights are brought to one look before they are encoded."""
