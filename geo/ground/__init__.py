"""What lies on the ground beside roads: maps of classes, and shares of each road's surroundings."""
