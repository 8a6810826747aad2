"""What roadprint knows: pure functions on tables, rasters and arrays, free of Prefect."""
