"""A city's configuration, checked whole before anything runs."""

from geo.config.city import (
    LARGEST_TILE_PX,
    CityConfig,
    Clusters,
    Encoder,
    Imagery,
    Output,
    Roads,
    Segments,
    Tiles,
    load,
)
from geo.config.records import (
    Collisions,
    Columns,
    Exposure,
    Severity,
    SeverityScheme,
    TrafficColumns,
)
from geo.config.safety import Safety

__all__ = [
    "LARGEST_TILE_PX",
    "CityConfig",
    "Clusters",
    "Collisions",
    "Columns",
    "Encoder",
    "Exposure",
    "Imagery",
    "Output",
    "Roads",
    "Safety",
    "Segments",
    "Severity",
    "SeverityScheme",
    "Tiles",
    "TrafficColumns",
    "load",
]
