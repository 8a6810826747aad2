"""The tables between the stages, declared once: who writes one is held to it, and docs/stages.md is written from it.

What becomes a layer is declared with the layers, and taken from there.
"""

from __future__ import annotations

from geo.outputs.layers.declare import Column, Geometry
from geo.outputs.layers.layers import LAYERS
from geo.outputs.layers.systemic import SCREENED
from tasks.store.table import Table


def of_layer(layer: str, *names: str) -> tuple[Column, ...]:
    """Take the declarations of columns from a layer: those named, in that order; without names all."""
    known = {column.name: column for column in LAYERS[layer].columns}
    return tuple(known[name] for name in names or known)


def between(layer: str, first: str, last: str, *tables: Table) -> tuple[Column, ...]:
    """Take the declarations of a layer's columns from one to another, without those that other tables bring."""
    names = [column.name for column in LAYERS[layer].columns]
    inside = names[names.index(first) : names.index(last) + 1]
    others = {column.name for table in tables for column in table.columns}
    return of_layer(layer, *(name for name in inside if name not in others))


def as_layer(name: str, *, geometry: Geometry | None = None, key: tuple[str, ...] = ()) -> Table:
    """Declare a table that is a layer as it is."""
    return Table(name, LAYERS[name].description, of_layer(name), geometry=geometry, key=key, layer=name)


SEGMENT, JUNCTION, TILE = (
    of_layer("tiles", "segment_id")[0],
    of_layer("junctions", "junction_id")[0],
    *of_layer("tiles", "tile_id"),
)

SEGMENTS = Table(
    "segments",
    "Roads between junctions, or between cuts of long ones, sorted by id: 16 hex digits from the geometry. `u` and `v` "
    "are the nodes at its two points at the ends: a `junction_id`, or `n` and 16 digits where two ends meet; null at a "
    "dead end.",
    of_layer("segments", "segment_id", "u", "v", "source_ids", "name", "road_class", "ref", "length_m"),
    geometry="LineString",
    key=("segment_id",),
    more="every other column of the source, as `src_<column>`",
    part=True,
)
JUNCTIONS = Table(
    "junctions",
    "Where three or more ends of segments meet, and roundabouts taken as one; `form` is `crossing` or `roundabout`.",
    of_layer("junctions", "junction_id", "arms", "form", "radius_m", "source_ids"),
    geometry="Point",
    key=("junction_id",),
    part=True,
)
OTHER_ROADS = Table(
    "other_roads",
    "Roads of classes that are left out, for placing collisions.",
    (
        *of_layer("segments", "road_class", "name", "ref"),
        Column("level", "integer", "Level: above or below the ground where it is not 0"),
    ),
    geometry="LineString",
)
TILES = Table(
    "tiles",
    "Squares along segments, and which images cover each.",
    (
        *of_layer("tiles", "tile_id", "segment_id", "position_m", "bearing"),
        Column("x", "real", "Easting of the centre (m, city's CRS)"),
        Column("y", "real", "Northing of the centre (m, city's CRS)"),
        Column("coverage", "real", "Share of the square inside footprints of images (0 to 1)"),
        Column("image_ids", "list", "Images that may show it, the finest first"),
        Column("shard", "text", "Piece of work: side of its square cell (m), column, row"),
    ),
    geometry="Polygon",
    key=("tile_id",),
    part=True,
)
JUNCTION_TILES = Table(
    "junction_tiles",
    "A square at each junction, and which images cover it; none where `clusters.junctions.types` is off.",
    (
        *of_layer("junction_tiles", "tile_id", "junction_id", "bearing"),
        *TILES.columns[4:8],
        Column("shard", "text", "Piece of work, as of the nearest tile of a road"),
    ),
    geometry="Polygon",
    key=("tile_id",),
    part=True,
)
IMAGES = Table(
    "images",
    "The rasters, and the ground that each shows.",
    (
        Column("image_id", "text", "File name without its ending, made unique"),
        Column("path", "text", "Path or address"),
        Column("crs", "text", "CRS of the raster (WKT)"),
        Column("pixel_m", "real", "Side of a pixel (m)"),
        Column("width", "integer", "Width (pixels)"),
        Column("height", "integer", "Height (pixels)"),
        Column("dtype", "text", "Type of its values"),
        Column("digest", "text", "Digest of all that its driver reads"),
        Column("transform", "list", "Six figures: pixels to the raster's CRS"),
        Column("place", "integer", "Place of its source among `imagery.sources`, from 0"),
        Column("date", "text", "When its ground was seen, as far as it is known"),
        Column("rank", "integer", "Which is seen before others that show the same ground, 0 first"),
        Column(
            "collar",
            "text",
            "Borders read as without data: value, reach, outline in pixels, share; empty: none",
        ),
    ),
    geometry="Polygon",
    key=("image_id",),
)
EMBEDDINGS = Table(
    "embeddings",
    "The files of embeddings that others have computed, and the ground that each shows; there is no such file where "
    "the configuration names none.",
    (
        *IMAGES.columns,
        Column("dimension", "integer", "How many numbers a vector has"),
        Column("year", "text", "Year that they are of; null: not told"),
        Column("version", "text", "Version of the product's model; null: not told"),
    ),
    geometry="Polygon",
    key=("image_id",),
)
SHARD = Table(
    "shard-<digest>",
    "Embeddings of the tiles of one shard, beside the stages, in a file a shard. Both vectors are null where the "
    "imagery covers too little. The file's metadata says what they are, under the names of the embedding extension "
    "drafted for STAC.",
    (
        TILE,
        *TILES.columns[4:6],
        Column("image_id", "text", "What its pixels are from, `;`-joined"),
        Column("coverage", "real", "Share of its pixels with data (0 to 1)"),
        Column("embedding", "list", "Vector of the encoder (float32)"),
        Column("bands", "list", "Band statistics, the baseline (float32)"),
        Column(
            "turns",
            "list",
            "Vectors of the quarter turns one after the other, each brought to length 1 (float16); where "
            "`encoder.keep_turns` is on",
            optional=True,
        ),
    ),
    key=("tile_id",),
)
FINGERPRINTS = Table(
    "fingerprints",
    "One vector a segment with imagery: the mean of its tiles' embeddings, each brought to length 1, by coverage. "
    "GeoParquet with the metadata of the embeddings, and with the box of each line (`bbox`); it is among the layers of "
    "a run as it is.",
    (
        SEGMENT,
        Column("vector", "list", "Fingerprint (float32)"),
        Column("bands", "list", "The same of the band statistics (float32)"),
        Column("n_tiles", "integer", "Tiles that it is pooled from"),
        Column("coverage", "real", "Their mean coverage (0 to 1)"),
    ),
    geometry="LineString",
    key=("segment_id",),
)
TILE_FINGERPRINTS = Table(
    "tile_fingerprints",
    "One vector a tile that was encoded: its embedding, brought to length 1, and moved as the fingerprint of its "
    "segment was where flights were centred: their mean by coverage is that fingerprint (of others' embeddings, before "
    "it is of length 1). Parquet with the metadata of the embeddings; it is among the layers of a run as it is.",
    (
        TILE,
        SEGMENT,
        Column("vector", "list", "Fingerprint (float16)"),
    ),
    key=("tile_id",),
)
TURN_SCATTER = Table(
    "turn_scatter",
    "How the quarter turns of the tiles of roads scatter about their mean, each of length 1: the sum of the outer "
    "products of the differences, a symmetric matrix; with `clusters.turn_whitening`, and where two flights show the "
    "same ground, as much of how looks differ between them. There is no such file where `encoder.keep_turns` is off; "
    "else it is among the layers of a run as it is.",
    (
        Column("row", "integer", "Row of the matrix, from 0"),
        Column("scatter", "list", "Its figures (float64)"),
        Column("n", "integer", "Number of differences summed: tiles times turns"),
    ),
    key=("row",),
)
SEEN = Table(
    "tiles",
    "Tiles whose imagery was read.",
    (
        *of_layer("tiles", "tile_id", "segment_id", "position_m"),
        *of_layer("tiles", "image_id", "coverage", "encoded"),
    ),
    key=("tile_id",),
    part=True,
)
JUNCTION_FINGERPRINTS = Table(
    "junction_fingerprints",
    "One vector a junction with imagery: the embedding of its tile, brought to length 1; otherwise as `fingerprints`. "
    "There is no such file where no junction has one.",
    (JUNCTION, *FINGERPRINTS.columns[1:]),
    geometry="Point",
    key=("junction_id",),
)
SEEN_AT_JUNCTIONS = Table(
    "junction_tiles",
    "Tiles of junctions whose imagery was read.",
    (
        *of_layer("junction_tiles", "tile_id", "junction_id"),
        *of_layer("junction_tiles", "image_id", "coverage", "encoded"),
    ),
    key=("tile_id",),
    part=True,
)
TYPES = Table(
    "segments",
    "The type of each segment with a fingerprint: 1 is the largest, or the number that it had in the earlier run.",
    of_layer(
        "segments",
        "segment_id",
        "cluster",
        "cluster_margin",
        "cluster_probability",
        "cluster_second",
        "cluster_found",
        "cluster_source",
        "cluster_baseline",
        "looks_like",
    ),
    key=("segment_id",),
    joins="segments",
)
BY_HAND = Table(
    "clusters",
    "Types that an analyst made one, or made by examples. There is no such file where there are none.",
    of_layer("clusters", "cluster", "merged_of", "made_from"),
    key=("cluster",),
    part=True,
)
CORRECTIONS = as_layer("corrections")
PROTOTYPES = Table(
    "prototypes",
    "Segments that show a type: nearest to its centroid, the least sure, and drawn at random.",
    (
        *of_layer("clusters", "cluster"),
        Column("kind", "text", "What it shows", ("prototype", "edge", "random")),
        Column("rank", "integer", "Among its kind, from 1"),
        SEGMENT,
        TILE,
    ),
    part=True,
)
MERGING = Table(
    "merging",
    "What is lost where two types are made one.",
    (
        *of_layer("clusters", "cluster"),
        Column("other", "integer", "The other type"),
        Column("lost", "real", "Share of what types tell of looks that is lost (0 to 1)"),
        Column(
            "mixed", "real", "How often, over resampled roads, a segment of either is of the other (0 to 1)"
        ),
    ),
    key=("cluster", "other"),
    part=True,
)
CHOICE = Table(
    "choice",
    "The evidence for the number of types.",
    (
        Column("k", "integer", "Number of types"),
        Column("silhouette", "real", "Mean silhouette (-1 to 1)"),
        Column(
            "silhouette_smoothed",
            "real",
            "Mean silhouette once drawn towards what looks alike (-1 to 1); null: not drawn",
        ),
        Column("stability", "real", "Mean adjusted Rand index with bootstrap samples"),
        Column("chosen", "boolean", "Whether it is the one"),
    ),
    key=("k",),
)
GROUPINGS = Table(
    "groupings",
    "The same segments as bootstrap samples of them would be grouped, in the numbers of the types.",
    (
        SEGMENT,
        Column(
            "clusters", "list", "Its type in each grouping; 0: a group that is the counterpart of no type"
        ),
    ),
    key=("segment_id",),
)
LOOK_UPS = Table(
    "tables",
    "What the values of a flight become before they are encoded; no rows where flights are not matched.",
    (
        Column("flight", "text", "Flight"),
        Column("band", "integer", "Place among the bands that the encoder sees, from 0"),
        Column("image_ids", "list", "Its rasters"),
        Column("dtype", "text", "Type of the values"),
        Column("values", "list", "What each value becomes, from the lowest of its type"),
    ),
    key=("flight", "band"),
)
FLOWN = Table(
    "segments",
    "The flight that shows most of each segment with a type.",
    of_layer("segments", "segment_id", "flight"),
    key=("segment_id",),
    joins="segments",
)
TYPES_FLOWN = Table(
    "clusters",
    "The flight that shows most of each type.",
    (
        *of_layer("clusters", "cluster", "top_flight", "top_flight_share"),
        Column(
            "by_chance", "real", "Share of shuffles within road class in which one flight has so much of it"
        ),
    ),
    key=("cluster",),
    part=True,
)
WORDS = Table(
    "tile_words",
    "Which tiles have which of the words that are learned and hold.",
    (TILE, Column("word", "text", "Word")),
    key=("tile_id", "word"),
)
TYPES_IN_WORDS = Table(
    "clusters",
    "Types of which something can be told in words.",
    of_layer("clusters", "cluster", "words"),
    key=("cluster",),
    part=True,
)
COLLISIONS = Table(
    "collisions",
    "One row a source row, in the source's order. Flags of road users: hurt, with STATS19; else what the column means.",
    of_layer("collisions"),
    geometry="Point",
    located=False,
    part=True,
)
CARRIED = Table(
    "collisions",
    "Columns of the records that `collisions.carry` names, on the rows of `collisions`; there is no such file where it "
    "names none.",
    of_layer("collisions", "collision_id"),
    more="columns of the records, as `src_<column>`",
    joins="collisions",
)
TRAFFIC = Table(
    "segments",
    "The traffic of each segment, the people who walk and cycle along it, and where the figures are from.",
    of_layer(
        "segments",
        "segment_id",
        "aadt",
        "traffic_source",
        "traffic_distance_m",
        "traffic_years",
        "traffic_points",
        "carriageways",
        "pedestrians_per_day",
        "pedestrians_source",
        "cyclists_per_day",
        "cyclists_source",
    ),
    key=("segment_id",),
)
HOT_SPOTS = Table(
    "segments",
    "Gi* of each segment's excess over what is predicted of it, along the network.",
    (SEGMENT, *(column for column in of_layer("segments") if column.name.startswith("gi_star_"))),
    key=("segment_id",),
    joins="segments",
)
RATES = Table(
    "segments",
    "Counts and rates of each segment with their intervals, what is expected of it, and how it ranks.",
    (SEGMENT, *between("segments", "years", "stretch_id", SEGMENTS, TYPES)),
    key=("segment_id",),
    joins="segments",
)
AT_JUNCTIONS = Table(
    "junctions",
    "Counts and rates of each junction with their intervals, what is expected of it, and how it ranks.",
    (JUNCTION, *between("junctions", "n_collisions", "p_worst_5_percent", JUNCTIONS)),
    key=("junction_id",),
    part=True,
)
JUNCTION_TYPES, PLACES, MODELS = (as_layer(name) for name in ("junction_types", "places", "models"))
JUNCTION_TYPED = Table(
    "junctions",
    "The type of each junction with a fingerprint, by its look: 1 is the largest.",
    of_layer(
        "junctions",
        "junction_id",
        "cluster",
        "cluster_margin",
        "cluster_probability",
        "cluster_second",
        "cluster_baseline",
        "looks_like",
    ),
    key=("junction_id",),
    joins="junctions",
)
JUNCTION_PROTOTYPES = Table(
    "prototypes",
    "Junctions that show a type: nearest to its centroid, the least sure, and drawn at random.",
    (*PROTOTYPES.columns[:3], JUNCTION, TILE),
    part=True,
)
JUNCTION_GROUPINGS = Table(
    "groupings",
    "The same junctions as bootstrap samples of them would be grouped, in the numbers of the types.",
    (JUNCTION, GROUPINGS.columns[1]),
    key=("junction_id",),
)
JUNCTION_TESTS = as_layer("junction_tests", key=("cluster", "outcome", "comparison"))
JUNCTION_CLUSTERS = Table(
    "clusters",
    "The table of types of junction, with p, q and intervals from the tests.",
    tuple(
        column
        for column in of_layer("junction_clusters")
        if column.name not in {"name", "colour", "note", "prototype_tiles"}
    ),
    key=("cluster",),
    part=True,
)
TESTS = as_layer("tests", key=("cluster", "outcome", "comparison"))
CLUSTERS = Table(
    "clusters",
    "The table of types, with p, q and intervals from the tests.",
    tuple(
        column
        for column in of_layer("clusters")
        if column.name
        not in {
            *("name", "colour", "note", "prototype_tiles"),
            *(told.name for table in (TYPES_FLOWN, BY_HAND, TYPES_IN_WORDS) for told in table.columns[1:]),
        }
    ),
    key=("cluster",),
    part=True,
)
VALUE, HIGH_INJURY, LOOK_ALIKES = (
    as_layer(name) for name in ("value_of_imagery", "high_injury", "look_alikes")
)
SYSTEMIC_FOCUS, SYSTEMIC_FACTORS, SYSTEMIC_HELD_OUT = (
    as_layer(name) for name in ("systemic_focus", "systemic_factors", "systemic_held_out")
)
CARRIERS = Table(
    "segments",
    "Which of the risk factors that stand each segment has, whether it has had a collision or not.",
    (SEGMENT, *of_layer("segments", *(column.name for column in SCREENED))),
    key=("segment_id",),
    joins="segments",
)
STRETCHES = as_layer("stretches", geometry="LineString", key=("stretch_id",))
WINDOWS = as_layer("windows", geometry="LineString", key=("window_id",))
LIXELS = as_layer("lixels", geometry="LineString")
BANDWIDTHS = Table(
    "bandwidths",
    "The bandwidths that were tried.",
    (
        Column("bandwidth_m", "real", "Bandwidth (m)"),
        Column("log_likelihood", "real", "Cross-validated log-likelihood", optional=True),
    ),
)
TREATED = Table(
    "interventions",
    "Treatments with their places, and what became of collisions there.",
    of_layer("interventions"),
    geometry="Point",
    located=False,
    layer="interventions",
)
BY_KIND = as_layer("interventions_by_kind")
UNDER_REPORTING = as_layer("under_reporting")
THUMBNAILS = Table(
    "thumbnails",
    "Small pictures of tiles: those of the picks, the middle tile of segments that the report and its contact "
    "sheets show, or all.",
    (TILE, Column("jpeg", "blob", "Picture (JPEG, 160 pixels the longer side)")),
    key=("tile_id",),
)
SENSITIVITY = as_layer("sensitivity")
