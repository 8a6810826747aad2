"""What the codes of STATS19 stand for, in columns of collisions that are carried into the layer.

Codes and labels: Department for Transport, 'Road safety open data guide' (2024). Columns that were coded in another way
until 2024 hold both lists, which share no code with two meanings.
"""

from __future__ import annotations

import pandas as pd

from geo.collisions.cells.carried import Codes, stripped
from geo.collisions.schemas.stats19_columns import NAMES, plain, spelled

_MISSING = ("-1", "data missing or out of range")
_SELF = "unknown (self reported)"
_NOT_AT_JUNCTION = "Not at junction or within 20 metres"
_CLASSES = {"1": "Motorway", "2": "A(M)", "3": "A", "4": "B", "5": "C", "6": "Unclassified"}
_ATTENDED = {
    "1": "Yes",
    "2": "No",
    "3": "No - accident was reported using a self completion form (self rep only)",
}
_BASED = {"0": "Based on severity reporting", "1": "Based on Injury code reporting"}
_SEVERITIES = {"1": "Fatal", "2": "Serious", "3": "Slight"}
_JUNCTIONS = {
    "0": _NOT_AT_JUNCTION,
    "1": "Roundabout",
    "2": "Mini-roundabout",
    "3": "T or staggered junction",
    "5": "Slip road",
    "6": "Crossroads",
    "7": "More than 4 arms (not roundabout)",
    "8": "Private drive or entrance",
    "9": "Other junction",
    "13": "T or staggered junction",
    "16": "Crossroads",
    "17": "Junction with more than four arms (not roundabout)",
    "18": "Using private drive or entrance",
    "19": "Other junction",
    "99": _SELF,
}
_HAZARDS = {
    "0": "None",
    "1": "Vehicle load on road",
    "2": "Other object on road",
    "3": "Previous accident",
    "4": "Dog on road",
    "5": "Other animal on road",
    "6": "Pedestrian in carriageway - not injured",
    "7": "Any animal in carriageway (except ridden horse)",
    "9": _SELF,
    "11": "Defective traffic signals",
    "12": "Permanent road signing or markings defective or obscured or inadequate",
    "13": "Roadworks",
    "14": "Oil or diesel",
    "15": "Mud",
    "16": "Dislodged vehicle load in carriageway",
    "17": "Other object in carriageway",
    "18": "Involvement with previous collision",
    "19": "Pedestrian in carriageway - not injured",
    "20": "Any animal in carriageway (except ridden horse)",
    "21": "Poor or defective road surface",
    "99": _SELF,
}
_HUMAN_CONTROL = {
    "0": "None within 50 metres",
    "1": "Control by school crossing patrol",
    "2": "Control by other authorised person",
    "9": _SELF,
}
_FACILITIES = {
    "0": "No physical crossing facilities within 50 metres",
    "1": "Zebra",
    "4": "Pelican, puffin, toucan or similar non-junction pedestrian light crossing",
    "5": "Pedestrian phase at traffic signal junction",
    "7": "Footbridge or subway",
    "8": "Central refuge",
    "9": _SELF,
}
LABELS: dict[str, dict[str, str]] = {
    "day_of_week": dict(
        zip(
            "1234567",
            ("Sunday", "Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday"),
            strict=True,
        )
    ),
    "collision_severity": _SEVERITIES,
    "enhanced_collision_severity": {
        "1": "Fatal",
        "3": "Slight",
        "5": "Very Serious",
        "6": "Moderately Serious",
        "7": "Less Serious",
    },
    "first_road_class": _CLASSES,
    "second_road_class": {"0": _NOT_AT_JUNCTION, **_CLASSES, "9": "Unknown (self rep only)"},
    "road_type": {
        "1": "Roundabout",
        "2": "One way street",
        "3": "Dual carriageway",
        "6": "Single carriageway",
        "7": "Slip road",
        "9": "Unknown",
        "12": "One way street/Slip road",
    },
    "junction_detail": _JUNCTIONS,
    "junction_detail_historic": _JUNCTIONS,
    "junction_control": {
        "0": _NOT_AT_JUNCTION,
        "1": "Authorised person",
        "2": "Auto traffic signal",
        "3": "Stop sign",
        "4": "Give way or uncontrolled",
        "9": _SELF,
    },
    "pedestrian_crossing_human_control": _HUMAN_CONTROL,
    "pedestrian_crossing_human_control_historic": _HUMAN_CONTROL,
    "pedestrian_crossing_physical_facilities": _FACILITIES,
    "pedestrian_crossing_physical_facilities_historic": _FACILITIES,
    "pedestrian_crossing": {
        "0": "No physical crossing facility within 50m",
        "11": "Human crossing control by school crossing patrol",
        "12": "Human crossing control by other authorised person",
        "13": "Zebra crossing",
        "14": "Pedestrian light crossing (pelican or puffin or toucan or similar)",
        "15": "Pedestrian phase at traffic signal",
        "16": "Footbridge or subway",
        "17": "Central refuge - no other controls",
        "99": _SELF,
    },
    "light_conditions": {
        "1": "Daylight",
        "4": "Darkness - lights lit",
        "5": "Darkness - lights unlit",
        "6": "Darkness - no lighting",
        "7": "Darkness - lighting unknown",
    },
    "weather_conditions": {
        "1": "Fine no high winds",
        "2": "Raining no high winds",
        "3": "Snowing no high winds",
        "4": "Fine + high winds",
        "5": "Raining + high winds",
        "6": "Snowing + high winds",
        "7": "Fog or mist",
        "8": "Other",
        "9": "Unknown",
    },
    "road_surface_conditions": {
        "1": "Dry",
        "2": "Wet or damp",
        "3": "Snow",
        "4": "Frost or ice",
        "5": "Flood over 3cm. deep",
        "6": "Oil or diesel",
        "7": "Mud",
        "9": _SELF,
    },
    "special_conditions_at_site": {
        "0": "None",
        "1": "Auto traffic signal - out",
        "2": "Auto signal part defective",
        "3": "Road sign or marking defective or obscured",
        "4": "Roadworks",
        "5": "Road surface defective",
        "6": "Oil or diesel",
        "7": "Mud",
        "9": _SELF,
    },
    "carriageway_hazards": _HAZARDS,
    "carriageway_hazards_historic": _HAZARDS,
    "urban_or_rural_area": {"1": "Urban", "2": "Rural", "3": "Unallocated"},
    "did_police_officer_attend_scene_of_collision": _ATTENDED,
    "trunk_road_flag": {"1": "Trunk (Roads managed by Highways England)", "2": "Non-trunk"},
    "collision_injury_based": _BASED,
}
"""Meaning of each code by column, by its newest name."""
_UNKNOWN = {"speed_limit": ("99", _SELF)}
"""What stands for a number that is not known, beside -1."""
_TIME = r"^0?(\d{1,2}):\d{2}(?::\d{2})?$"
HOUR = "hour"
"""Carried from ``time``, where a table has no such column itself."""


def carried(frame: pd.DataFrame, name: str) -> pd.Series | None:
    """Find a column under any of its names, as `geo.collisions.cells.carried.as_named` does otherwise."""
    column = spelled(frame, *_names(name))
    if column is None:
        time = spelled(frame, "time") if plain(name) == HOUR else None
        return None if time is None else stripped(frame[time]).str.replace(_TIME, r"\1", regex=True)
    return stripped(frame[column])


def codes_of(name: str) -> Codes:
    """Give the codes of a column, under any of its names."""
    known = next((one for one in _names(name) if one in LABELS), "")
    return Codes(LABELS.get(known, {}), (*_MISSING, *_UNKNOWN.get(plain(name), ())))


def _names(name: str) -> list[str]:
    """List the names that a column has had, its own first, as `plain` gives them."""
    own = plain(name)
    groups = [[*map(plain, names)] for names in NAMES.values()]
    others = [one for group in groups if own in group for one in group]
    renamed = [own.replace("accident", "collision"), own.replace("collision", "accident")]
    return [*dict.fromkeys([own, *others, *renamed])]
