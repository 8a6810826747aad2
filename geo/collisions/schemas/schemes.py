"""Published codes of severity, by name (``collisions.severity_scheme``).

A code that a scheme does not list is never guessed: it is accounted for by its value. All values are compared in lower
case.
"""

from __future__ import annotations

from dataclasses import dataclass

from geo.config.sections.records import Severity, SeverityScheme


@dataclass(frozen=True, slots=True)
class Scheme:
    """The codes of one country's records.

    Attributes
    ----------
    codes
        Codes and labels of each severity; an empty list: the records do not tell this one apart.
    no_injury
        Codes of collisions without injury: known, and of no severity.
    not_known
        Codes by which the records say that severity is not known.
    source
        Who published them, and where.
    note
        What a reader of KSI must know.
    """

    codes: dict[Severity, list[str]]
    no_injury: tuple[str, ...]
    not_known: tuple[str, ...]
    source: str
    note: str = ""


SCHEMES: dict[SeverityScheme, Scheme] = {
    "kabco": Scheme(
        {
            "fatal": ["K", "Fatal injury", "Fatal", "Fatal injury (K)"],
            "serious": [
                *("A", "Suspected serious injury", "Incapacitating injury", "Incapacitating"),
                "Suspected serious injury (A)",
            ],
            "slight": [
                *("B", "C", "Suspected minor injury", "Possible injury", "Non-incapacitating injury"),
                *("Non-incapacitating", "Possible", "Suspected minor injury (B)", "Possible injury (C)"),
            ],
        },
        ("O", "No apparent injury", "No injury", "No apparent injury (O)", "PDO", "Property damage only"),
        ("U", "Unknown"),
        "NHTSA and GHSA, Model Minimum Uniform Crash Criteria (MMUCC), element 'Injury Status', editions 3 to 5",
        "B and C together are slight; numbers in place of the letters differ from state to state and are not read.",
    ),
    "german": Scheme(
        {
            "fatal": ["1", "Unfall mit Getöteten"],
            "serious": ["2", "Unfall mit Schwerverletzten"],
            "slight": ["3", "Unfall mit Leichtverletzten"],
        },
        ("4", "5", "6"),
        (),
        "Statistische Ämter des Bundes und der Länder, Unfallatlas: UKATEGORIE 1 to 3; 4 to 6 are damage alone, in "
        "police records that hold them",
        "serious is at least 24 hours in hospital.",
    ),
    "swiss": Scheme(
        {
            "fatal": ["as1", "Accident with fatalities", "Unfall mit Getöteten"],
            "serious": ["as2", "Accident with severe injuries", "Unfall mit Schwerverletzten"],
            "slight": ["as3", "Accident with light injuries", "Unfall mit Leichtverletzten"],
        },
        ("as4", "Accident with property damage", "Unfall mit Sachschaden"),
        (),
        "Bundesamt für Strassen ASTRA, road traffic accident locations: AccidentSeverityCategory, severitycategorycode",
    ),
    "finnish": Scheme(
        {
            "fatal": ["1", "Kuolemaan johtanut"],
            "serious": [],
            "slight": ["2", "Loukkaantumiseen johtanut"],
        },
        (),
        (),
        "Finnish Transport Infrastructure Agency, tieliikenneonnettomuudet: Vakavuusko, Vakavuus",
        "the records do not tell serious from slight injuries: 'slight' is any injury, and KSI is not known.",
    ),
    "irish": Scheme(
        {"fatal": ["Fatal"], "serious": ["Serious"], "slight": ["Minor"]},
        ("Material damage",),
        (),
        "Road Safety Authority (Ireland), fatal, serious and minor injury collisions",
        "labels alone are read: no published list of numeric codes was found.",
    ),
}
