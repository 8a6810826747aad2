"""What the page of a run draws: vector tiles and pictures."""
