"""Classes of ground that are learned from a few labels that an analyst drew."""
