"""Tables whose rows are not collisions."""

from __future__ import annotations

import numpy as np
import pandas as pd
from forms import RIGHT, Refused, Told, add
from making import records

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
    "a row a person, hurt ones alone",
    records(lambda f: f[f["injury"] != "none"], PERSON, people=True),
    RIGHT,
    ASKED,
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
