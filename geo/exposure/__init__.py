"""Traffic: how many vehicles pass a segment, where somebody has counted them."""
