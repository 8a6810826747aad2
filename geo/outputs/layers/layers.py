"""The layers of the GeoPackage: which columns each must have, of which type, and what an analyst reads about them.

Declared once, as data: the writer checks frames against it, the styles take their field aliases from it.
"""

from __future__ import annotations

from geo.config import ROAD_USERS, SEVERITIES
from geo.ledger import STATUSES
from geo.outputs.layers.corrections import CORRECTIONS, SOURCES
from geo.outputs.layers.declare import Column, Layer
from geo.outputs.layers.findings import (
    FINDINGS,
    GATHERING_MAPS,
    GATHERING_TABLES,
    GI_STAR,
    JUNCTION_TESTS,
    WORD_TESTS,
)
from geo.outputs.layers.ground import GROUND, VEGETATION, WIDTHS
from geo.outputs.layers.interventions import INTERVENTIONS
from geo.outputs.layers.places import (
    JUNCTION_TYPES,
    PLACES,
    SEVERITY_UNKNOWN,
    TRAFFIC_SOURCES,
    limits,
    of_people,
    rates,
)
from geo.outputs.layers.reporting import UNDER_REPORTING
from geo.outputs.layers.stretches import STRETCHES
from geo.outputs.layers.systemic import SCREENED, SYSTEMIC

SNAP_STATUSES = (
    "matched",
    "ambiguous",
    "beyond_limit",
    "no_geometry",
    "outside_area",
    "duplicate",
    "out_of_period",
    "excluded_class",
)
GEOMETRY_COLUMN = "geom"
ROW_COLUMN = "fid"


def _by_user() -> tuple[Column, ...]:
    """Declare counts of collisions by road user, and by adjusted severity."""
    return (
        *(
            Column(
                f"n_{user}_collisions",
                "integer",
                f"Collisions with a {user.replace('_', ' ')} (number)",
                optional=True,
            )
            for user in ROAD_USERS
        ),
        Column("n_severity_unknown", "integer", SEVERITY_UNKNOWN, optional=True),
        Column(
            "n_users_unknown", "integer", "Collisions that leave a road user untold (number)", optional=True
        ),
        Column("n_ksi_adjusted", "real", "KSI collisions, adjusted for recording (number)", optional=True),
    )


def _expected(what: str, title: str, per: str = "km_year", label: str = "km and year") -> tuple[Column, ...]:
    """Declare what is expected of a place; a segment's shrunk KSI rate itself is declared with the recorded one."""
    rate, per = f"{what}_per_{per}", f"{title} per {label}"
    there = rate == "ksi_per_km_year"
    shrunk = () if there else (Column(f"{rate}_eb", "real", f"{per}, shrunk", optional=True),)
    like = "roads like it" if label == "km and year" else "junctions like it"
    reals = (
        (f"{rate}_eb_low", f"{per}, shrunk, lower limit"),
        (f"{rate}_eb_high", f"{per}, shrunk, upper limit"),
        (f"{rate}_predicted", f"{per}, predicted from {like}"),
        (f"{rate}_potential", f"{per}, shrunk less predicted (potential for improvement)"),
        (f"{what}_predicted", f"{title} predicted for the records' time (number)"),
        (f"{what}_eb", f"{title} expected in the records' time, shrunk (number)"),
        (f"{what}_eb_variance", f"{title} expected, variance (number squared)"),
        (f"{what}_eb_weight", f"{title}: weight of the prediction (0 to 1)"),
    )
    return (
        *shrunk,
        *(Column(name, "real", alias, optional=True) for name, alias in reals),
        Column(f"{what}_eb_method", "text", f"{title}: how the shrunk rate was made", optional=True),
    )


_RANKS = (
    Column("rank_of", "text", "Ranks are by the rate of", ("ksi", "collisions"), optional=True),
    Column("rank", "integer", "Rank (1 is the worst)", optional=True),
    Column("expected_rank", "real", "Rank, mean over what is possible", optional=True),
    Column("rank_deviation", "real", "Rank, standard deviation", optional=True),
    Column(
        "p_above_predicted",
        "real",
        "Probability that more is to be expected than of those like it (0 to 1)",
        optional=True,
    ),
    Column("p_worst_5_percent", "real", "Probability of being among the worst 5 % (0 to 1)", optional=True),
)
_SEGMENTS = Layer(
    "segments",
    "Road segments",
    "Stretches of road between junctions, with their visual type and what is known about collisions on them. "
    "Association, not cause. Rates per km and year leave traffic out; those per 100 million vehicle-km hold it, where "
    "it is known.",
    "LineString",
    (
        Column("segment_id", "text", "Segment"),
        Column("u", "text", "From (junction, or node between two segments)"),
        Column("v", "text", "To (junction, or node between two segments)"),
        Column("source_ids", "text", "Source ids"),
        Column("name", "text", "Name"),
        Column("road_class", "text", "Road class"),
        Column("length_m", "real", "Length (m)"),
        Column("n_tiles", "integer", "Tiles"),
        Column("coverage", "real", "Imagery coverage (0 to 1)"),
        Column("cluster", "integer", "Type"),
        Column("cluster_margin", "real", "Margin of the type (0 to 1)"),
        Column("years", "real", "Collision records (years)"),
        Column("n_collisions", "integer", "Collisions"),
        Column("n_fatal", "integer", "Fatal collisions"),
        Column("n_serious", "integer", "Serious collisions"),
        Column("n_slight", "integer", "Slight collisions"),
        Column("n_ksi", "integer", "KSI collisions"),
        Column("collisions_per_km_year", "real", "Collisions per km and year"),
        Column("ksi_per_km_year", "real", "KSI per km and year"),
        Column("ksi_per_km_year_low", "real", "KSI per km and year, lower limit"),
        Column("ksi_per_km_year_high", "real", "KSI per km and year, upper limit"),
        Column("ksi_per_km_year_eb", "real", "KSI per km and year, shrunk"),
        Column("ref", "text", "Number of the road", optional=True),
        Column(
            "cluster_probability",
            "real",
            "Probability of the type, over resampled roads (0 to 1)",
            optional=True,
        ),
        Column("cluster_second", "integer", "Second type, over resampled roads", optional=True),
        Column("cluster_found", "integer", "Type as it was found, before an analyst's words", optional=True),
        Column("cluster_source", "text", "Where the type is from", SOURCES, optional=True),
        Column("cluster_baseline", "integer", "Type by band statistics alone", optional=True),
        Column("flight", "text", "Flight of the imagery that shows most of it", optional=True),
        *limits("collisions_per_km_year", "Collisions per km and year"),
        *_by_user(),
        Column("aadt", "real", "Traffic (motor vehicles per day, yearly average)", optional=True),
        Column("traffic_source", "text", "Traffic: where the figure is from", TRAFFIC_SOURCES, optional=True),
        Column("traffic_distance_m", "real", "Distance to the traffic count (m)", optional=True),
        Column("traffic_years", "text", "Years of the traffic figure", optional=True),
        Column("traffic_points", "text", "Count points", optional=True),
        Column(
            "carriageways", "integer", "Carriageways that share the traffic count (number)", optional=True
        ),
        Column(
            "counted_m",
            "real",
            "Length outside the reach of junctions, to which rates refer (m)",
            optional=True,
        ),
        Column("million_vkm", "real", "Traffic over the records' time (million vehicle-km)", optional=True),
        *rates("ksi", "100m_vkm", "100 million vehicle-km"),
        *rates("collisions", "100m_vkm", "100 million vehicle-km"),
        *of_people("pedestrian", "walk", "walked"),
        *of_people("cyclist", "cycle", "cycled"),
        *_expected("ksi", "KSI"),
        *_expected("collisions", "Collisions"),
        *_RANKS,
        Column("junction_ends_per_km", "real", "Ends at junctions per km", optional=True),
        Column("stretch_id", "text", "Stretch of road", optional=True),
        Column(
            "looks_like",
            "text",
            "Looks most like (segments elsewhere, of its type; none where none is alike)",
            optional=True,
        ),
        Column("shown_tile", "text", "Tile that shows it", optional=True),
        *GI_STAR,
        *WIDTHS,
        *SCREENED,
        *VEGETATION,
    ),
    key="segment_id",
)
_JUNCTIONS = Layer(
    "junctions",
    "Junctions",
    "Nodes where three or more road arms meet, and roundabouts taken as one, with their collisions, and what is to be "
    "expected of each by its form, its arms and, where it is known, its traffic. Association, not cause.",
    "Point",
    (
        Column("junction_id", "text", "Junction"),
        Column("arms", "integer", "Arms"),
        Column("n_collisions", "integer", "Collisions"),
        Column("n_ksi", "integer", "KSI collisions"),
        Column("form", "text", "Form", optional=True),
        Column("radius_m", "real", "Radius (m)", optional=True),
        Column("source_ids", "text", "Source ids", optional=True),
        *(
            Column(f"n_{severity}", "integer", f"{severity.capitalize()} collisions", optional=True)
            for severity in SEVERITIES
        ),
        *rates("collisions", "year", "year"),
        *rates("ksi", "year", "year"),
        *_by_user(),
        Column("years", "real", "Collision records (years)", optional=True),
        Column("junction_type", "text", "Form and arms", optional=True),
        Column("highest_class", "text", "Highest road class of its arms", optional=True),
        Column("traffic_entering", "real", "Traffic that enters (motor vehicles per day)", optional=True),
        Column("traffic_major", "real", "Traffic of the major road (motor vehicles per day)", optional=True),
        Column("traffic_minor", "real", "Traffic of the minor road (motor vehicles per day)", optional=True),
        *_expected("ksi", "KSI", "year", "year"),
        *_expected("collisions", "Collisions", "year", "year"),
        *_RANKS,
        Column("cluster", "integer", "Type by its look", optional=True),
        Column("cluster_margin", "real", "Margin of the type (0 to 1)", optional=True),
        Column(
            "cluster_probability",
            "real",
            "Probability of the type, over resampled junctions (0 to 1)",
            optional=True,
        ),
        Column("cluster_second", "integer", "Second type, over resampled junctions", optional=True),
        Column("cluster_baseline", "integer", "Type by band statistics alone", optional=True),
        Column("looks_like", "text", "Looks most like (junctions elsewhere, of its type)", optional=True),
        Column("shown_tile", "text", "Tile that shows it", optional=True),
        *VEGETATION,
    ),
    key="junction_id",
)
_TILES = Layer(
    "tiles",
    "Imagery tiles",
    "Square windows of imagery along the segments. The encoder saw those that imagery covers ('encoded').",
    "Polygon",
    (
        Column("tile_id", "text", "Tile"),
        Column("segment_id", "text", "Segment"),
        Column("position_m", "real", "Position along the segment (m)"),
        Column("bearing", "real", "Bearing of the road (degrees from grid north)"),
        Column("coverage", "real", "Imagery coverage (0 to 1)"),
        Column("image_id", "text", "Image"),
        Column("thumbnail", "blob", "Picture (JPEG)", optional=True),
        Column("encoded", "boolean", "Seen by the encoder (yes or no)", optional=True),
    ),
    key="tile_id",
)
_JUNCTION_TILES = Layer(
    "junction_tiles",
    "Imagery tiles of junctions",
    "Square windows of imagery at the centres of junctions, as large as those of roads.",
    "Polygon",
    (
        Column("tile_id", "text", "Tile"),
        Column("junction_id", "text", "Junction"),
        Column("bearing", "real", "Bearing of its most important arm (degrees from grid north)"),
        *_TILES.columns[4:],
    ),
    key="tile_id",
)
_COLLISIONS = Layer(
    "collisions",
    "Collisions",
    "Every collision of the records (rows of one are brought together), placed on one segment or junction, or left "
    "with the reason.",
    "Point",
    (
        Column("collision_id", "text", "Collision"),
        Column("date", "datetime", "Date"),
        Column("severity", "text", "Severity", SEVERITIES),
        Column("n_casualties", "integer", "Casualties"),
        Column("segment_id", "text", "Segment"),
        Column("junction_id", "text", "Junction"),
        Column("snap_distance_m", "real", "Distance to the road (m)"),
        Column("snap_status", "text", "Placed", SNAP_STATUSES),
        *(
            Column(
                user,
                "boolean",
                f"{user.replace('_', ' ').capitalize()} hurt or involved (yes or no)",
                optional=True,
            )
            for user in ROAD_USERS
        ),
        Column("severity_known", "boolean", "Severity known, or nobody hurt (yes or no)", optional=True),
        Column("ksi_adjusted", "real", "KSI by adjusted severity (probability)", optional=True),
        Column("injury_based", "boolean", "Severity by a list of injuries (yes or no)", optional=True),
        Column("police_force", "text", "Police force (code)", optional=True),
        Column("source_row", "integer", "Row of the source (number)", optional=True),
        Column("source_year", "integer", "Year in the source", optional=True),
        *(
            Column(
                f"n_{user}",
                "integer",
                f"{user.replace('_', ' ').capitalize()} casualties (number)",
                optional=True,
            )
            for user in ROAD_USERS
        ),
    ),
    located=False,
)
_CLUSTERS = Layer(
    "clusters",
    "Road types",
    "Types of road found from imagery alone, and their collision rates against all other roads that have a type: as "
    "counted, and in the same part of town, by which p, q and every claim are.",
    None,
    (
        Column("cluster", "integer", "Type"),
        Column("n_segments", "integer", "Segments"),
        Column("length_km", "real", "Length (km)"),
        Column("n_collisions", "integer", "Collisions"),
        Column("n_ksi", "integer", "KSI collisions"),
        Column("ksi_per_km_year", "real", "KSI per km and year"),
        Column("low", "real", "KSI per km and year, lower limit (of the count alone; compares nothing)"),
        Column("high", "real", "KSI per km and year, upper limit (of the count alone; compares nothing)"),
        Column("rate_ratio", "real", "Rate ratio to other roads that have a type"),
        Column("rate_ratio_low", "real", "Rate ratio, lower limit"),
        Column("rate_ratio_high", "real", "Rate ratio, upper limit"),
        Column("p_value", "real", "p value, in the same part of town"),
        Column("q_value", "real", "q value (false discovery rate; by it a difference is claimed)"),
        Column("prototype_tiles", "text", "Prototype tiles"),
        Column("name", "text", "Name", optional=True),
        Column("colour", "text", "Colour (#RRGGBB)", optional=True),
        Column("note", "text", "Note", optional=True),
        Column("outcome", "text", "Rate ratios are of", ("ksi", "collisions"), optional=True),
        Column("collisions_per_km_year", "real", "Collisions per km and year", optional=True),
        *limits("collisions_per_km_year", "Collisions per km and year"),
        Column("rate_ratio_in_class", "real", "Rate ratio to other roads of its class", optional=True),
        *limits("rate_ratio_in_class", "Rate ratio to other roads of its class"),
        Column("p_value_in_class", "real", "p value, in class and part of town", optional=True),
        Column("q_value_in_class", "real", "q value, in class (false discovery rate)", optional=True),
        Column("rate_ratio_adjusted", "real", "Rate ratio in the same part of town", optional=True),
        *limits("rate_ratio_adjusted", "Rate ratio in the same part of town"),
        Column("rate_ratio_in_class_adjusted", "real", "Rate ratio in class and part of town", optional=True),
        *limits("rate_ratio_in_class_adjusted", "Rate ratio in class and part of town"),
        *limits("rate_ratio_pooled", "Rate ratio in the same part of town, with the grouping's doubt"),
        *limits(
            "rate_ratio_in_class_pooled", "Rate ratio in class and part of town, with the grouping's doubt"
        ),
        Column("found_again", "real", "How surely other samples of roads find it (0 to 1)", optional=True),
        Column(
            "share_sure",
            "real",
            "Share of its length that is of it with a probability of 0.8 or more (0 to 1)",
            optional=True,
        ),
        Column("interval", "text", "How the intervals were made", optional=True),
        Column("n_severity_unknown", "integer", SEVERITY_UNKNOWN, optional=True),
        Column("top_flight", "text", "Flight that shows most of it", optional=True),
        Column("top_flight_share", "real", "Share of its length in that flight (0 to 1)", optional=True),
        Column("merged_of", "text", "Found types that an analyst made one in it", optional=True),
        Column("made_from", "integer", "Examples that an analyst made it by (number)", optional=True),
        Column("words", "text", "Looks most like (automatic; share of its tiles)", optional=True),
    ),
    key="cluster",
)
_JUNCTION_CLUSTERS = Layer(
    "junction_clusters",
    "Types of junction by their look",
    "Types of junction found from imagery alone, and their collision rates against all other junctions that have a "
    "type: as counted, and in the same part of town, by which p, q and every claim are. Association, not cause.",
    None,
    (
        Column("cluster", "integer", "Type"),
        Column("n_junctions", "integer", "Junctions"),
        Column("junction_years", "real", "Junctions x years of records"),
        Column("forms", "text", "Form and arms (number)"),
        Column("n_collisions", "integer", "Collisions"),
        Column("n_ksi", "integer", "KSI collisions"),
        Column("n_severity_unknown", "integer", SEVERITY_UNKNOWN, optional=True),
        *rates("ksi", "junction_year", "junction and year"),
        *rates("collisions", "junction_year", "junction and year"),
        Column("outcome", "text", "Rate ratios are of", ("ksi", "collisions")),
        *(
            column
            for part, there in (("", "other junctions"), ("_in_form", "others of its form and arms"))
            for column in (
                Column(f"rate_ratio{part}", "real", f"Rate ratio to {there}"),
                *limits(f"rate_ratio{part}", f"Rate ratio to {there}"),
                Column(
                    f"rate_ratio{part}_adjusted", "real", f"Rate ratio to {there} in the same part of town"
                ),
                *limits(f"rate_ratio{part}_adjusted", f"Rate ratio to {there} in the same part of town"),
                *limits(f"rate_ratio{part}_pooled", f"Rate ratio to {there}, with the grouping's doubt"),
                Column(f"p_value{part}", "real", f"p value, {there} in the same part of town"),
                Column(f"q_value{part}", "real", f"q value, {there} (by it a difference is claimed)"),
            )
        ),
        Column(
            "found_again", "real", "How surely other samples of junctions find it (0 to 1)", optional=True
        ),
        Column(
            "share_sure",
            "real",
            "Share of them that are of it with a probability of 0.8 or more (0 to 1)",
            optional=True,
        ),
        Column("interval", "text", "How the intervals were made", optional=True),
        Column("prototype_tiles", "text", "Prototype tiles", optional=True),
        Column("name", "text", "Name", optional=True),
        Column("colour", "text", "Colour (#RRGGBB)", optional=True),
        Column("note", "text", "Note", optional=True),
    ),
    key="cluster",
)
_LEDGER = Layer(
    "ledger",
    "Ledger",
    "The account of every input row: done, skipped, rejected (with its reason) or failed.",
    None,
    (
        Column("stage", "text", "Stage"),
        Column("item", "text", "Item"),
        Column("status", "text", "Status", STATUSES),
        Column("reason", "text", "Reason"),
        Column("count", "integer", "Count"),
    ),
)
_RUN = Layer(
    "run",
    "Run",
    "The configuration, digests and versions that made this file.",
    None,
    (Column("key", "text", "Key"), Column("value", "text", "Value")),
    key="key",
)
LAYERS: dict[str, Layer] = {
    layer.name: layer
    for layer in (
        _SEGMENTS,
        _JUNCTIONS,
        _TILES,
        _JUNCTION_TILES,
        _COLLISIONS,
        STRETCHES,
        *GATHERING_MAPS,
        INTERVENTIONS[0],
        _CLUSTERS,
        *FINDINGS,
        *GATHERING_TABLES,
        INTERVENTIONS[1],
        _JUNCTION_CLUSTERS,
        JUNCTION_TESTS,
        *SYSTEMIC,
        JUNCTION_TYPES,
        PLACES,
        UNDER_REPORTING,
        CORRECTIONS,
        WORD_TESTS,
        *GROUND,
        _LEDGER,
        _RUN,
    )
}
"""In the order of the file: maps first."""
ALWAYS = {name: layer for name, layer in LAYERS.items() if not layer.optional}
"""Those that every city has."""
