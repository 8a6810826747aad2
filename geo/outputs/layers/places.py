"""Rates and their intervals as columns, and the tables of kinds of places."""

from __future__ import annotations

from geo.outputs.layers.declare import Column, Layer

SEVERITY_UNKNOWN = "Collisions of unknown severity, in no count of KSI (number)"
TRAFFIC_SOURCES = ("measured", "inherited", "column")


def rates(what: str, per: str, label: str) -> tuple[Column, ...]:
    """Declare a rate and its interval."""
    name = f"{what}_per_{per}"
    title = {"ksi": "KSI", "collisions": "Collisions"}[what] + f" per {label}"
    return Column(name, "real", title, optional=True), *limits(name, title)


def limits(name: str, title: str) -> tuple[Column, ...]:
    """Declare an interval."""
    return tuple(
        Column(f"{name}_{end}", "real", f"{title}, {said} limit", optional=True)
        for end, said in (("low", "lower"), ("high", "upper"))
    )


def of_people(user: str, verb: str, done: str) -> tuple[Column, ...]:
    """Declare how many people walk or cycle along a segment, and collisions with them per kilometre of it."""
    name, title = f"{user}_collisions_per_million_km", f"Collisions with a {user} per million km {done}"
    return (
        Column(
            f"{user}s_per_day", "real", f"People who {verb} there (per day, yearly average)", optional=True
        ),
        Column(
            f"{user}s_source",
            "text",
            f"{user.capitalize()}s: where the figure is from",
            TRAFFIC_SOURCES,
            optional=True,
        ),
        Column(
            f"million_{user}_km", "real", f"Kilometres {done} over the records' time (million)", optional=True
        ),
        Column(name, "real", title, optional=True),
        *limits(name, title),
    )


JUNCTION_TYPES = Layer(
    "junction_types",
    "Junctions by type",
    "Collisions at junctions by form and arms, per junction and year. Signals are not known.",
    None,
    (
        Column("junction_type", "text", "Type of junction"),
        Column("form", "text", "Form"),
        Column("arms", "text", "Arms"),
        Column("n", "integer", "Junctions (number)"),
        Column("junction_years", "real", "Junctions x years of records"),
        Column("n_collisions", "integer", "Collisions"),
        Column("n_ksi", "integer", "KSI collisions"),
        *rates("collisions", "junction_year", "junction and year"),
        *rates("ksi", "junction_year", "junction and year"),
        Column("n_severity_unknown", "integer", SEVERITY_UNKNOWN, optional=True),
    ),
)
PLACES = Layer(
    "places",
    "At junctions and between them",
    "Collisions between junctions (per km and year), at junctions (per junction and year), and together.",
    None,
    (
        Column("place", "text", "Place"),
        Column("n_places", "integer", "Segments, junctions (number)"),
        Column("length_km", "real", "Length (km)"),
        Column("km_years", "real", "Length x years of records (km x years)"),
        Column("junction_years", "real", "Junctions x years of records"),
        *(
            Column(name, "integer", alias)
            for name, alias in (
                ("n_collisions", "Collisions"),
                ("n_fatal", "Fatal collisions"),
                ("n_serious", "Serious collisions"),
                ("n_slight", "Slight collisions"),
                ("n_ksi", "KSI collisions"),
            )
        ),
        Column("share_of_collisions", "real", "Share of collisions (0 to 1)"),
        Column("share_of_ksi", "real", "Share of KSI collisions (0 to 1)"),
        *rates("collisions", "km_year", "km and year"),
        *rates("ksi", "km_year", "km and year"),
        *rates("collisions", "junction_year", "junction and year"),
        *rates("ksi", "junction_year", "junction and year"),
        Column("n_severity_unknown", "integer", SEVERITY_UNKNOWN, optional=True),
    ),
)
