"""The layers that say what was found, and how sure it is: tests, value of imagery, models."""

from __future__ import annotations

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
        Column("p_value", "real", "p value"),
        Column("q_value", "real", "q value (false discovery rate, all rows together)"),
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
        Column("n_blocks", "integer", "Blocks (number)"),
        Column("block_m", "real", "Side of a block (m)"),
        Column("penalty", "real", "Penalty (median over folds)"),
        Column("deviance", "real", "Deviance out of sample, per segment"),
        Column("explained", "real", "Share of deviance explained (up to 1)"),
        Column("explained_low", "real", "Share explained, lower limit"),
        Column("explained_high", "real", "Share explained, upper limit"),
        Column("explained_beyond_class", "real", "Share explained beyond road class (up to 1)"),
        Column("explained_beyond_class_low", "real", "Share beyond class, lower limit"),
        Column("explained_beyond_class_high", "real", "Share beyond class, upper limit"),
        Column("reason", "text", "Why there is nothing"),
        Column("outcome", "text", "Outcome"),
    ),
)
_MODELS = Layer(
    "models",
    "Safety performance functions",
    "Model, coefficients, overdispersion, residual checks and convergence behind the expected counts of segments, or "
    "the reason why there is none.",
    None,
    (
        Column("outcome", "text", "Outcome", ("ksi", "collisions")),
        Column("part", "text", "Part", ("model", "coefficient", "check", "note")),
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
FINDINGS = (_TESTS, _VALUE, _MODELS)
