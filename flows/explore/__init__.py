"""The page in which a run is looked at, asked and corrected: what answers the browser."""
