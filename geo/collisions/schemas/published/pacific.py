"""Tables of collisions that are published in Australia and New Zealand."""

from __future__ import annotations

from geo.collisions.schemas.published.preset import Place, Preset
from geo.collisions.schemas.schemes import Scheme

QUEENSLAND = Preset(
    title="Queensland, road crash locations",
    source="Queensland Government, Open Data Portal, 'Crash data from Queensland roads: road crash locations'",
    names={
        "id": ("Crash_Ref_Number",),
        "year": ("Crash_Year",),
        "month": ("Crash_Month",),
        "severity": ("Crash_Severity",),
        "n_casualties": ("Count_Casualty_Total",),
        "road_name": ("Crash_Street",),
    },
    places=(
        Place(("Crash_Longitude_GDA94",), ("Crash_Latitude_GDA94",), "EPSG:4283"),
        Place(("Crash_Longitude",), ("Crash_Latitude",), "EPSG:4283"),
    ),
    needs=("id", "year", "severity"),
    users={
        "pedestrian": ("Count_Unit_Pedestrian",),
        "cyclist": ("Count_Unit_Bicycle",),
        "motorcyclist": ("Count_Unit_Motorcycle_Moped",),
        "car_occupant": ("Count_Unit_Car",),
    },
    scheme=Scheme(
        {
            "fatal": ["Fatal"],
            "serious": ["Hospitalisation"],
            "slight": ["Medical treatment", "Minor injury"],
        },
        ("Property damage only",),
        (),
        "Queensland Government, road crash locations: Crash_Severity",
    ),
    note="No day is published: the month is all that is known of the date. serious is taken to hospital. Road "
    "users are those that took part. The datum of newer files is taken for GDA94, from which GDA2020 is 1.8 m "
    "away.",
)

NEW_ZEALAND_CAS = Preset(
    title="New Zealand, Crash Analysis System (CAS)",
    source="Waka Kotahi NZ Transport Agency, open data, 'Crash Analysis System (CAS) data'",
    names={
        "id": ("OBJECTID",),
        "year": ("crashYear",),
        "severity": ("crashSeverity",),
        "road_name": ("crashLocation1",),
    },
    places=(Place(("X",), ("Y",), "EPSG:2193", or_degrees=True),),
    needs=("year", "severity"),
    telling=(("seriousInjuryCount",),),
    sums={"n_casualties": ("fatalCount", "seriousInjuryCount", "minorInjuryCount")},
    users={
        "pedestrian": ("pedestrian",),
        "cyclist": ("bicycle",),
        "motorcyclist": ("motorcycle", "moped"),
        "car_occupant": ("carStationWagon",),
    },
    scheme=Scheme(
        {
            "fatal": ["Fatal Crash", "Fatal"],
            "serious": ["Serious Crash", "Serious"],
            "slight": ["Minor Crash", "Minor"],
        },
        ("Non-Injury Crash", "Non-Injury"),
        (),
        "Waka Kotahi, CAS data: crashSeverity",
    ),
    blank_is_none=True,
    note="No date but the year is published. Road users are those that took part; where the table leaves "
    "their count empty, as it does for pedestrians in crashes of vehicles alone, there was none.",
)
