"""Tables of collisions that are published in Canada and the United States."""

from __future__ import annotations

from geo.collisions.schemas.published.preset import DEGREES, OneOf, Place, Preset
from geo.collisions.schemas.schemes import Scheme

_PLACE = (Place(("LONGITUDE",), ("LATITUDE",), DEGREES),)

TORONTO_KSI = Preset(
    title="Toronto, collisions in which someone was killed or seriously injured (KSI)",
    source="Toronto Police Service, Public Safety Data Portal, 'KSI' (ACCNUM); City of Toronto Open Data, "
    "'Motor Vehicle Collisions involving Killed or Seriously Injured Persons' (collision_id)",
    names={
        "id": ("collision_id", "ACCNUM"),
        "date": ("accdate", "DATE"),
        "year": ("YEAR",),
        "severity": ("INJURY",),
        "road_name": ("stname1", "STREET1"),
        "road_class": ("ROAD_CLASS",),
    },
    places=_PLACE,
    needs=("id", "date", "severity"),
    telling=(("ACCLASS", "INVTYPE", "road_user"),),
    users={
        "pedestrian": ("PEDESTRIAN",),
        "cyclist": ("CYCLIST",),
        "motorcyclist": ("motorcyclist", "MOTORCYCLE"),
        "car_occupant": ("AUTOMOBILE",),
    },
    scheme=Scheme(
        {"fatal": ["Fatal"], "serious": ["Major"], "slight": ["Minor", "Minimal"]},
        ("None",),
        (),
        "City of Toronto, data dictionary of the KSI collisions: INJURY",
    ),
    blank_is_none=True,
    time_zone="America/Toronto",
    rows="persons",
    note="A row is a person, hurt or not; collisions in which nobody was killed or seriously injured are not "
    "in the table. Road users are those that took part.",
)

NEW_YORK = Preset(
    title="New York City, Motor Vehicle Collisions - Crashes",
    source="NYC Open Data, 'Motor Vehicle Collisions - Crashes' (h9gi-nx95), its data dictionary",
    names={
        "id": ("COLLISION_ID", "UNIQUE KEY"),
        "date": ("CRASH DATE", "DATE"),
        "road_name": ("ON STREET NAME",),
    },
    places=_PLACE,
    needs=("id", "date", "fatal", "slight"),
    telling=(("NUMBER OF CYCLIST INJURED",),),
    sums={"fatal": ("NUMBER OF PERSONS KILLED",), "slight": ("NUMBER OF PERSONS INJURED",)},
    users={
        "pedestrian": ("NUMBER OF PEDESTRIANS INJURED", "NUMBER OF PEDESTRIANS KILLED"),
        "cyclist": ("NUMBER OF CYCLIST INJURED", "NUMBER OF CYCLIST KILLED"),
    },
    month_first=True,
    note="The table does not tell serious from slight injuries: 'slight' is any injury, and KSI is not known. "
    "Road users are those that were hurt; motorcyclists are counted among the occupants of vehicles, so that "
    "neither is known.",
)

CHICAGO = Preset(
    title="Chicago, Traffic Crashes - Crashes",
    source="City of Chicago Data Portal, 'Traffic Crashes - Crashes' (85ca-t3if), its column descriptions; "
    "injuries as in Illinois' report SR 1050",
    names={
        "id": ("CRASH_RECORD_ID", "RD_NO"),
        "date": ("CRASH_DATE",),
        "severity": ("MOST_SEVERE_INJURY",),
        "n_casualties": ("INJURIES_TOTAL",),
        "road_name": ("STREET_NAME",),
    },
    places=_PLACE,
    needs=("id", "date", "severity"),
    users={
        "pedestrian": OneOf(("FIRST_CRASH_TYPE",), ("PEDESTRIAN",)),
        "cyclist": OneOf(("FIRST_CRASH_TYPE",), ("PEDALCYCLIST",)),
    },
    scheme=Scheme(
        {
            "fatal": ["FATAL"],
            "serious": ["INCAPACITATING INJURY"],
            "slight": ["NONINCAPACITATING INJURY", "REPORTED, NOT EVIDENT"],
        },
        ("NO INDICATION OF INJURY",),
        (),
        "City of Chicago Data Portal: MOST_SEVERE_INJURY",
    ),
    month_first=True,
    note="Road users are told by the first collision of a crash alone (FIRST_CRASH_TYPE).",
)
