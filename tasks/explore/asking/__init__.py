"""What the page asks its run."""
