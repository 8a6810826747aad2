"""The layers and tables that hold what is found: tests, models, and where collisions gather."""

from __future__ import annotations

from dataclasses import replace

from geo.outputs.layers.declare import Column, Layer

_TESTS = Layer(
    "tests",
    "Tests of road types",
    "Whether roads of one type have more or fewer collisions than comparable roads: one row a type, outcome and "
    "comparison. Association, not cause.",
    None,
    (
        Column("cluster", "integer", "Type"),
        Column("outcome", "text", "Outcome (column of segments)"),
        Column("comparison", "text", "Compared with"),
        Column("n", "integer", "Segments compared (number)"),
        Column("length_km", "real", "Length compared (km)"),
        Column("share_compared", "real", "Share of the type's length that is compared (0 to 1)"),
        Column("observed", "integer", "Observed (number)"),
        Column("expected", "real", "Expected from the comparable roads (number)"),
        Column("ratio", "real", "Rate ratio"),
        Column("low", "real", "Rate ratio, lower limit"),
        Column("high", "real", "Rate ratio, upper limit"),
        Column("p_value", "real", "p value of the ratio as counted, by moving the map of types"),
        Column("q_value", "real", "q value of the adjusted ratio (false discovery rate, a gate a type)"),
        Column("ratio_adjusted", "real", "Rate ratio, adjusted"),
        Column("ratio_adjusted_low", "real", "Rate ratio, adjusted, lower limit"),
        Column("ratio_adjusted_high", "real", "Rate ratio, adjusted, upper limit"),
        Column("adjusted_for", "text", "Adjusted for"),
        Column("ratio_first", "real", "Rate ratio, first years"),
        Column("ratio_last", "real", "Rate ratio, last years"),
        Column("observed_last", "integer", "Observed, last years (number)"),
        Column("expected_last", "real", "Expected for the last years from the first (number)"),
        Column("held_out", "real", "Ratio of the last years over that of the first"),
        Column("held_out_low", "real", "Last over first, lower limit"),
        Column("held_out_high", "real", "Last over first, upper limit"),
        Column("held_out_result", "text", "Held-out check"),
        Column("method", "text", "Method"),
        Column("permutations", "integer", "Permutations (number)"),
        Column("blocks", "integer", "Blocks (number)"),
        Column("block_m", "real", "Side of a block (m)"),
        Column("overdispersion", "real", "Variance of risk of single segments (relative, squared)"),
        Column("shared_variance", "real", "Variance of risk shared by neighbours (relative, squared)"),
        Column("shared_range_m", "real", "Range of shared risk (m)"),
        Column("reason", "text", "Why a value is empty"),
        Column("p_value_adjusted", "real", "p value of the adjusted ratio", optional=True),
        Column("reason_adjusted", "text", "Why the adjusted ratio is empty", optional=True),
        Column("ratio_pooled", "real", "Rate ratio, adjusted, mean over other groupings", optional=True),
        Column("ratio_pooled_low", "real", "Lower limit that allows for other groupings", optional=True),
        Column("ratio_pooled_high", "real", "Upper limit that allows for other groupings", optional=True),
        Column(
            "share_from_grouping",
            "real",
            "Share of the ratio's variance that comes from the grouping (0 to 1)",
            optional=True,
        ),
        Column("groupings", "integer", "Other groupings (number)", optional=True),
        Column("reason_pooled", "text", "Why limits over other groupings are empty", optional=True),
    ),
)
_AT_JUNCTIONS = {
    "outcome": "Outcome (column of junctions)",
    "n": "Junctions compared (number)",
    "share_compared": "Share of the type's junctions that is compared (0 to 1)",
    "expected": "Expected from the comparable junctions (number)",
    "overdispersion": "Variance of risk of single junctions (relative, squared)",
}
"""What columns of the tests of roads are called in those of junctions, where that differs."""
JUNCTION_TESTS = Layer(
    "junction_tests",
    "Tests of types of junction",
    "Whether junctions of one look have more or fewer collisions, per junction and year, than comparable junctions: "
    "one row a type, outcome and comparison. Association, not cause.",
    None,
    tuple(
        replace(column, alias=_AT_JUNCTIONS.get(column.name, column.alias))
        for column in _TESTS.columns
        if column.name != "length_km"
    ),
)
_VALUE = Layer(
    "value_of_imagery",
    "What imagery adds",
    "How well models predict collisions of parts of the city that they have not seen, with and without the picture.",
    None,
    (
        Column("model", "text", "Model knows"),
        Column("n_segments", "integer", "Segments (number)"),
        Column("n_events", "integer", "Collisions (number)"),
        Column("n_blocks", "integer", "Blocks (number, of the grid with fewest)"),
        Column("block_m", "real", "Side of a block (m)"),
        Column("penalty", "real", "Penalty (median over folds and grids)"),
        Column("deviance", "real", "Deviance out of sample, per segment"),
        Column("explained", "real", "Share of deviance explained (up to 1)"),
        Column("explained_low", "real", "Share explained, lower limit"),
        Column("explained_high", "real", "Share explained, upper limit"),
        Column("explained_beyond_class", "real", "Share explained beyond road class (up to 1)"),
        Column("explained_beyond_class_low", "real", "Share beyond class, lower limit"),
        Column("explained_beyond_class_high", "real", "Share beyond class, upper limit"),
        Column("reason", "text", "Why there is nothing"),
        Column("outcome", "text", "Outcome"),
        Column("n_grids", "integer", "Grids of blocks, shifted and dealt anew (number)", optional=True),
        Column("grid_spread", "real", "Share beyond class, standard deviation over grids", optional=True),
    ),
)
_MODELS = Layer(
    "models",
    "Safety performance functions",
    "Model, coefficients, overdispersion, residual checks and convergence behind the expected counts of segments and "
    "of junctions, or the reason why there is none.",
    None,
    (
        Column(
            "outcome", "text", "Outcome", ("ksi", "collisions", "ksi at junctions", "collisions at junctions")
        ),
        Column(
            "part",
            "text",
            "Part",
            ("model", "coefficient", "exponent", "check", "ranks", "year", "calibration", "note"),
        ),
        Column("name", "text", "Name"),
        Column("value", "real", "Value (coefficients: logarithm of a ratio of rates)"),
        Column("standard_error", "real", "Standard error"),
        Column("low", "real", "Lower limit (of a check: of its aim)"),
        Column("high", "real", "Upper limit (of a check: of its aim)"),
        Column("p_value", "real", "p value (Wald; takes segments as independent)"),
        Column("passed", "boolean", "Passed (yes or no)"),
        Column("says", "text", "In words"),
    ),
)
_SENSITIVITY = Layer(
    "sensitivity",
    "What stands if choices were made otherwise",
    "Each finding of this run in runs of which one choice was made otherwise: one row a finding and variant; empty "
    "where 'roadprint sensitivity' has not been run.",
    None,
    (
        Column("finding", "integer", "Finding"),
        Column("kind", "text", "About", ("type", "other types", "imagery", "concentration", "worst roads")),
        Column("says", "text", "Finding, in words"),
        Column("cluster", "integer", "Type"),
        Column("outcome", "text", "Outcome (column of segments)"),
        Column("comparison", "text", "Compared with"),
        Column("base_estimate", "real", "Ratio or share in this run"),
        Column("base_low", "real", "Ratio or share in this run, lower limit"),
        Column("base_high", "real", "Ratio or share in this run, upper limit"),
        Column("base_q_value", "real", "q value in this run (of concentration: p)"),
        Column("changed", "text", "What was chosen otherwise"),
        Column("setting", "text", "How"),
        Column(
            "state",
            "text",
            "How the finding fares",
            ("stands", "direction kept", "gone", "reversed", "new", "not known"),
        ),
        Column("reason", "text", "Why, where it is not the figures"),
        Column("cluster_there", "integer", "Type there that has most of its road"),
        Column("overlap", "real", "Share of road that both types have (0 to 1)"),
        Column("estimate", "real", "Ratio or share there"),
        Column("low", "real", "Ratio or share there, lower limit"),
        Column("high", "real", "Ratio or share there, upper limit"),
        Column("q_value", "real", "q value there (of concentration: p)"),
    ),
)
FINDINGS = (_TESTS, _VALUE, _MODELS, _SENSITIVITY)
GI_STAR = (
    Column("gi_star_neighbours", "integer", "Gi*: neighbours along the network (number)", optional=True),
    Column("gi_star_z", "real", "Gi* (standard deviations)", optional=True),
    Column("gi_star_p_value", "real", "Gi*: p value", optional=True),
    Column("gi_star_q_value", "real", "Gi*: q value (false discovery rate)", optional=True),
    Column("gi_star_spot", "text", "Hot or cold spot (Gi*)", ("hot", "cold", "none"), optional=True),
    Column("gi_star_reason", "text", "Gi*: why there is none", optional=True),
)
_WINDOWS = Layer(
    "windows",
    "High-injury windows",
    "Windows that slide along roads, scored by collisions weighted by severity. They overlap: their counts do not add "
    "up to the city's; counts are not whole where collisions at junctions are shared out over the arms.",
    "LineString",
    (
        Column("window_id", "text", "Window"),
        Column("route_id", "text", "Route"),
        Column("name", "text", "Name"),
        Column("ref", "text", "Number"),
        Column("road_class", "text", "Road class"),
        Column("from_m", "real", "From, along the route (m)"),
        Column("to_m", "real", "To, along the route (m)"),
        Column("length_m", "real", "Length (m)"),
        Column("short_route", "boolean", "Route is shorter than a window (yes or no)"),
        Column("n_collisions", "real", "Collisions (number)"),
        Column("n_fatal", "real", "Fatal collisions (number)"),
        Column("n_serious", "real", "Serious collisions (number)"),
        Column("n_slight", "real", "Slight collisions (number)"),
        Column("n_ksi", "real", "KSI collisions (number)"),
        Column("score_per_km", "real", "Score (weighted collisions per km)"),
        Column("rank", "integer", "Rank (1 is the worst)"),
        Column("in_high_injury_network", "boolean", "In the high-injury network (yes or no)"),
        Column("n_severity_unknown", "real", "Collisions of unknown severity (number)", optional=True),
    ),
    key="window_id",
)
_HIGH_INJURY = Layer(
    "high_injury",
    "Concentration of collisions",
    "How few of the roads carry how much of the harm, with what chance and a fresh look would give: the chosen roads "
    "look worse than they are (regression to the mean), so read the value beside both.",
    None,
    (
        Column("measure", "text", "Measure"),
        Column("share", "real", "Share asked for (0 to 1)"),
        Column("value", "real", "Share found (0 to 1)"),
        Column("low", "real", "Share found, lower limit"),
        Column("high", "real", "Share found, upper limit"),
        Column("chance", "real", "By chance, mean (0 to 1)"),
        Column("chance_low", "real", "By chance, lower limit"),
        Column("chance_high", "real", "By chance, upper limit"),
        Column("p_value", "real", "p value (chance is as concentrated)"),
        Column("held_out", "real", "Chosen by one half of collisions, measured by the other (0 to 1)"),
        Column("n", "integer", "Collisions of the outcome (number)"),
        Column("method", "text", "Method"),
        Column("reason", "text", "Why a value is empty"),
        Column("held_out_chance", "real", "Held out, by chance (0 to 1)", optional=True),
        Column("held_out_chance_low", "real", "Held out, by chance, lower limit", optional=True),
        Column("held_out_chance_high", "real", "Held out, by chance, upper limit", optional=True),
        Column("held_out_p_value", "real", "Held out, p value (chance is as concentrated)", optional=True),
    ),
)
_LIXELS = Layer(
    "lixels",
    "Density of collisions",
    "Kernel density of collisions along the network, not in the plane, on short pieces of road.",
    "LineString",
    (
        Column("segment_id", "text", "Segment"),
        Column("from_m", "real", "From, along the segment (m)"),
        Column("to_m", "real", "To, along the segment (m)"),
        Column("kernel_collisions_per_km", "real", "Collisions per km, smoothed"),
        Column("kernel_collisions_per_km_year", "real", "Collisions per km and year, smoothed"),
        Column("bandwidth_m", "real", "Bandwidth (m)"),
    ),
)


def _rate(prefix: str, whose: str) -> tuple[Column, ...]:
    """Declare what is known of one segment of a pair."""
    return (
        Column(f"{prefix}length_m", "real", f"{whose}: length (m)"),
        Column(f"{prefix}n", "integer", f"{whose}: collisions of the outcome (number)"),
        *(
            Column(f"{prefix}per_km_year{end}", "real", f"{whose}: per km and year{said}")
            for end, said in (
                ("", ""),
                ("_low", ", lower limit"),
                ("_high", ", upper limit"),
                ("_eb", ", shrunk"),
                ("_eb_low", ", shrunk, lower limit"),
                ("_eb_high", ", shrunk, upper limit"),
            )
        ),
    )


_LOOK_ALIKES = Layer(
    "look_alikes",
    "Look-alikes of the worst segments",
    "For each of the worst segments those of its class that look most like it and have few collisions; and those that "
    "look like the worst and have no record yet. Only pairs that are more alike than nine in ten random pairs of their "
    "class: a segment may have fewer look-alikes than asked for, or none. The worst will look better next time, "
    "changed or not.",
    None,
    (
        Column("kind", "text", "Kind"),
        Column("outcome", "text", "Outcome", ("ksi", "collisions")),
        Column("rank", "integer", "Rank within the kind"),
        Column("segment_id", "text", "Segment"),
        Column("similar_segment_id", "text", "Looks like it"),
        Column("place", "integer", "Place (1 is the most alike)"),
        Column("distance", "real", "Distance of looks (1 - cosine)"),
        Column("nearer_than", "real", "Share of its class that is less like it (0 to 1)"),
        Column("metres_apart", "real", "Apart on the ground (m)"),
        *_rate("", "Segment"),
        *_rate("similar_", "Look-alike"),
        Column("difference", "real", "Difference of rates, as recorded (per km and year)"),
        Column("difference_eb", "real", "Difference of rates, shrunk (per km and year)"),
        Column("expected_to_vanish", "real", "Share of the difference expected to vanish by itself"),
        Column("remark", "text", "Remark"),
        Column(
            "alike_than_pairs",
            "real",
            "Share of random pairs of its class less alike (0 to 1)",
            optional=True,
        ),
    ),
)
GATHERING_MAPS, GATHERING_TABLES = (_WINDOWS, _LIXELS), (_HIGH_INJURY, _LOOK_ALIKES)
WORD_TESTS = Layer(
    "word_tests",
    "Words learned from a map",
    "How well each word of the city's map is told by what tiles look like, on blocks of the city that it was not "
    "learned from. Roads can be asked by those that are better than chance.",
    None,
    (
        Column("word", "text", "Word"),
        Column("tag", "text", "Tag or column, and its value"),
        Column("source", "text", "Where it is from", ("map", "roads")),
        Column("tiles", "integer", "Tiles of which it is known (number)"),
        Column("with_it", "integer", "Tiles that have it (number)"),
        Column("blocks", "integer", "Blocks of the city, left out by fifths (number)"),
        Column("average_precision", "real", "Average precision on blocks left out (0 to 1)"),
        Column("low", "real", "Its 95 % interval over blocks, lower limit"),
        Column("high", "real", "Its 95 % interval over blocks, upper limit"),
        Column("prevalence", "real", "Average precision of a random order (0 to 1)"),
        Column("p_value", "real", "p, of no more than chance"),
        Column("q_value", "real", "q, for all words at once (Benjamini and Hochberg)"),
        Column("offered", "boolean", "Roads can be asked by it (yes or no)"),
        Column("reason", "text", "Why not"),
    ),
    optional=True,
)
