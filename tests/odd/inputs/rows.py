"""Tables whose rows are not collisions."""

from __future__ import annotations

import numpy as np
import pandas as pd
from forms import RIGHT, Refused, Told, add
from making import points, records

KIND = "rows"
HARM = {"fatal": ["fatal"], "serious": ["serious"], "slight": ["slight"], "none": ["none"]}
PERSON = {"severity": "injury", "n_casualties": None}
BY_TYPE = {
    user: {"column": "person", "values": [user]}
    for user in ("pedestrian", "cyclist", "motorcyclist", "car_occupant")
}
ASKED = Refused(r"collisions\.rows")
UNCOUNTED = ("n_casualties",)


def shuffled(frame: pd.DataFrame) -> pd.DataFrame:
    return frame.sample(frac=1, random_state=1)


def one_a_vehicle(frame: pd.DataFrame) -> pd.DataFrame:
    """Two rows a collision, each with the collision's severity, as tables of vehicles have it."""
    first = frame.assign(vehicle=1)
    return pd.concat([first, frame.assign(vehicle=2)]).sort_values(["id", "vehicle"], kind="stable")


def numbered(frame: pd.DataFrame) -> pd.DataFrame:
    return frame.assign(OBJECTID=np.arange(1, len(frame) + 1))


add(
    KIND,
    "a row a person, with the collision's id",
    records(columns=PERSON, people=True, severity_values=HARM),
    RIGHT,
    ASKED,
    lacks=UNCOUNTED,
)
add(
    KIND,
    "a row a person, and rows: persons",
    records(columns=PERSON, people=True, severity_values=HARM, rows="persons"),
    lacks=UNCOUNTED,
)
add(
    KIND,
    "a row a person, their order lost",
    records(shuffled, PERSON, people=True, severity_values=HARM),
    RIGHT,
    ASKED,
    lacks=UNCOUNTED,
)
add(
    KIND,
    "a row a person, the id is the row's (Toronto's OBJECTID)",
    records(numbered, PERSON | {"id": "OBJECTID"}, people=True, severity_values=HARM),
    RIGHT,
    ASKED,
    Refused(r"columns\.id"),
    lacks=(*UNCOUNTED, "id"),
)
add(
    KIND,
    "a row a person, no id at all",
    records(columns=PERSON | {"id": None}, people=True, severity_values=HARM),
    RIGHT,
    ASKED,
    Refused(r"columns\.id"),
    lacks=(*UNCOUNTED, "id"),
)
add(
    KIND,
    "a row a person, rows: persons and no id",
    records(columns=PERSON | {"id": None}, people=True, severity_values=HARM, rows="persons"),
    RIGHT,
    Refused(r"columns\.id"),
    lacks=(*UNCOUNTED, "id"),
)
add(
    KIND,
    "a row a person who is told by its type",
    records(columns=PERSON | BY_TYPE, people=True, severity_values=HARM),
    RIGHT,
    ASKED,
    lacks=UNCOUNTED,
)
add(
    KIND,
    "a row a person, in a GeoPackage",
    records(
        columns=PERSON | {"x": None, "y": None},
        people=True,
        severity_values=HARM,
        name="people.gpkg",
        write=points("GPKG"),
    ),
    RIGHT,
    ASKED,
    lacks=UNCOUNTED,
)
add(
    KIND,
    "a row a person, 'none' not mapped",
    records(columns=PERSON, people=True),
    RIGHT,
    ASKED,
    Told("none", but=("severity",)),
    Refused("none"),
    lacks=UNCOUNTED,
)
add(
    KIND,
    "a row a person, called collisions",
    records(columns=PERSON, people=True, severity_values=HARM, rows="collisions"),
    RIGHT,
    Told("repeat a row or an id", wrong=("severity",)),
    Refused("id|rows"),
    lacks=UNCOUNTED,
)
add(
    KIND,
    "a row a person, hurt ones alone",
    records(lambda f: f[f["injury"] != "none"], PERSON, people=True),
    RIGHT,
    ASKED,
    lacks=UNCOUNTED,
)
add(
    KIND,
    "a row a person, places rounded otherwise by row",
    records(
        lambda f: f.assign(lon=(f["lon"] + np.arange(len(f)) % 3 * 1e-7).round(7)),
        PERSON,
        people=True,
        severity_values=HARM,
    ),
    RIGHT,
    ASKED,
    Refused("id"),
    lacks=UNCOUNTED,
)
add(
    KIND,
    "a row a person, the place on the first row of each alone",
    records(
        lambda f: f.mask(f["id"].duplicated(), f.assign(lon=np.nan, lat=np.nan)),
        PERSON,
        people=True,
        severity_values=HARM,
    ),
    RIGHT,
    ASKED,
    Refused("id|empty"),
    lacks=UNCOUNTED,
)
add(
    KIND,
    "a row a person, id and date on the first row of each alone (merged cells)",
    records(
        lambda f: f.assign(id=f["id"].mask(f["id"].duplicated()), date=f["date"].mask(f["id"].duplicated())),
        PERSON,
        people=True,
        severity_values=HARM,
    ),
    RIGHT,
    ASKED,
    Told("without an id that can be used", wrong=("collisions", "severity", "day", "year")),
    Refused("id|empty|date"),
    lacks=UNCOUNTED,
)
add(KIND, "a row a vehicle", records(one_a_vehicle), RIGHT, ASKED)
add(KIND, "a row a vehicle, and rows: vehicles", records(one_a_vehicle, rows="vehicles"))
add(
    KIND,
    "a row a vehicle, the id is the row's",
    records(lambda f: numbered(one_a_vehicle(f)), {"id": "OBJECTID"}),
    RIGHT,
    ASKED,
    Refused(r"columns\.id"),
    lacks=("id",),
)
add(
    KIND,
    "a row a vehicle, no id",
    records(one_a_vehicle, {"id": None}),
    RIGHT,
    ASKED,
    Refused(r"columns\.id"),
    lacks=("id",),
)
add(KIND, "a row a collision, with no id", records(columns={"id": None}), lacks=("id",))
add(KIND, "a row a collision, and rows: collisions", records(rows="collisions"))
add(
    KIND,
    "a row a collision, and rows: persons",
    records(rows="persons"),
    RIGHT,
    Refused("rows"),
    Told("rows"),
    lacks=UNCOUNTED,
)
add(
    KIND,
    "the table twice over",
    records(lambda f: pd.concat([f, f])),
    Told("occurs before|duplicate|repeat"),
    Refused("id"),
)
add(
    KIND,
    "every twentieth row twice",
    records(lambda f: pd.concat([f, f.iloc[::20]])),
    Told("occurs before|duplicate|repeat"),
    Refused("id"),
)
add(
    KIND,
    "the table twice over, without ids",
    records(lambda f: pd.concat([f, f]), {"id": None}),
    RIGHT,
    Told("same|alike|twice|repeat", wrong=("collisions",)),
    Refused("id"),
    lacks=("id",),
)
