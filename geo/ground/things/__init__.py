"""Things on the ground that can be counted: cars, trees, crossings."""
