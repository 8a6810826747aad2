"""Classes of ground that are learned from tags of whole tiles: what lies in them, not where."""
