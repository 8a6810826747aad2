"""Before and after: what became of roads and junctions that somebody has changed."""
