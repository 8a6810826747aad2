"""Classes of ground that are found without labels."""
