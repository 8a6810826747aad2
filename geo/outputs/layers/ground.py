"""The tables of ground: its classes, how classes that were found come together, and what lies beside roads of a type.

A city has them only where its file asks for a map of the ground. Shares of single segments are columns of `segments`
whose names hold the keys of classes, which differ from city to city: `geo.outputs.layers.ground_words` says what they
are.
"""

from __future__ import annotations

from geo.outputs.layers.declare import Column, Layer

CLASSES, TREE, BESIDE_TYPES = "ground_classes", "ground_tree", "ground_types"
VALUE_OF_GROUND = "ground_value"
"""Rows of the layer ``value_of_imagery`` that a map of the ground adds."""
THINGS = "things"
DIFFERS = "differs"
"""Column of look-alikes that says what differs on the ground."""
NAMED_DIFFERS = "looks_like_differs"
"""The same of segments, of the first that looks like it."""
OF_LEARNED = "on places left out (0 to 1)"
WIDTHS = (
    Column("carriageway_width_m", "real", "Width of the carriageway, as a network saw it (m)", optional=True),
    Column("carriageway_width_sd_m", "real", "Its standard deviation along the segment (m)", optional=True),
    Column(
        "carriageway_hidden_share",
        "real",
        "Share along which it was not found or not seen (0 to 1)",
        optional=True,
    ),
    Column(
        "carriageway_iou",
        "real",
        "Overlap (IoU) that the network predicts of its masks (0 to 1)",
        optional=True,
    ),
    Column("carriageway_seen_m", "real", "Length with imagery, clear of junctions (m)", optional=True),
)
"""Columns of `segments` that method sam fills."""
CARRIAGEWAYS = tuple(column.name for column in WIDTHS)
GROUND = (
    Layer(
        CLASSES,
        "Classes of ground",
        "What was told apart on the ground beside roads: the classes of the map, and how well each is told where that "
        "was measured.",
        None,
        (
            Column("class", "integer", "Class, as the map holds it"),
            Column("key", "text", "What its columns are called by"),
            Column("name", "text", "Name"),
            Column("colour", "text", "Colour (#RRGGBB)"),
            Column("source", "text", "What it came about by", ("found", "labels", "tags", "sam", "ndvi")),
            Column("share", "real", "Share of the ground that was learned from (0 to 1)"),
            Column("score", "real", f"Overlap with the truth (IoU) {OF_LEARNED}"),
            Column("spread", "real", f"Overlap: standard deviation over places {OF_LEARNED}"),
            Column("baseline", "real", "Overlap of 'all of it is this class' (0 to 1)"),
            Column("words", "text", "What to know of it"),
            Column("note", "text", "Note", optional=True),
        ),
        key="class",
        optional=True,
    ),
    Layer(
        TREE,
        "How classes of ground come together",
        "The groups that classes of ground were found from, and at which distance they come together, as a tree.",
        None,
        (
            Column("node", "integer", "Node (leaves first)"),
            Column("parent", "integer", "The node that it is part of (null: the root)"),
            Column("height", "real", "Distance at which its parts come together (1 - mean cosine; leaves 0)"),
            Column("share", "real", "Share of the ground below it (0 to 1)"),
            Column("class", "integer", "The class that it is part of (null: of several)"),
        ),
        key="node",
        optional=True,
    ),
    Layer(
        BESIDE_TYPES,
        "Ground beside roads of a type",
        "What lies beside roads of each type against roads of the other types: shares of the ground that is known. "
        "Limits of differences are by blocks, and hold for all types and classes at once; that maps of classes err is "
        "not in them.",
        None,
        (
            Column("cluster", "integer", "Type"),
            Column("key", "text", "Class of ground (key)"),
            Column("band", "text", "Distance from the centreline (whole: all of it)"),
            Column("share", "real", "Share of the known ground (0 to 1)"),
            Column("share_others", "real", "Share beside roads of the other types (0 to 1)"),
            Column("difference", "real", "Difference of shares (this type less others)"),
            Column("low", "real", "Difference, lower limit"),
            Column("high", "real", "Difference, upper limit"),
            Column("known", "real", "Share of the ground that is known (0 to 1)"),
            Column("n_blocks", "integer", "Blocks that hold it, and its others (number, the fewest)"),
            Column("n_independent", "real", "As how many independent roads they tell (number, the fewest)"),
            Column("block_m", "real", "Side of a block (m)"),
            Column("reason", "text", "Why there are no limits"),
        ),
        optional=True,
    ),
    Layer(
        THINGS,
        "Things on the ground",
        "What was counted on the ground beside roads, each for the nearest segment. They are peaks of a map that was "
        "learned from labels: the words of their class say how many are found, and how many of those are right.",
        "Point",
        (
            Column("thing_id", "text", "Thing"),
            Column("key", "text", "Class of ground (key)"),
            Column("name", "text", "Class of ground"),
            Column("score", "real", "Score (0 to 1)"),
            Column("segment_id", "text", "Segment"),
        ),
        key="thing_id",
        optional=True,
    ),
)
VEGETATION_WITHIN = {"0_6m": "0 to 6 m", "6_15m": "6 to 15 m", "15_30m": "15 to 30 m"}
"""Bands of distance (`geo.ground.shares.BANDS_M`), as columns and people call them."""
VEGETATION = (
    *(
        Column(f"vegetation_{band}", "real", f"Vegetation, {said} away (0 to 1)", optional=True)
        for band, said in VEGETATION_WITHIN.items()
    ),
    *(
        Column(
            f"vegetation_known_{band}", "real", f"Vegetation is known, {said} away (0 to 1)", optional=True
        )
        for band, said in VEGETATION_WITHIN.items()
    ),
)
"""Shares of the ground about a segment or junction, by the index of red and near-infrared light."""
