"""What speaks for the types that were found, and what would be lost with fewer."""
