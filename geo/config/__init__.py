"""A city's configuration, checked whole before anything runs."""

from geo.config.city import (
    CityConfig,
    cluster_settings,
    collision_settings,
    encoder_settings,
    ground_settings,
    load,
)
from geo.config.sections.clusters import Clusters
from geo.config.sections.encoder import EncoderSettings
from geo.config.sections.ground import Ground
from geo.config.sections.imagery import LARGEST_TILE_PX, Imagery, Tiles
from geo.config.sections.interventions import Interventions
from geo.config.sections.output import Output
from geo.config.sections.records import (
    DECIMAL_MARK,
    ROAD_USERS,
    SEVERITIES,
    TEXT_ENCODING,
    Collisions,
    Columns,
    Exposure,
    Severity,
    SeverityScheme,
    TrafficColumns,
)
from geo.config.sections.roads import Roads, Segments
from geo.config.sections.run import Run
from geo.config.sections.safety import Safety

__all__ = [
    "DECIMAL_MARK",
    "LARGEST_TILE_PX",
    "ROAD_USERS",
    "SEVERITIES",
    "TEXT_ENCODING",
    "CityConfig",
    "Clusters",
    "Collisions",
    "Columns",
    "EncoderSettings",
    "Exposure",
    "Ground",
    "Imagery",
    "Interventions",
    "Output",
    "Roads",
    "Run",
    "Safety",
    "Segments",
    "Severity",
    "SeverityScheme",
    "Tiles",
    "TrafficColumns",
    "cluster_settings",
    "collision_settings",
    "encoder_settings",
    "ground_settings",
    "load",
]
