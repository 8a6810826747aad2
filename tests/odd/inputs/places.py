"""Places that are none, or that stand in one cell."""

from __future__ import annotations

import shapely
from forms import RIGHT, Make, Refused, Told, add
from making import Change, records

from inputs.coordinates import LOST


def one_cell(form: str, columns: dict[str, object] | None = None) -> Make:
    """Write both into one cell."""
    where = {"x": None, "y": None, "point": "place"} if columns is None else columns
    return records(
        lambda f: f.assign(
            place=[form.format(x=x, y=y) for x, y in zip(f["lon"], f["lat"], strict=True)]
        ).drop(columns=["lon", "lat"]),
        where,
    )


def missing(x: object, y: object, *, every: int = 10) -> Change:
    return lambda f: f.assign(
        lon=f["lon"].astype(object).mask(f.index % every == 0, x),
        lat=f["lat"].astype(object).mask(f.index % every == 0, y),
    )


KIND = "missing places"

NONE = Told("no coordinates|outside|coordinates", but=("collisions", "period", "years"))

for name, (x, y) in {
    "0 and 0": (0, 0),
    "0.0 and 0.0 as text": ("0.0000", "0.0000"),
    "-1 and -1": (-1, -1),
    "999.9999 and 99.9999 (FARS)": (999.9999, 99.9999),
    "777.7777 and 77.7777 (FARS)": (777.7777, 77.7777),
    "NULL": ("NULL", "NULL"),
    "nan": ("nan", "nan"),
    "#N/A": ("#N/A", "#N/A"),
    "inf": ("inf", "inf"),
    "empty": ("", ""),
    "a question mark": ("?", "?"),
    "longitude alone": (-1.82, ""),
    "9999999": (9999999, 9999999),
}.items():
    add(KIND, name, records(missing(x, y)), NONE)

add(KIND, "all empty", records(lambda f: f.assign(lon="", lat="")), LOST)

add(
    KIND,
    "two thirds empty",
    records(lambda f: f.assign(lon=f["lon"].where(f.index % 3 == 0), lat=f["lat"].where(f.index % 3 == 0))),
    Told("coordinates", but=("collisions", "period", "years", "severities", "users")),
    Refused("coordinates"),
)

KIND = "places in one cell"

add(KIND, "WKT", one_cell("POINT ({x} {y})"))

add(KIND, "WKT without a space", one_cell("POINT({x} {y})"))

add(KIND, "WKT in small letters", one_cell("point ({x} {y})"))

add(KIND, "WKT with a height", one_cell("POINT Z ({x} {y} 0)"))

add(KIND, "WKT of PostGIS with its SRID", one_cell("SRID=4326;POINT({x} {y})"))

add(
    KIND,
    "WKT of PostGIS with another SRID",
    one_cell("SRID=27700;POINT({x} {y})"),
    Refused("SRID|crs"),
    Told("SRID", but=("collisions",)),
)

add(KIND, "latitude and longitude with a comma", one_cell("{y},{x}"), RIGHT, Refused("point|coordinates"))

add(
    KIND,
    "latitude and longitude in brackets (Socrata)",
    one_cell("({y}, {x})"),
    RIGHT,
    Refused("point|coordinates"),
)

add(
    KIND,
    "latitude and longitude in square brackets",
    one_cell("[{y}, {x}]"),
    RIGHT,
    Refused("point|coordinates"),
)

add(KIND, "longitude and latitude with a comma", one_cell("{x}, {y}"), RIGHT, Refused("point|coordinates"))

add(KIND, "longitude and latitude with a space", one_cell("{x} {y}"), RIGHT, Refused("point|coordinates"))

add(KIND, "latitude and longitude with a semicolon", one_cell("{y};{x}"), RIGHT, Refused("point|coordinates"))

add(
    KIND,
    "an address before them (Socrata)",
    one_cell("12 High Street\nSmalltown\n({y}, {x})"),
    RIGHT,
    Refused("point|coordinates"),
)

add(
    KIND,
    "GeoJSON's geometry",
    one_cell('{{"type": "Point", "coordinates": [{x}, {y}]}}'),
    RIGHT,
    Refused("point|coordinates"),
)

add(KIND, "latitude and longitude named", one_cell("lat: {y}, lon: {x}"), RIGHT, Refused("point|coordinates"))

add(
    KIND,
    "WKB in hexadecimals",
    records(
        lambda f: f.assign(
            place=[
                shapely.to_wkb(shapely.Point(x, y), hex=True) for x, y in zip(f["lon"], f["lat"], strict=True)
            ]
        ),
        {"x": None, "y": None, "point": "place"},
    ),
    RIGHT,
    Refused("point|coordinates"),
)

add(
    KIND,
    "both x and y by one column",
    one_cell("({y}, {x})", {"x": "place", "y": "place"}),
    RIGHT,
    Refused(r"columns\.(point|x)"),
)

add(
    KIND,
    "WKT, x and y and point all named",
    records(
        lambda f: f.assign(place=[f"POINT ({x} {y})" for x, y in zip(f["lon"], f["lat"], strict=True)]),
        {"point": "place"},
    ),
    RIGHT,
    Refused("point"),
)

add(KIND, "WKT of lines", one_cell("LINESTRING ({x} {y}, 0 0)"), Refused("point|coordinates"))

add(KIND, "places in another table's words", one_cell("Smalltown, High Street"), Refused("point|coordinates"))
