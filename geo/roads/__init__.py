"""Road centrelines to segments and junctions."""
