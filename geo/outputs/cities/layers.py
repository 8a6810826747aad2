"""The layers of the GeoPackage that shows several cities beside each other."""

from __future__ import annotations

from geo.outputs.layers.declare import Column, Layer

_CITY, _TYPE = Column("city", "text", "City"), Column("cluster", "integer", "Type")
_RATES = tuple(
    Column(f"{name}_per_km_year{end}", "real", f"{title} per km and year{said}")
    for name, title in (("collisions", "Collisions"), ("ksi", "KSI"))
    for end, said in (
        ("", ""),
        ("_low", ", lower limit (of the count alone)"),
        ("_high", ", upper limit (of the count alone)"),
    )
)
SEGMENTS = Layer(
    "segments",
    "Roads by type",
    "Road segments of several cities, by the types of one typology.",
    "LineString",
    (
        _CITY,
        Column("segment_id", "text", "Segment"),
        Column("name", "text", "Road name"),
        Column("road_class", "text", "Road class"),
        Column("length_m", "real", "Length (m)"),
        _TYPE,
        Column("cluster_probability", "real", "How surely of this type (0 to 1)"),
        Column("untyped", "text", "Why it has no type"),
        Column("n_collisions", "integer", "Collisions"),
        Column("n_ksi", "integer", "KSI collisions"),
        Column("years", "real", "Collision records (years)"),
    ),
)
CITIES = Layer(
    "cities",
    "Cities",
    "The cities, and how much of each has a type.",
    None,
    (
        _CITY,
        Column("run", "text", "Run"),
        Column("n_segments", "integer", "Segments"),
        Column("length_km", "real", "Length (km)"),
        Column("typed_km", "real", "With a type (km)"),
        Column("like_none_km", "real", "With imagery, and like none of the types (km)"),
        Column("unseen_km", "real", "Without imagery (km)"),
        Column("km_years", "real", "Length outside the reach of junctions x years (km x years)"),
        Column("n_collisions", "integer", "Collisions between junctions"),
        Column("n_ksi", "integer", "KSI collisions between junctions"),
    ),
)
TYPES = Layer(
    "types_by_city",
    "Types by city",
    "How much of each type each city has, and its rates there. Association, not cause.",
    None,
    (
        _TYPE,
        Column("name", "text", "Name"),
        Column("colour", "text", "Colour (#RRGGBB)"),
        _CITY,
        Column("n_segments", "integer", "Segments"),
        Column("length_km", "real", "Length (km)"),
        Column("share", "real", "Share of the length that has a type (0 to 1)"),
        Column("km_years", "real", "Length outside the reach of junctions x years (km x years)"),
        Column("n_collisions", "integer", "Collisions between junctions"),
        Column("n_ksi", "integer", "KSI collisions between junctions"),
        *_RATES,
        Column("rate_ratio", "real", "Rate ratio to other roads in the same part of the same town"),
        Column("low", "real", "Rate ratio, lower limit"),
        Column("high", "real", "Rate ratio, upper limit"),
        Column("q_value", "real", "q value, in its own city"),
        Column("outcome", "text", "Rate ratio is of"),
    ),
)
TOGETHER = Layer(
    "types_together",
    "Types, all cities together",
    "What the cities say together of each type, by a random-effects model. Association, not cause.",
    None,
    (
        _TYPE,
        Column("name", "text", "Name"),
        Column("measure", "text", "Measure (rates: per km and year)"),
        Column("n_cities", "integer", "Cities"),
        Column("mean", "real", "Mean over cities"),
        Column("low", "real", "Mean, lower limit"),
        Column("high", "real", "Mean, upper limit"),
        Column("predicted_low", "real", "A city that was not there, lower limit"),
        Column("predicted_high", "real", "A city that was not there, upper limit"),
        Column("tau", "real", "Deviation between cities (of the logarithm)"),
        Column("i2", "real", "Share of what differs that is not chance (0 to 1)"),
    ),
)
LAYERS = (SEGMENTS, CITIES, TYPES, TOGETHER)
