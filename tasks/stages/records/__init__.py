"""The stages that read records: collisions, and counts of traffic."""
