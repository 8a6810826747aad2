"""Which column tells how badly people were hurt, and what its values mean: words are read, bare numbers are weighed."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import pandas as pd

from geo.collisions.cells.severities import ENOUGH, PLAUSIBLE
from geo.collisions.cells.text import text
from geo.collisions.schemas.schemes import SCHEMES
from geo.starting.guess import Guess, Option, listed
from geo.starting.records.names import matching

COLUMNS = (
    *(r"severit|severidad|gravite|gravidade|schwere|vakav|ernst", r"kabco", r"^ukategorie$|unfallkategorie"),
    *(
        r"^grav$",
        r"^harm$|^injury$|injury_(type|class|level|sev)|inj_sev|most_severe",
        r"^outcome$|^class(ification)?$",
    ),
)
"""What columns with severities are called, the surest first."""
COUNTS = {
    "fatal": (r"(killed|fatal|dead|death|tues|tote|getotet|muert|fallecid|kuollu)",),
    "serious": (r"(serious|severe|major|incapacit|schwer|grave|hospital|vakavasti)(?!.*(non|minor))",),
    "slight": (
        r"(slight|minor|light|leicht|leger|leve|nonfatal|non_fatal|injured|injur|hurt|verletz|loukk)",
    ),
}
"""What columns with numbers of people hurt are called."""
_NUMBERED = (
    r"(^n_|^nb_|num|no_of|number|count|total|persons|people|casualt|injuries|deaths|fatalities|anzahl|_inj)"
)
_WORDS = (
    (
        "none",
        (
            r"no (?:apparent |indication of )?injur|non.?injur|uninjur|unhurt|not injured|\bnone\b|\bpdo\b|indemne|"
            r"no casualt|^(?!.*(?:fatal|injur|hurt|killed|verletz)).*(?:damage|sachschaden|property|omaisuus)"
        ),
    ),
    (
        "unknown",
        r"unknown|not reported|not known|\bn/?a\b|unbekannt|inconnu|desconoc|unspecified|missing|undetermined",
    ),
    (
        "injury",
        r"non.?fatal|^injur(?:y|ed|ies)?(?: only)?$|injury (?:crash|collision|accident)|personal injury",
    ),
    (
        "slight",
        (
            r"slight|minor|minimal|\blight(?:ly)?\b|leicht|l[eé]ger|\bleve\b|possible|complaint|non.?incapacitat|"
            r"not evident|lievi|moderate|first aid"
        ),
    ),
    ("serious", r"serious|severe|\bgrave|major|incapacitat|schwer|hospital|grievous"),
    (
        "fatal",
        r"fatal|killed|death|\bdead\b|\bdied\b|\bmort|\btu[eé]s?\b|t[oö]dlich|get[oö]tet|kuolem|muert|fallecid|decedut",
    ),
    ("injury", r"injur|hurt|verletz|bless[eé]|herid|ferit|loukkaant"),
)
"""Words of severities, those first that hold others within them."""
_MOST_VALUES = 15
_LETTERS = {"k", "a", "b", "c", "o", "u", "n"}
_KNOWN_CODES = {
    "ukategorie": ("german", "UKATEGORIE of Germany's Unfallatlas: 1 killed, 2 seriously, 3 slightly hurt"),
    "vakavuusko": ("finnish", "Vakavuusko of Finland's national records: 1 death, 2 injury"),
}


@dataclass(frozen=True, slots=True)
class Severity:
    """What tells severity.

    Attributes
    ----------
    guesses
        Keys of the section ``collisions``.
    used
        Columns that are read for it.
    rank
        How sure it is: 3 words or known codes, 2 numbers of people, 1 numbers that were weighed, 0 nothing.
    """

    guesses: tuple[Guess, ...]
    used: tuple[str, ...] = ()
    rank: int = 0


def guess_severity(frame: pd.DataFrame, columns: Sequence[str]) -> Severity:
    """Find the column, or columns, that tell severity best.

    Parameters
    ----------
    frame
        Cells as text.
    columns
        Those that may be meant.
    """
    found = [of_column(frame[column], column) for column in matching(columns, COLUMNS)]
    found.append(_of_counts(frame, columns))
    best = max(found, key=lambda one: one.rank)
    if best.rank:
        return best
    by_words = next((one for column in columns if (one := _told_by_words(frame[column], column)).rank), None)
    if by_words is not None:
        return by_words
    doubtful = [one for one in found if one.guesses]
    if doubtful:
        return doubtful[0]
    why = (
        "No column with severities was found: collisions are counted, those killed or seriously hurt are not known.",
    )
    return Severity((Guess("collisions.columns.severity", "severity", why, left_out=True),))


def of_column(values: pd.Series, column: str) -> Severity:
    """Guess what the values of a column mean.

    Parameters
    ----------
    values
        Cells as text.
    column
        Its name.
    """
    cells = text(values)
    counts = cells.value_counts()
    empty = int(cells.isna().sum())
    if counts.empty or len(counts) > _MOST_VALUES:
        return Severity(())
    name = Guess("collisions.columns.severity", column, (_told(counts, empty),))
    plain = [str(value).casefold() for value in counts.index]
    known = _KNOWN_CODES.get(column.casefold())
    if known is not None:
        return Severity(
            (name, Guess("collisions.severity_scheme", known[0], (known[1] + ".",))), (column,), 3
        )
    if {*plain} <= _LETTERS and len({*plain} & {"k", "a", "b", "c"}) >= 2:
        why = (f"The letters of the United States' scale: {SCHEMES['kabco'].source}.",)
        return Severity((name, Guess("collisions.severity_scheme", "kabco", why)), (column,), 3)
    if {*plain} <= {"as1", "as2", "as3", "as4"}:
        why = (f"{SCHEMES['swiss'].source}.",)
        return Severity((name, Guess("collisions.severity_scheme", "swiss", why)), (column,), 3)
    if all(re.fullmatch(r"\d{1,2}", value) for value in plain):
        return _of_codes(name, counts, empty)
    return _of_words(name, counts, empty)


def _told_by_words(values: pd.Series, column: str) -> Severity:
    """Tell severity by words alone, whatever the column is called: some were killed, and others hurt."""
    cells = text(values)
    meant = {meaning(str(value)) for value in cells.dropna().unique()[: _MOST_VALUES + 1]}
    if "fatal" not in meant or not meant & {"serious", "slight", "injury"}:
        return Severity(())
    return of_column(values, column)


def _told(counts: pd.Series, empty: int) -> str:
    told = listed([f"{value!s} {count:,}" for value, count in counts.items()], most=_MOST_VALUES)
    return f"Its values: {told}" + (f"; empty {empty:,}." if empty else ".")


def meaning(word: str) -> str | None:
    """Tell what a word means: fatal, serious, slight, ``injury`` of any kind, none, unknown; None: it is not known.

    Examples
    --------
    >>> [meaning(word) for word in ("Fatal injury", "Non-fatal injury", "Property damage only (none injured)", "x")]
    ['fatal', 'injury', 'none', None]
    """
    plain = word.casefold()
    return next((what for what, pattern in _WORDS if re.search(pattern, plain)), None)


def _of_words(name: Guess, counts: pd.Series, empty: int) -> Severity:
    """Guess by the words of the values."""
    meant = {str(value): meaning(str(value)) for value in counts.index}
    if not {"fatal", "serious", "slight", "injury"} & {*meant.values()}:
        return Severity(())
    listing: dict[str, list[str]] = {"fatal": [], "serious": [], "slight": []}
    for value, what in meant.items():
        if what in {"fatal", "serious", "slight", "none"}:
            listing.setdefault(str(what), []).append(value)
        elif what == "injury":
            listing["slight"].append(value)
    injuries = [value for value, what in meant.items() if what == "injury"]
    open_ = [value for value, what in meant.items() if what is None]
    told_apart = bool(listing["serious"])
    why = ["Read from the words."]
    doubts = []
    if injuries and not told_apart:
        why.append("They do not tell serious from slight: 'slight' is any injury, and KSI is not known.")
    elif injuries:
        doubts.append(f"How badly does {listed(map(repr, injuries))} mean that people were hurt?")
    if open_:
        doubts.append(f"What does {listed(map(repr, open_))} mean? It is left as not known.")
    if empty:
        why.append("An empty cell is not known; where it means that nobody was hurt, add '' to none.")
    mapping = Guess("collisions.severity_values", listing, tuple(why), " ".join(doubts))
    return Severity((name, mapping), (name.value,), 3)  # type: ignore[arg-type]


def _of_codes(name: Guess, counts: pd.Series, empty: int) -> Severity:
    """Weigh what numbers may mean: nothing in the file says it, and of people hurt few are killed."""
    order = sorted(map(str, counts.index), key=int)
    number = {str(value): int(count) for value, count in counts.items()}
    readings = [
        (reading, how)
        for reading, how in _readings(order)
        if _is_plausible(
            [sum(number[code] for code in reading[key]) for key in ("fatal", "serious", "slight")]
        )
    ]
    column = str(name.value)
    question = (
        f"What do the numbers of {column} mean ({', '.join(f'{code}: {number[code]:,}' for code in order)})?"
    )
    why = ["Nothing in the file says what its numbers mean."]
    if empty:
        why.append(
            f"{empty:,} empty cells are not known; where they mean that nobody was hurt, add none: ['']."
        )
    if len(readings) != 1:
        options = tuple(Option(reading, how) for reading, how in _readings(order))
        why.append("How often each is there does not tell it either: severity is not read until you say.")
        values = Guess(
            "collisions.severity_values",
            options[0].value if options else {},
            tuple(why),
            question,
            options,
            left_out=True,
        )
        return Severity((Guess(name.key, name.value, name.why, left_out=True), values), (column,), 0)
    reading, how = readings[0]
    why.append(
        f"Taken for {how}: of collisions with injuries few are fatal, and fewer are serious than slight."
    )
    if not reading["serious"]:
        why.append("Serious is then not told from slight: 'slight' is any injury, and KSI is not known.")
    others = tuple(Option(other, says) for other, says in _readings(order) if other != reading)
    return Severity(
        (name, Guess("collisions.severity_values", reading, tuple(why), question, others)), (column,), 1
    )


def _readings(order: Sequence[str]) -> list[tuple[dict[str, list[str]], str]]:
    """List what numbers may mean, by how many there are."""
    if len(order) == 2:
        low, high = order
        return [
            ({"fatal": [low], "serious": [], "slight": [high]}, f"{low} fatal, {high} any injury"),
            ({"fatal": [high], "serious": [], "slight": [low]}, f"{high} fatal, {low} any injury"),
            ({"fatal": [], "serious": [low], "slight": [high]}, f"{low} serious, {high} slight"),
        ]
    if len(order) == 3:
        one, two, three = order
        return [
            (
                {"fatal": [one], "serious": [two], "slight": [three]},
                f"{one} fatal, {two} serious, {three} slight",
            ),
            (
                {"fatal": [three], "serious": [two], "slight": [one]},
                f"{three} fatal, {two} serious, {one} slight",
            ),
            (
                {"fatal": [three], "serious": [], "slight": [two], "none": [one]},
                f"{one} damage alone, {two} any injury, {three} fatal",
            ),
        ]
    return []


def _is_plausible(counts: Sequence[int]) -> bool:
    """Tell whether there are as many of fatal, serious and slight as in published records: each the rarer the worse."""
    fatal, serious, slight = counts
    there = [count for count in (fatal, serious, slight) if count]
    rising = all(worse < better for worse, better in pairwise(there))
    return bool(fatal) and rising and sum(there) >= ENOUGH and fatal <= PLAUSIBLE * sum(there)


def _of_counts(frame: pd.DataFrame, columns: Sequence[str]) -> Severity:
    """Find columns with the numbers of people killed and hurt."""
    numbered = [column for column in matching(columns, (_NUMBERED,)) if _is_count(frame[column])]
    found: dict[str, str] = {}
    for key, patterns in COUNTS.items():
        mine = [column for column in matching(numbered, patterns) if column not in found.values()]
        if key == "fatal":
            mine = [column for column in mine if not re.search(r"non_?fatal", column.casefold())]
        whole = [c for c in mine if not re.search(r"ped|cycl|bike|motor|driver|passenger", c.casefold())]
        if whole:
            found[key] = whole[0]
    if "fatal" not in found or len(found) < 2:
        return Severity(())
    why = {key: (f"Its sum is {_sum(frame[column]):,}.",) for key, column in found.items()}
    doubt = (
        ""
        if "serious" in found
        else "Is this the number of all that were hurt? Serious is not told from slight."
    )
    guesses = tuple(
        Guess(f"collisions.columns.{key}", column, why[key], doubt if key == "slight" else "")
        for key, column in found.items()
    )
    return Severity(guesses, tuple(found.values()), 2)


def _is_count(values: pd.Series) -> bool:
    there = text(values).dropna()
    numbers = pd.to_numeric(there, errors="coerce")
    return bool(len(there)) and bool(
        numbers.notna().all() and (numbers % 1 == 0).all() and numbers.between(0, 500).all()
    )


def _sum(values: pd.Series) -> int:
    return int(pd.to_numeric(text(values), errors="coerce").sum())
