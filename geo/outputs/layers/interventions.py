"""The layers of before and after: a row a treatment, and a row a kind of treatment; only where a city names any."""

from __future__ import annotations

from geo.outputs.layers.declare import Column, Layer

_LIMITS = (("", ""), ("_low", ", lower limit"), ("_high", ", upper limit"))
_BESIDE = (
    ("naive", "After over before, nothing else allowed for"),
    ("comparison", "Index by the course of untreated places of the same class"),
    ("look_alike", "Index by the course of untreated segments that look alike"),
)


def _of(outcome: str, noun: str) -> tuple[Column, ...]:
    """Declare what is said of one outcome at a site."""
    return (
        Column(f"n_{outcome}_before", "integer", f"{noun} before (number)"),
        Column(f"n_{outcome}_after", "integer", f"{noun} after (number)"),
        Column(f"{outcome}_expected", "real", f"{noun} expected after without the treatment (EB, number)"),
        Column(f"{outcome}_expected_se", "real", f"{noun} expected, standard error (number)"),
        *(
            Column(f"{outcome}_index{end}", "real", f"{noun}: index of effectiveness (1: no change){said}")
            for end, said in _LIMITS
        ),
        Column(f"{outcome}_q_value", "real", f"{noun}: q of the index (false discovery rate over sites)"),
        *(
            Column(f"{outcome}_{name}{end}", "real", f"{noun}: {alias[0].lower()}{alias[1:]}{said}")
            for name, alias in _BESIDE
            for end, said in _LIMITS
        ),
        Column(
            f"{outcome}_regression_to_mean",
            "real",
            f"{noun}: expected before over counted before (what the choice of the site alone would pretend)",
        ),
    )


_SITES = Layer(
    "interventions",
    "Treatments, before and after",
    "What was changed, a row each, with collisions before and after and how many would have been expected without it "
    "(empirical Bayes). Observational estimates. A row that could not be studied says why.",
    "Point",
    (
        Column("treatment_id", "text", "Treatment"),
        Column("kind", "text", "Kind of treatment"),
        Column("start", "text", "First day of works"),
        Column("end", "text", "Last day of works"),
        Column("reason", "text", "Why it is not studied"),
        Column("n_segments", "integer", "Segments treated (number)"),
        Column("segment_ids", "text", "Segments treated"),
        Column("n_junctions", "integer", "Junctions treated (number)"),
        Column("junction_ids", "text", "Junctions treated"),
        Column("years_before", "real", "Records before (years)"),
        Column("years_after", "real", "Records after (years)"),
        *_of("collisions", "Collisions"),
        *_of("ksi", "KSI collisions"),
        Column("n_look_alikes", "integer", "Untreated segments that look alike (number)"),
    ),
    located=False,
    optional=True,
)
_BY_KIND = Layer(
    "interventions_by_kind",
    "Effects of treatments by kind",
    "Collisions after treatments over those expected without them: a row a kind of treatment and outcome, and all "
    "kinds together. Observational estimates.",
    None,
    (
        Column("kind", "text", "Kind of treatment"),
        Column("outcome", "text", "Outcome"),
        Column("n_sites", "integer", "Treatments studied (number)"),
        Column("n_before", "integer", "Before (number)"),
        Column("n_after", "integer", "After (number)"),
        Column("expected_before", "real", "Expected before (EB, number)"),
        Column("expected", "real", "Expected after without the treatment (EB, number)"),
        Column("expected_se", "real", "Expected after, standard error (number)"),
        Column("index", "real", "Index of effectiveness (1: no change)"),
        Column("index_se", "real", "Index, standard error"),
        Column("index_low", "real", "Index, lower limit"),
        Column("index_high", "real", "Index, upper limit"),
        Column("p_value", "real", "p value of an index of 1"),
        Column("q_value", "real", "q value (false discovery rate over kinds and outcomes)"),
        *(
            Column(f"{name}{end}", "real", f"{alias}{said}")
            for name, alias in _BESIDE
            for end, said in _LIMITS
        ),
        Column("n_look_alikes", "integer", "Untreated segments that look alike (number)"),
        Column("regression_to_mean", "real", "Expected before over counted before (regression to the mean)"),
        Column("trend", "real", "Course of untreated places, after over before"),
        Column("naive_less_index", "real", "After over before less the index"),
        Column("method", "text", "Method behind the prediction"),
        Column("reason", "text", "Why a value is empty"),
        Column("says", "text", "In words"),
    ),
    optional=True,
)
INTERVENTIONS = (_SITES, _BY_KIND)
