"""Reading pixels of rasters: block by block within a set memory, ahead of need, resampled onto tiles."""
