"""The stages that find types of road and junction, blind to collisions."""
