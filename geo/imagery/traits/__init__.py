"""What single rasters hold besides pixels: colours, collars, values and dates, as they are found in the files."""
