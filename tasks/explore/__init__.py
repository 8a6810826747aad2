"""What the page of a run reads and writes."""
