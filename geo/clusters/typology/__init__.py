"""Types of road found in several cities, kept in a file, and given to the segments of others."""
