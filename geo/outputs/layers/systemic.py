"""The tables of the systemic analysis, and its columns of segments."""

from __future__ import annotations

from geo.outputs.layers.declare import Column, Layer

_PLACES = ("between junctions", "at junctions")
SCREENED = (
    Column("n_risk_factors", "integer", "Risk factors that it has (number)", optional=True),
    Column("risk_factors", "text", "Risk factors that it has", optional=True),
    Column("systemic_ratio", "real", "Rate ratio to roads without these factors", optional=True),
    Column(
        "systemic_ratio_low", "real", "Rate ratio to roads without these factors, lower limit", optional=True
    ),
    Column(
        "systemic_ratio_high", "real", "Rate ratio to roads without these factors, upper limit", optional=True
    ),
    Column("systemic_rank", "integer", "Rank by its risk factors (1 is the worst)", optional=True),
    Column("focus_recorded", "boolean", "Has a collision of the focus type (yes or no)", optional=True),
)
"""Columns of sites: what they carry of the factors that stand."""
_FOCUS = Layer(
    "systemic_focus",
    "Focus collisions",
    "Which road users, kinds of place and roads hold most collisions of the gravest kind that is known. Road users "
    "overlap: their shares do not add up to 1.",
    None,
    (
        Column("place", "text", "Place", _PLACES),
        Column("road_user", "text", "Road user"),
        Column("facility", "text", "Road class, or type of junction"),
        Column("n_collisions", "integer", "Collisions"),
        Column("n_fatal", "integer", "Fatal collisions"),
        Column("n_serious", "integer", "Serious collisions"),
        Column("n_slight", "integer", "Slight collisions"),
        Column("n_ksi", "integer", "KSI collisions"),
        Column("outcome", "text", "Shares are of", ("ksi", "collisions")),
        Column("n", "integer", "Collisions of the outcome (number)"),
        Column("of", "integer", "Collisions of the outcome in the city that tell of the road user (number)"),
        Column("share", "real", "Share of the outcome (0 to 1)"),
        Column("share_low", "real", "Share of the outcome, lower limit"),
        Column("share_high", "real", "Share of the outcome, upper limit"),
        Column("share_of_network", "real", "Share of the length, or of the junctions (0 to 1)"),
        Column("focus", "boolean", "Focus of the analysis (yes or no)"),
    ),
)
_FACTORS = Layer(
    "systemic_factors",
    "Risk factors",
    "Whether sites with one level of a factor have more or fewer collisions than others in the same part of town, and "
    "where else the level is found. Association, not cause.",
    None,
    (
        Column("place", "text", "Place", _PLACES),
        Column("factor", "text", "Factor"),
        Column("level", "text", "Level"),
        Column("outcome", "text", "Outcome (column of segments or junctions)"),
        Column("screened_by", "boolean", "Sites are screened by this outcome (yes or no)"),
        Column("comparison", "text", "Compared with"),
        Column("n", "integer", "Sites with the level (number)"),
        Column("observed", "integer", "Observed (number)"),
        Column("ratio", "real", "Rate ratio in the same part of town"),
        Column("low", "real", "Rate ratio, lower limit"),
        Column("high", "real", "Rate ratio, upper limit"),
        Column("p_value", "real", "p value"),
        Column("q_value", "real", "q value (false discovery rate, a gate a factor)"),
        Column("stands", "boolean", "Stands: q of 0.05 or less (yes or no)"),
        Column("n_unrecorded", "integer", "Sites with the level and no such collision (number)"),
        Column("km_unrecorded", "real", "Length of sites with the level and no such collision (km)"),
        Column("worst_unrecorded", "text", "The worst of them by prediction (ids)"),
        Column("reason", "text", "Why a value is empty"),
    ),
)
_HELD_OUT = Layer(
    "systemic_held_out",
    "Risk factors in later years",
    "Later collisions on sites without an earlier one: those with a factor that stands by the first years alone, "
    "against the others.",
    None,
    (
        Column("place", "text", "Place", _PLACES),
        Column("outcome", "text", "Outcome (column of segments or junctions)"),
        Column("years_first", "real", "First part of the records (years)"),
        Column("years_last", "real", "Last part of the records (years)"),
        Column("factors", "text", "Factors that stand by the first years"),
        Column("n_screened", "integer", "Sites with one, without an earlier collision (number)"),
        Column("km_screened", "real", "Length of sites with one (km)"),
        Column("n_others", "integer", "Sites with none, without an earlier collision (number)"),
        Column("km_others", "real", "Length of sites with none (km)"),
        Column("observed", "integer", "Later collisions on sites with a factor (number)"),
        Column("observed_others", "integer", "Later collisions on the others (number)"),
        Column("expected", "real", "Expected on sites with a factor at the rate of both together (number)"),
        Column("ratio", "real", "Rate ratio in the same part of town"),
        Column("low", "real", "Rate ratio, lower limit"),
        Column("high", "real", "Rate ratio, upper limit"),
        Column("p_value", "real", "p value"),
        Column("reason", "text", "Why a value is empty"),
    ),
)
SYSTEMIC = (_FOCUS, _FACTORS, _HELD_OUT)
