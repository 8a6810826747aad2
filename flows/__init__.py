"""What runs: the city flow and the command line."""
