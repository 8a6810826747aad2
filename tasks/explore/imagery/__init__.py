"""Pictures of the page: of tiles, and of the imagery under its map."""
