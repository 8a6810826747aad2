"""Results of runs, read back."""
