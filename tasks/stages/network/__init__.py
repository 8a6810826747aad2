"""The stages about roads, and where they are looked at."""
