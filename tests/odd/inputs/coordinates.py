"""Coordinates in every form."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pyproj
from forms import RIGHT, Refused, Told, add
from making import Change, records

KIND = "coordinates"
DECIMAL = Refused(r"columns\.decimal")
CRS = Refused("crs")
GRID = {"x": "easting", "y": "northing", "crs": "EPSG:27700"}
LOST = Refused("coordinates|columns")


def both(turn, *, x: str = "lon", y: str = "lat") -> Change:
    """Write both coordinates otherwise, each by itself."""
    return lambda f: f.assign(**{x: [turn(v) for v in f[x]], y: [turn(v) for v in f[y]]})


def degrees(lon: str, lat: str, form) -> Change:
    """Write longitude and latitude with a letter for the hemisphere, or what `form` makes of them."""
    east, west = lon
    north, south = lat
    return lambda f: f.assign(
        lon=[form(abs(v), east if v >= 0 else west) for v in f["lon"]],
        lat=[form(abs(v), north if v >= 0 else south) for v in f["lat"]],
    )


def sexagesimal(value: float, letter: str, *, marks: str = "°'\"", before: bool = False) -> str:
    """Write degrees, minutes and seconds to a thousandth."""
    thousandths = round(value * 3_600_000)
    d, rest = divmod(thousandths, 3_600_000)
    m, s = divmod(rest, 60_000)
    text = f"{d}{marks[0]}{m:02d}{marks[1]}{s / 1000:06.3f}{marks[2:]}"
    return f"{letter}{text}" if before else f"{text}{letter}"


def minutes(value: float, letter: str) -> str:
    d = int(value)
    return f"{d}° {(value - d) * 60:.5f}' {letter}"


def grouped(mark: str, decimal: str):
    return lambda v: f"{v:,.1f}".replace(",", "_").replace(".", decimal).replace("_", mark)


def projected(crs: int) -> Change:
    def change(frame: pd.DataFrame) -> pd.DataFrame:
        move = pyproj.Transformer.from_crs(4326, crs, always_xy=True)
        x, y = move.transform(frame["lon"], frame["lat"])
        return frame.assign(lon=np.round(x, 2), lat=np.round(y, 2))

    return change


add(KIND, "metres of the national grid", records(columns=GRID))
add(
    KIND,
    "degrees with decimal commas, decimal named",
    records(both(lambda v: str(v).replace(".", ",")), {"decimal": ","}),
)
add(
    KIND,
    "degrees with decimal commas, decimal not named",
    records(both(lambda v: str(v).replace(".", ","))),
    RIGHT,
    DECIMAL,
)
add(KIND, "points where decimal says commas", records(columns={"decimal": ","}), RIGHT, DECIMAL)
add(
    KIND,
    "metres with decimal commas, decimal not named",
    records(both(lambda v: str(v).replace(".", ","), x="easting", y="northing"), GRID),
    RIGHT,
    DECIMAL,
)
add(
    KIND,
    "metres with points where decimal says commas",
    records(columns=GRID | {"decimal": ","}),
    RIGHT,
    DECIMAL,
)
add(
    KIND,
    "metres, commas for thousands",
    records(both(grouped(",", "."), x="easting", y="northing"), GRID),
    RIGHT,
    DECIMAL,
    LOST,
)
add(
    KIND,
    "metres, points for thousands and decimal commas, named",
    records(both(grouped(".", ","), x="easting", y="northing"), GRID | {"decimal": ","}),
)
add(
    KIND,
    "metres, points for thousands and decimal commas, not named",
    records(both(grouped(".", ","), x="easting", y="northing"), GRID),
    RIGHT,
    DECIMAL,
)
add(
    KIND,
    "metres, spaces for thousands and decimal commas, named",
    records(both(grouped(" ", ","), x="easting", y="northing"), GRID | {"decimal": ","}),
)
add(
    KIND,
    "metres, no-break spaces for thousands",
    records(both(grouped("\u00a0", "."), x="easting", y="northing"), GRID),
    RIGHT,
    LOST,
)
add(
    KIND,
    "metres, narrow spaces for thousands and decimal commas (French Excel)",
    records(both(grouped("\u202f", ","), x="easting", y="northing"), GRID | {"decimal": ","}),
    RIGHT,
    LOST,
)
add(
    KIND,
    "metres, apostrophes for thousands (Switzerland)",
    records(both(grouped("'", "."), x="easting", y="northing"), GRID),
    RIGHT,
    LOST,
)
add(
    KIND,
    "metres, whole, commas for thousands",
    records(both(lambda v: f"{v:,.0f}", x="easting", y="northing"), GRID),
    RIGHT,
    LOST,
    DECIMAL,
)
add(
    KIND,
    "metres, whole, points for thousands",
    records(both(lambda v: f"{v:,.0f}".replace(",", "."), x="easting", y="northing"), GRID),
    RIGHT,
    LOST,
    DECIMAL,
    CRS,
)
add(
    KIND,
    "metres, whole, points for thousands, decimal commas named",
    records(
        both(lambda v: f"{v:,.0f}".replace(",", "."), x="easting", y="northing"), GRID | {"decimal": ","}
    ),
)
add(
    KIND,
    "half with decimal commas, half with points",
    records(
        lambda f: f.assign(
            **{
                c: np.where(f.index % 2, f[c].astype(str).str.replace(".", ","), f[c].astype(str))
                for c in ("lon", "lat")
            }
        )
    ),
    RIGHT,
    DECIMAL,
    Told("coordinates", but=("collisions",)),
)
add(KIND, "degrees times ten millions", records(both(lambda v: round(v * 1e7))), RIGHT, CRS, LOST)
add(KIND, "degrees with the point lost (Excel)", records(both(lambda v: str(v).replace(".", ""))), CRS, LOST)
add(KIND, "with an exponent", records(both(lambda v: f"{v:.9E}")))
add(KIND, "metres with an exponent", records(both(lambda v: f"{v:.7E}", x="easting", y="northing"), GRID))
add(
    KIND,
    "metres with an exponent of five digits (Excel)",
    records(both(lambda v: f"{v:.4E}", x="easting", y="northing"), GRID),
    RIGHT,
    Told("coarse|round|digits", wrong=("place", "collisions")),
    Refused("coarse|round|digits|E"),
)
add(KIND, "plus signs", records(both(lambda v: f"{v:+}")))
add(KIND, "a minus that is a dash", records(both(lambda v: str(v).replace("-", "−"))), RIGHT, LOST)
add(KIND, "a minus at the end", records(both(lambda v: f"{abs(v)}-" if v < 0 else str(v))), RIGHT, LOST)
add(KIND, "a quote before each (Excel)", records(both(lambda v: f"'{v}")), RIGHT, LOST)
add(KIND, "spaces around", records(both(lambda v: f"  {v} ")))
add(KIND, "degree signs", records(both(lambda v: f"{v}°")), RIGHT, LOST)
add(
    KIND,
    "units after metres",
    records(both(lambda v: f"{v} m", x="easting", y="northing"), GRID),
    RIGHT,
    LOST,
)
add(
    KIND,
    "full-width digits",
    records(both(lambda v: str(v).translate({ord(c): chr(ord(c) - 48 + 0xFF10) for c in "0123456789"}))),
    RIGHT,
    LOST,
    place="japan",
)
add(KIND, "letters after degrees", records(degrees("EW", "NS", lambda v, h: f"{v}{h}")), RIGHT, LOST)
add(KIND, "letters before degrees", records(degrees("EW", "NS", lambda v, h: f"{h} {v}")), RIGHT, LOST)
add(
    KIND,
    "letters after degrees, south and east",
    records(degrees("EW", "NS", lambda v, h: f"{v}° {h}")),
    RIGHT,
    LOST,
    place="australia",
)
add(KIND, "O for Ost", records(degrees("OW", "NS", lambda v, h: f"{v}° {h}")), RIGHT, LOST, place="germany")
add(KIND, "O for Ouest", records(degrees("EO", "NS", lambda v, h: f"{v}° {h}")), RIGHT, LOST)
add(KIND, "degrees, minutes and seconds", records(degrees("EW", "NS", sexagesimal)))
add(KIND, "degrees, minutes and seconds, south", records(degrees("EW", "NS", sexagesimal)), place="australia")
add(
    KIND,
    "degrees, minutes and seconds, the letter first",
    records(degrees("EW", "NS", lambda v, h: sexagesimal(v, h, before=True))),
)
add(
    KIND,
    "degrees, minutes and seconds with primes",
    records(degrees("EW", "NS", lambda v, h: sexagesimal(v, h, marks="°′″"))),
)
add(
    KIND,
    "degrees, minutes and seconds with spaces",
    records(degrees("EW", "NS", lambda v, h: sexagesimal(v, h, marks="   "))),
    RIGHT,
    LOST,
)
add(
    KIND,
    "degrees, minutes and seconds with colons",
    records(degrees("EW", "NS", lambda v, h: sexagesimal(v, h, marks=":: "))),
    RIGHT,
    LOST,
)
add(
    KIND,
    "degrees, minutes and seconds, signs for letters",
    records(degrees(("", "-"), ("", "-"), lambda v, h: sexagesimal(v, h, before=True))),
)
add(
    KIND,
    "degrees, minutes and seconds in Japanese",
    records(
        degrees(
            ("東経", "西経"), ("北緯", "南緯"), lambda v, h: sexagesimal(v, h, marks="度分秒", before=True)
        )
    ),
    RIGHT,
    LOST,
    place="japan",
)
add(KIND, "degrees and minutes", records(degrees("EW", "NS", minutes)))
add(
    KIND,
    "degrees, minutes and seconds as digits alone (National Police Agency)",
    records(
        both(lambda v: f"{int(v)}{int(v % 1 * 60):02d}{round(v * 60 % 1 * 60, 3):06.3f}".replace(".", ""))
    ),
    CRS,
    LOST,
    place="japan",
)
add(KIND, "radians", records(both(np.radians)), Refused("could be placed|coordinates|crs"))

KIND = "places"
add(
    KIND,
    "x and y turned round, degrees",
    records(columns={"x": "lat", "y": "lon"}),
    RIGHT,
    Refused(r"turned|swap|columns\.x"),
)
add(
    KIND,
    "x and y turned round, degrees, Japan",
    records(columns={"x": "lat", "y": "lon"}),
    RIGHT,
    Refused(r"turned|swap|columns\.x"),
    place="japan",
)
add(
    KIND,
    "x and y turned round, metres",
    records(columns={"x": "northing", "y": "easting", "crs": "EPSG:27700"}),
    RIGHT,
    Refused(r"turned|swap|columns\.x"),
)
add(
    KIND,
    "x and y turned round in half of the rows",
    records(
        lambda f: f.assign(
            lon=np.where(f.index % 2, f["lat"], f["lon"]), lat=np.where(f.index % 2, f["lon"], f["lat"])
        )
    ),
    RIGHT,
    Refused(r"turned|swap|columns\.x"),
    Told("outside|turned|swap", but=("collisions",)),
)
add(KIND, "metres where degrees are meant", records(columns={"x": "easting", "y": "northing"}), CRS)
add(KIND, "degrees where metres are meant", records(columns={"crs": "EPSG:27700"}), CRS)
add(KIND, "web Mercator, named", records(projected(3857), {"crs": "EPSG:3857"}))
add(KIND, "web Mercator, not named", records(projected(3857)), CRS)
add(KIND, "web Mercator, called the national grid", records(projected(3857), {"crs": "EPSG:27700"}), CRS)
add(KIND, "the neighbouring UTM zone", records(projected(32631), {"crs": "EPSG:32630"}), CRS)
add(
    KIND,
    "UTM with the zone before the easting",
    records(lambda f: projected(25832)(f).assign(lon=lambda g: 32_000_000 + g["lon"]), {"crs": "EPSG:25832"}),
    RIGHT,
    CRS,
    place="germany",
)
add(
    KIND,
    "UTM with the zone before the easting, by the CRS for that",
    records(lambda f: projected(25832)(f).assign(lon=lambda g: 32_000_000 + g["lon"]), {"crs": "EPSG:4647"}),
    place="germany",
)
add(KIND, "Gauss-Krüger", records(projected(31466), {"crs": "EPSG:31466"}), place="germany")
add(KIND, "Gauss-Krüger, called UTM", records(projected(31466), {"crs": "EPSG:25832"}), CRS, place="germany")
add(KIND, "feet of the State Plane, named", records(projected(2263), {"crs": "EPSG:2263"}), place="usa")
add(
    KIND,
    "feet of the State Plane, called metres",
    records(projected(2263), {"crs": "EPSG:32118"}),
    CRS,
    place="usa",
)
add(KIND, "Lambert II étendu", records(projected(27572), {"crs": "EPSG:27572"}), place="france")
add(
    KIND,
    "Lambert 93, called Lambert II étendu",
    records(columns={"x": "easting", "y": "northing", "crs": "EPSG:27572"}),
    CRS,
    place="france",
)
add(KIND, "Lambert of the ninth zone (CC46)", records(projected(3946), {"crs": "EPSG:3946"}), place="france")
add(
    KIND,
    "Japan's plane, northing called x",
    records(columns={"x": "northing", "y": "easting", "crs": "EPSG:6677"}),
    RIGHT,
    Refused(r"turned|swap|columns\.x"),
    place="japan",
)
add(
    KIND,
    "Japan's plane of the neighbouring zone",
    records(columns={"x": "easting", "y": "northing", "crs": "EPSG:6676"}),
    CRS,
    place="japan",
)
add(
    KIND,
    "the Tokyo datum, 450 m off",
    records(projected(30169), {"crs": "EPSG:6677"}),
    CRS,
    Told("crs|shift|beyond|farther", but=("collisions",), wrong=("place",)),
    place="japan",
)
add(
    KIND,
    "MGA of GDA94 for GDA2020",
    records(projected(7856), {"crs": "EPSG:28356"}),
    Told("crs|shift", wrong=("place",)),
    RIGHT,
    place="australia",
)
add(KIND, "a minus lost, west", records(both(abs)), Refused("sign|west|crs|minus|outside"))
add(
    KIND,
    "a minus lost, south",
    records(both(abs)),
    Refused("sign|south|crs|minus|outside"),
    place="australia",
)
add(
    KIND,
    "a minus lost in half of the rows",
    records(lambda f: f.assign(lon=np.where(f.index % 2, -f["lon"], f["lon"]))),
    RIGHT,
    Refused("sign|west|minus|outside"),
    Told("outside", but=("collisions", "period", "years")),
)
add(KIND, "of another town", records(both(lambda v: v + 1)), Refused("could be placed|outside|far"))
add(
    KIND,
    "kilometres",
    records(both(lambda v: v / 1000, x="easting", y="northing"), GRID),
    CRS,
    Refused("could be placed"),
)
add(
    KIND,
    "grid references with letters (SP)",
    records(
        lambda f: f.assign(
            grid=[
                f"SP {x - 400_000:05.0f} {y - 200_000:05.0f}"
                for x, y in zip(f["easting"], f["northing"], strict=True)
            ]
        ),
        {"x": "grid", "y": "northing", "crs": "EPSG:27700"},
    ),
    LOST,
)
add(
    KIND,
    "the last five digits of the grid",
    records(both(lambda v: v % 100_000, x="easting", y="northing"), GRID),
    CRS,
    Refused("could be placed"),
)
add(KIND, "a CRS that is none", records(columns={"crs": "EPSG:99999"}), Refused(r"columns\.crs"))
add(KIND, "a CRS by its number alone", records(columns=GRID | {"crs": 27700}))
add(
    KIND,
    "a CRS by its name",
    records(columns=GRID | {"crs": "OSGB36 / British National Grid"}),
    RIGHT,
    Refused(r"columns\.crs"),
)
add(KIND, "a CRS as a URN", records(columns=GRID | {"crs": "urn:ogc:def:crs:EPSG::27700"}))
add(KIND, "a CRS in small letters", records(columns=GRID | {"crs": "epsg:27700"}))
add(KIND, "the CRS that the OGC has for degrees", records(columns={"crs": "OGC:CRS84"}))
add(
    KIND,
    "degrees rounded to three digits",
    records(both(lambda v: round(v, 3))),
    Told("round|coarse|digits|decimals", wrong=("place", "collisions")),
    Refused("round|coarse|digits"),
)
add(
    KIND,
    "degrees rounded to two digits",
    records(both(lambda v: round(v, 2))),
    Told("round|coarse|digits|decimals", wrong=("place", "collisions")),
    Refused("round|coarse|could be placed"),
)
add(
    KIND,
    "metres rounded to hundreds (six-figure grid references)",
    records(both(lambda v: round(v, -2), x="easting", y="northing"), GRID),
    Told("round|coarse|digits", wrong=("place", "collisions")),
    Refused("round|coarse"),
)
add(KIND, "metres rounded to whole ones", records(both(round, x="easting", y="northing"), GRID))
add(
    KIND,
    "all at one place (the town's hall)",
    records(lambda f: f.assign(lon=f["lon"].iloc[0], lat=f["lat"].iloc[0])),
    Told("one place|same place", wrong=("place",)),
    Refused("one place|same place"),
)
add(
    KIND,
    "a third at one place (the police station)",
    records(
        lambda f: f.assign(
            lon=f["lon"].mask(f.index % 3 == 0, f["lon"][0]), lat=f["lat"].mask(f.index % 3 == 0, f["lat"][0])
        )
    ),
    Told("one place|same place|at one", wrong=("place",)),
    Refused("one place|same place"),
)
