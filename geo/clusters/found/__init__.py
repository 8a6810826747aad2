"""The types that were found: of roads and of junctions, their numbers, and what to show of each."""
