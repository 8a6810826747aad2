"""The stages that say what is known of collisions on roads, junctions and their types."""
