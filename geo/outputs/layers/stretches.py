"""The layer of stretches of road by rank: what a table of worst roads lists."""

from __future__ import annotations

from geo.config import ROAD_USERS, SEVERITIES
from geo.outputs.layers.declare import Column, Layer

_PER = "Collisions it is ranked by, per km and year"
STRETCHES = Layer(
    "stretches",
    "Worst roads",
    "Every road cut into stretches that do not overlap, from street to street, ranked by what is to be expected of "
    "their segments together. Ranks have intervals: most stretches hardly differ from the next. Collisions at "
    "junctions stand beside and are in no rate, for roads that meet share them. A short stretch is rated as if it were "
    "half as long as stretches are to be. Association, not cause.",
    "LineString",
    (
        Column("stretch_id", "text", "Stretch"),
        Column("rank", "integer", "Rank (1 is the worst)"),
        Column("rank_low", "real", "Rank, lower limit"),
        Column("rank_high", "real", "Rank, upper limit"),
        Column("name", "text", "Name"),
        Column("from_street", "text", "From"),
        Column("to_street", "text", "To"),
        Column("part", "integer", "Part of its road (number)"),
        Column("parts", "integer", "Parts of its road (number)"),
        Column("ref", "text", "Number"),
        Column("road_class", "text", "Road class"),
        Column("cluster", "integer", "Type of most of its length", optional=True),
        Column("cluster_share", "real", "Share of its length of that type (0 to 1)", optional=True),
        Column("length_m", "real", "Length (m)"),
        Column("counted_m", "real", "Length outside the reach of junctions, to which rates refer (m)"),
        Column("n_segments", "integer", "Segments (number)"),
        Column("years", "real", "Collision records (years)"),
        Column("n_collisions", "integer", "Collisions"),
        *(
            Column(f"n_{severity}", "integer", f"{severity.capitalize()} collisions")
            for severity in SEVERITIES
        ),
        Column("n_ksi", "integer", "KSI collisions"),
        Column("n_severity_unknown", "integer", "Collisions of unknown severity (number)"),
        *(
            Column(f"n_{user}_collisions", "integer", f"{user.replace('_', ' ').capitalize()} collisions")
            for user in ROAD_USERS
        ),
        Column("n_users_unknown", "integer", "Collisions of unknown road users (number)"),
        Column("n_collisions_at_junctions", "integer", "Collisions at junctions that it touches, in no rate"),
        Column("n_ksi_at_junctions", "integer", "KSI collisions at junctions that it touches, in no rate"),
        Column("rank_of", "text", "Ranks are by the rate of", ("ksi", "collisions")),
        Column("expected_rank", "real", "Rank, mean over what is possible"),
        Column("p_worst_5_percent", "real", "Probability of being among the worst 5 % (0 to 1)"),
        Column("p_worst_20", "real", "Probability of being among the worst 20 (0 to 1)"),
        Column(
            "p_above_predicted",
            "real",
            "Probability that more is to be expected than of those like it (0 to 1)",
        ),
        Column("per_km_year", "real", _PER),
        Column("per_km_year_low", "real", f"{_PER}, lower limit"),
        Column("per_km_year_high", "real", f"{_PER}, upper limit"),
        Column("per_km_year_eb", "real", f"{_PER}, shrunk"),
        Column("per_km_year_eb_low", "real", f"{_PER}, shrunk, lower limit"),
        Column("per_km_year_eb_high", "real", f"{_PER}, shrunk, upper limit"),
        Column("per_km_year_predicted", "real", f"{_PER}, predicted from roads like it"),
    ),
    key="stretch_id",
)
