"""Which segments look alike or show the same ground, as a graph, and what is drawn along it."""
