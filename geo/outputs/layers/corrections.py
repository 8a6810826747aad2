"""The table of what analysts said of single segments; only where they said something."""

from __future__ import annotations

from geo.outputs.layers.declare import Column, Layer

SOURCES = ("found", "corrected", "made", "merged")
"""Where the type of a segment may be from: `geo.clusters.hands.taking_up`."""
CORRECTIONS = Layer(
    "corrections",
    "Corrections",
    "What analysts said of the types of segments when the run began, in the order in which they said it, and what "
    "became of it.",
    None,
    (
        Column("segment_id", "text", "Segment, as it was called then"),
        Column("longitude", "real", "Longitude (degrees)"),
        Column("latitude", "real", "Latitude (degrees)"),
        Column("says", "text", "Says of it", ("is", "is not", "like", "unlike")),
        Column("value", "text", "Type, or other segment"),
        Column("by", "text", "By"),
        Column("at", "text", "At (UTC)"),
        Column("collisions_in_view", "boolean", "Collisions were in view (yes or no)"),
        Column("other_longitude", "real", "Longitude of the other segment (degrees)", optional=True),
        Column("other_latitude", "real", "Latitude of the other segment (degrees)", optional=True),
        Column("found", "text", "Segment of this run"),
        Column("outcome", "text", "What became of it"),
    ),
    optional=True,
)
