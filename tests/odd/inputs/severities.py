"""Severities and road users in words that no mapping knows."""

from __future__ import annotations

import numpy as np
import pandas as pd
from forms import RIGHT, Refused, Told, add
from making import Change, cells, records

KIND = "severities"


def called(fatal: str, serious: str, slight: str) -> Change:
    return cells("severity", lambda s: s.map({"fatal": fatal, "serious": serious, "slight": slight}))


def of(fatal: object, serious: object, slight: object, **more: object) -> dict[str, object]:
    return {"fatal": [fatal], "serious": [serious], "slight": [slight]} | more


def some(value: str, *, every: int) -> Change:
    return lambda f: f.assign(severity=f["severity"].where(np.arange(len(f)) % every != 0, value))


add(
    KIND,
    "misspelt in severity_values",
    records(severity_values=of("fatal", "serios", "slight")),
    Told("'serious'", but=("severity",), lost=("severities",)),
    Refused("serious"),
)
add(
    KIND,
    "of another label set throughout",
    records(called("K", "A", "B")),
    Told("'A'", but=("severity",), lost=("severities",)),
    Refused("'A'|severity_values"),
)
add(
    KIND,
    "one value not listed",
    records(severity_values={"fatal": ["fatal"], "serious": ["serious"]}),
    Told("'slight'", but=("severity",), lost=("severities",)),
    Refused("slight"),
)
add(
    KIND,
    "one severity left out of the mapping on purpose",
    records(severity_values={"fatal": ["fatal"], "serious": ["serious"], "slight": []}),
    Told("'slight'", but=("severity", "severities")),
    Refused("slight"),
)
add(
    KIND,
    "a tenth empty",
    records(some("", every=10)),
    Told("none recorded|empty", but=("severity",), lost=("severities",)),
)
add(
    KIND,
    "a tenth 'unknown'",
    records(some("unknown", every=10)),
    Told("unknown", but=("severity",), lost=("severities",)),
    Refused("unknown"),
)
add(KIND, "one in fifty misspelt", records(some("Sligth", every=50)), Told("Sligth", but=("severity",)))
add(KIND, "capitals and spaces", records(called("FATAL ", " Serious", "SLIGHT")))
add(
    KIND,
    "no-break spaces",
    records(called("fatal\u00a0", "\u00a0serious", "slight\u00a0")),
    RIGHT,
    Told("serious", but=("severity",), lost=("severities",)),
    Refused("serious"),
)
add(
    KIND,
    "accents in two pieces",
    records(
        called("de\u0301ce\u0300s", "blesse\u0301", "le\u0301ger"),
        severity_values=of("décès", "blessé", "léger"),
    ),
    RIGHT,
    Told("not mapped", but=("severity",), lost=("severities",)),
    Refused("severity"),
)
add(
    KIND,
    "full-width numbers",
    records(called("１", "２", "３"), severity_values=of("1", "2", "3")),
    RIGHT,
    Told("not mapped", but=("severity",), lost=("severities",)),
    Refused("severity"),
)
add(KIND, "numbers with .0", records(called("1.0", "2.0", "3.0"), severity_values=of("1", "2", "3")))
add(
    KIND,
    "numbers with leading zeros",
    records(called("01", "02", "03"), severity_values=of("1", "2", "3")),
    RIGHT,
    Told("not mapped", but=("severity",), lost=("severities",)),
    Refused("severity"),
)
add(
    KIND,
    "code and label in one",
    records(called("1 - Fatal", "2 - Serious", "3 - Slight")),
    RIGHT,
    Told("1 - Fatal", but=("severity",), lost=("severities",)),
    Refused("1 - Fatal|severity_values"),
)
add(
    KIND,
    "Japanese labels",
    records(called("死亡", "重傷", "軽傷"), severity_values=of("死亡", "重傷", "軽傷")),
    place="japan",
)
add(
    KIND,
    "ß and SS",
    records(called("tödlich", "groß", "klein"), severity_values=of("TÖDLICH", "GROSS", "klein")),
)
add(KIND, "the German scheme", records(called("1", "2", "3"), severity_values=None, severity_scheme="german"))
add(
    KIND,
    "the German scheme on codes that rise with harm",
    records(called("3", "2", "1"), severity_values=None, severity_scheme="german"),
    Refused("german|fatal"),
    Told("german|fatal.*%", wrong=("severity",)),
)
add(KIND, "KABCO", records(called("K", "A", "C"), severity_values=None, severity_scheme="kabco"))
add(
    KIND,
    "KABCO, numbers",
    records(called("4", "3", "1"), severity_values=None, severity_scheme="kabco"),
    Told("'[134]'", but=("severity",), lost=("severities",)),
    Refused("kabco|'[134]'"),
)
add(
    KIND,
    "KABCO spelled out with the letter before",
    records(
        called("K - Fatal injury", "A - Suspected serious injury", "C - Possible injury"),
        severity_values=None,
        severity_scheme="kabco",
    ),
    RIGHT,
    Told("Fatal injury", but=("severity",), lost=("severities",)),
    Refused("Fatal injury|kabco"),
)
add(
    KIND,
    "the Swiss scheme",
    records(called("as1", "as2", "as3"), severity_values=None, severity_scheme="swiss"),
)
add(
    KIND,
    "the Swiss scheme on German codes",
    records(called("1", "2", "3"), severity_values=None, severity_scheme="swiss"),
    Told("'[123]'", but=("severity",), lost=("severities",)),
    Refused("swiss|'[123]'"),
)
add(
    KIND,
    "the Finnish scheme on three severities",
    records(called("1", "2", "3"), severity_values=None, severity_scheme="finnish"),
    Told("'3'", wrong=("severity",), lost=("severities",)),
    Refused("finnish|'3'"),
)
add(
    KIND,
    "counts of killed and hurt",
    records(
        lambda f: f.assign(**{s: (f["severity"] == s) * 1 for s in ("fatal", "serious", "slight")}),
        {"severity": None, "fatal": "fatal", "serious": "serious", "slight": "slight"},
        severity_values=None,
    ),
)
add(
    KIND,
    "counts of killed and hurt, empty for none",
    records(
        lambda f: f.assign(
            **{s: np.where(f["severity"] == s, "1", "") for s in ("fatal", "serious", "slight")}
        ),
        {"severity": None, "fatal": "fatal", "serious": "serious", "slight": "slight"},
        severity_values=None,
    ),
    RIGHT,
    Told("fatal|empty|none recorded", but=("severity",), lost=("severities",)),
    Refused("fatal"),
)
add(
    KIND,
    "counts, the name of one column misspelt",
    records(
        lambda f: f.assign(**{s: (f["severity"] == s) * 1 for s in ("fatal", "serious", "slight")}),
        {"severity": None, "fatal": "fatal", "serious": "serius", "slight": "slight"},
        severity_values=None,
    ),
    Refused("serius"),
)
add(
    KIND,
    "no injury as a value",
    records(some("none", every=10), severity_values=of("fatal", "serious", "slight", none=["none"])),
    Told("no injury", but=("severity",)),
)
add(
    KIND,
    "the column of severity holds something else",
    records(columns={"severity": "road_name"}),
    Refused("severity"),
    Told("High Street", but=("severity",), lost=("severities",)),
)
add(
    KIND,
    "the mapping turned round",
    records(severity_values=of("slight", "serious", "fatal")),
    Refused("fatal"),
    Told("fatal.*%|% .*fatal", wrong=("severity",)),
)
add(KIND, "a scheme and values", records(severity_scheme="german"), Refused("not both"))
add(
    KIND,
    "values that stand twice",
    records(severity_values=of("fatal", "serious", "fatal")),
    Refused("twice"),
)
add(
    KIND,
    "booleans: killed or hurt",
    records(
        lambda f: f.assign(severity=np.where(f["severity"] == "fatal", "True", "False")),
        severity_values={"fatal": ["true"], "serious": [], "slight": ["false"]},
    ),
    lacks=("severity", "severities"),
)

USERS = ("pedestrian", "cyclist", "motorcyclist", "car_occupant")


def users(yes: str, no: str) -> Change:
    return lambda f: f.assign(**{user: np.where(f[user] == 1, yes, no) for user in USERS})


UNTOLD = (*USERS, "users")
KIND = "road users"
add(KIND, "Yes and No", records(users("Yes", "No")))
add(KIND, "Y and N", records(users("Y", "N")))
add(KIND, "J and N", records(users("J", "N")))
add(KIND, "Ja and Nein", records(users("Ja", "Nein")))
add(KIND, "True and False", records(users("True", "False")))
add(KIND, "1.0 and 0.0", records(users("1.0", "0.0")))
add(
    KIND,
    "Oui and Non",
    records(users("Oui", "Non")),
    RIGHT,
    Told("Oui|cannot be read", but=UNTOLD),
    Refused("Oui"),
)
add(KIND, "Sí and No", records(users("Sí", "No")), RIGHT, Told("cannot be read", but=UNTOLD), Refused("Sí"))
add(
    KIND,
    "Kyllä and Ei",
    records(users("Kyllä", "Ei")),
    RIGHT,
    Told("cannot be read", but=UNTOLD),
    Refused("Kyllä"),
)
add(KIND, "X and empty", records(users("X", "")), RIGHT, Told("cannot be read", but=UNTOLD), Refused("'X'"))
add(
    KIND,
    "X and empty, empty_is_none",
    records(users("X", ""), {"empty_is_none": True}),
    RIGHT,
    Told("cannot be read", but=UNTOLD),
    Refused("'X'"),
)
add(
    KIND,
    "Yes and empty (Toronto)",
    records(users("Yes", "")),
    RIGHT,
    Told("empty|not known|unknown", but=UNTOLD),
    Refused("empty_is_none"),
)
add(KIND, "Yes and empty, empty_is_none", records(users("Yes", ""), {"empty_is_none": True}))
add(
    KIND,
    "Yes and a dash",
    records(users("Yes", "-")),
    RIGHT,
    Told("cannot be read", but=UNTOLD),
    Refused("'-'"),
)
add(KIND, "○ and ×", records(users("○", "×")), RIGHT, Told("cannot be read", but=UNTOLD), Refused("○"))
add(KIND, "✓ and ✗", records(users("✓", "✗")), RIGHT, Told("cannot be read", but=UNTOLD), Refused("✓"))
add(
    KIND,
    "counts with a comma",
    records(users("1,0", "0,0")),
    RIGHT,
    Told("cannot be read", but=UNTOLD),
    Refused("1,0"),
)
add(
    KIND,
    "2 for yes, 1 for no",
    records(users("2", "1")),
    Told("every|all|no row", wrong=UNTOLD),
    Refused("every|all"),
)
add(
    KIND,
    "2 for no, 1 for yes (NASS)",
    records(users("1", "2")),
    Told("every|all", wrong=UNTOLD),
    Refused("every|all"),
)
add(
    KIND,
    "-1 for yes, 0 for no (Access)",
    records(users("-1", "0")),
    RIGHT,
    Told("-1|cannot be read", but=UNTOLD),
    Refused("-1"),
)
add(
    KIND,
    "other labels: involved",
    records(users("involved", "not involved")),
    Told("involved|cannot be read", but=UNTOLD),
    Refused("involved"),
)
add(
    KIND,
    "one in fifty 'maybe'",
    records(lambda f: f.assign(cyclist=f["cyclist"].astype(str).where(f.index % 50 != 0, "maybe"))),
    Told("cannot be read|maybe", but=("cyclist",)),
)


def category(frame: pd.DataFrame) -> pd.DataFrame:
    """One column that says who was hurt, the most vulnerable first."""
    first = np.select(
        [frame[user] == 1 for user in USERS], ["Pedestrian", "Bicycle", "Motorcycle", "Car"], ""
    )
    return frame.assign(who=first)


def one(user: str, values: list[str]) -> dict[str, object]:
    return {**dict.fromkeys(USERS), user: {"column": "who", "values": values}}


OTHERS = tuple(user for user in USERS if user != "pedestrian")
add(
    KIND, "a category's value", records(category, one("pedestrian", ["Pedestrian"])), lacks=(*OTHERS, "users")
)
add(
    KIND,
    "a category's value, by another case",
    records(category, one("pedestrian", ["PEDESTRIAN"])),
    lacks=(*OTHERS, "users"),
)
add(
    KIND,
    "a category's value that no row has",
    records(category, one("pedestrian", ["Fußgänger"])),
    Refused("Fußgänger"),
    Told("Fußgänger", but=UNTOLD),
    lacks=(*OTHERS, "users"),
)
add(
    KIND,
    "a category's value, one of two misspelt",
    records(category, one("pedestrian", ["Pedestrian", "Pedestrain (child)"])),
    Told("Pedestrain"),
    Refused("Pedestrain"),
    lacks=(*OTHERS, "users"),
)
add(
    KIND,
    "a category's column as a flag",
    records(category, {**dict.fromkeys(USERS), "pedestrian": "who"}),
    Told("cannot be read", but=UNTOLD),
    Refused("Pedestrian|values"),
    lacks=(*OTHERS, "users"),
)
