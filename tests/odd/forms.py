"""Odd inputs: what they are made of, what is right of each, and what became of it."""

from __future__ import annotations

import re
import traceback
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
import yaml
from answers import Answer, Asker, check
from small_town import SmallTown, fingerprint

from geo.errors import RoadprintError

Make = Callable[[SmallTown, Path], dict[str, object] | str]
"""Writes its files into a folder and gives the city's file, as keys or as text."""


@dataclass(frozen=True)
class Right:
    """The same answer as that of the right form."""


@dataclass(frozen=True)
class Refused:
    """One message that holds these words (a regular expression)."""

    words: str


@dataclass(frozen=True)
class Told:
    """A warning or an entry of the ledger with these words, and the right answer but for some parts of it.

    Attributes
    ----------
    words
        A regular expression.
    but
        Parts that may say less: null where the right answer knows.
    wrong
        Parts that may be another answer, for what is told is that they may be.
    lost
        Parts that must say less: what is not known must not be told as known.
    """

    words: str
    but: tuple[str, ...] = ()
    wrong: tuple[str, ...] = ()
    lost: tuple[str, ...] = ()

    def allows(self, apart: dict[str, Apart]) -> bool:
        less = {*self.but, *self.lost}
        return set(self.lost) <= set(apart) and all(
            part in self.wrong or (part in less and how.unknown) for part, how in apart.items()
        )


Outcome = Right | Refused | Told
RIGHT = Right()


@dataclass(frozen=True)
class Form:
    """An odd input.

    Attributes
    ----------
    kind, name
        What is odd about it.
    make
        See `Make`.
    may
        What may become of it; the first that does counts.
    lacks
        Parts of an answer that this form does not hold: ``id``, ``day``, ``road_class``, ...
    place
        Which country's town.
    like
        The right form that it is held against, one of `RIGHT_FORMS`.
    look
        Whether its imagery is looked at.
    pixels
        How far pixels may be from those of the right form (grey levels, on average).
    """

    kind: str
    name: str
    make: Make
    may: tuple[Outcome, ...] = (RIGHT,)
    lacks: frozenset[str] = frozenset()
    place: str = "england"
    like: str = "all columns"
    look: bool = False
    pixels: float = 0.0

    @property
    def title(self) -> str:
        return f"{self.kind}: {self.name}"


FORMS: list[Form] = []
RIGHT_FORMS: dict[str, Make] = {
    "all columns": lambda town, _: town.config(),
    "no names": lambda town, _: town.config(
        collisions=town.records(str(town.folder / "collisions.csv"), {"road_name": None})
    ),
}
"""Right forms, each of other columns: what the odd ones are held against."""


def add(
    kind: str,
    name: str,
    make: Make,
    *may: Outcome,
    lacks: Iterable[str] = (),
    place: str = "england",
    like: str = "all columns",
    look: bool = False,
    pixels: float = 0.0,
) -> None:
    """List a form; without outcomes it must be right."""
    FORMS.append(Form(kind, name, make, may or (RIGHT,), frozenset(lacks), place, like, look, pixels))


@dataclass(frozen=True)
class Verdict:
    """What became of a form, in a word and in words; `fault` where that may not be."""

    what: str
    words: str
    fault: bool


class Judge:
    """Takes answers and holds them against the right ones, of which each town has one.

    Parameters
    ----------
    folder
        Where towns and forms are written.
    thorough
        Whether ``check`` is asked even where a run gives the right answer and nothing needs to be told.
    """

    def __init__(self, folder: Path, *, thorough: bool = False) -> None:
        self.folder = folder
        self.thorough = thorough
        self._asker = Asker(folder)
        self._towns: dict[str, SmallTown] = {}
        self._right: dict[tuple[str, str, bool], Answer] = {}

    def town(self, place: str) -> SmallTown:
        """Give a town, which is made once."""
        if place not in self._towns:
            self._towns[place] = SmallTown(place, self.folder / place)
        return self._towns[place]

    def right(self, place: str, like: str = "all columns", *, look: bool = False) -> Answer:
        """Give the answer of a right form."""
        key = place, like, look
        if key not in self._right:
            city = self._write(f"right {key}", place, RIGHT_FORMS[like])
            check(city)
            self._right[key] = self._run(city, place, look=look)
        return self._right[key]

    def judge(self, form: Form) -> Verdict:
        """Say what became of a form."""
        right = self.right(form.place, form.like, look=form.look)
        try:
            return self._judge(form, right, self._write(form.title, form.place, form.make))
        except Exception as error:  # noqa: BLE001 - whatever it is, it is a fault and is told
            frames = traceback.extract_tb(error.__traceback__)
            ours = [frame for frame in frames if re.search("/(geo|tasks)/", frame.filename)]
            where = f" at {Path(ours[-1].filename).name}:{ours[-1].lineno}" if ours else ""
            return Verdict("crashed", f"{type(error).__name__}: {str(error)[:200]}{where}", fault=True)

    def _judge(self, form: Form, right: Answer, city: Path) -> Verdict:
        refused, apart = None, dict[str, Apart]()
        try:
            found = self._run(city, form.place, look=form.look)
            apart = differences(right, found, form)
            if not apart and RIGHT in form.may and not self.thorough:
                return Verdict("right", "", fault=False)
        except RoadprintError as error:
            refused = str(error)
        try:
            checked = check(city)
        except RoadprintError as error:
            return _of_refusal(form, refused, str(error))
        if refused is not None:
            return _of_refusal(form, refused, None)
        return _of_answer(form, [*found.told, *checked], apart)

    def _write(self, title: str, place: str, make: Make) -> Path:
        """Write what a form is made of; gives the city's file."""
        folder = self.folder / fingerprint(title)
        folder.mkdir(exist_ok=True)
        written = make(self.town(place), folder)
        if not isinstance(written, str):
            written = yaml.safe_dump(written, allow_unicode=True, sort_keys=False)
        (folder / "city.yaml").write_text(written, encoding="utf-8")
        return folder / "city.yaml"

    def _run(self, city: Path, place: str, *, look: bool) -> Answer:
        where = self.town(place).place
        return self._asker.run(city, city.parent / "out", (where.x, where.y), look=look)


def _of_refusal(form: Form, run: str | None, checked: str | None) -> Verdict:
    said = checked or run or ""
    line = " ".join(said.split())
    if checked is None or run is None:
        who = "run" if checked is None else "check"
        return Verdict(f"refused by {who} alone", line, fault=True)
    expected = [outcome for outcome in form.may if isinstance(outcome, Refused)]
    if any(re.search(outcome.words, said, re.IGNORECASE | re.DOTALL) for outcome in expected):
        return Verdict("refused", line, fault=False)
    return Verdict("refused with other words" if expected else "refused, not answered", line, fault=True)


def _of_answer(form: Form, told: list[str], apart: dict[str, Apart]) -> Verdict:
    if not apart and RIGHT in form.may:
        return Verdict("right", "", fault=False)
    for outcome in form.may:
        if isinstance(outcome, Told) and outcome.allows(apart):
            said = [t for t in told if re.search(outcome.words, t, re.IGNORECASE | re.DOTALL)]
            if said:
                return Verdict("told", said[0], fault=False)
    words = (
        "; ".join(f"{part}: {how.words}" for part, how in apart.items())
        or "the right answer, but nothing is told"
    )
    heard = " | ".join(dict.fromkeys(filter(None, told)))
    return Verdict("SILENT WRONG" if apart else "not told", f"{words} [told: {heard[:600]}]", fault=True)


@dataclass(frozen=True)
class Apart:
    """How a part of an answer differs from the right one; `unknown` where it only says less, and nothing wrong."""

    words: str
    unknown: bool


def differences(right: Answer, found: Answer, form: Form) -> dict[str, Apart]:
    """Say what of an answer differs from the right one, by part."""
    apart: dict[str, Apart] = {}

    def hold(part: str, wanted: object, got: object, *, less: bool = False) -> None:
        if part not in form.lacks and wanted != got:
            apart[part] = Apart(f"{_short(got)} in place of {_short(wanted)}", less)

    hold("segments", right.segments["place"].tolist(), found.segments["place"].tolist())
    hold("junctions", right.junctions, found.junctions)
    if "segments" not in apart and "segments" not in form.lacks:
        for part in ("name", "road_class", "length"):
            hold(part, _plain(right.segments[part]), _plain(found.segments[part]))
    if len(right.collisions):
        hold(
            "collisions",
            len(right.collisions),
            len(found.collisions),
            less=len(found.collisions) < len(right.collisions),
        )
        apart |= _records_apart(right.collisions, found.collisions, form.lacks)
    for part, wanted in right.whole.items():
        got = found.whole.get(part)
        hold(part, wanted, got, less=got is None or part in {"period", "years"} or set(got) < set(wanted))
    hold("traffic", right.traffic, found.traffic, less=found.traffic.items() < right.traffic.items())
    if form.look:
        told = _pixels_apart(right.tiles, found.tiles, form.pixels)
        if told:
            apart["pixels"] = Apart(told, unknown=False)
    return apart


def _records_apart(right: pd.DataFrame, found: pd.DataFrame, lacks: frozenset[str]) -> dict[str, Apart]:
    """Hold collisions against each other, row by row: by id where they have one, else in the order of what they say."""
    named = [part for part in right if part not in lacks]
    if found.empty or ("id" not in named and len(right) != len(found)):
        return {}
    if "id" in named:
        both = right["id"][right["id"].isin(found["id"])]
        if len(both) < min(len(right), len(found)):
            return {
                "id": Apart(f"{found['id'].iloc[0]!r} in place of {right['id'].iloc[0]!r}", unknown=False)
            }
        one, other = (t.drop_duplicates("id").set_index("id").loc[both].reset_index() for t in (right, found))
    else:
        one, other = (t.iloc[np.lexsort(t[named].map(str).to_numpy().T[::-1])] for t in (right, found))
    apart = {}
    for part in named:
        pairs = zip(_plain(one[part]), _plain(other[part]), strict=True)
        wrong = [(wanted, got) for wanted, got in pairs if wanted != got]
        if wrong:
            words = f"{len(wrong)} of {len(one)} differ, {wrong[0][1]!r} in place of {wrong[0][0]!r}"
            apart[part] = Apart(words, unknown=all(got is None for _, got in wrong))
    return apart


def _pixels_apart(
    right: list[tuple[np.ndarray, np.ndarray]], found: list[tuple[np.ndarray, np.ndarray]], most: float
) -> str:
    for i, ((pixels, valid), (other, other_valid)) in enumerate(zip(right, found, strict=True)):
        if pixels.shape != other.shape:
            return f"tile {i} is {other.shape} in place of {pixels.shape}"
        if not np.array_equal(valid, other_valid):
            return f"tile {i}: {int(other_valid.sum())} pixels with data in place of {int(valid.sum())}"
        gap = float(np.abs(pixels.astype(float) - other.astype(float))[:, valid].mean())
        if gap > most:
            return f"tile {i} is {gap:.1f} grey levels off"
    return ""


def _plain(values: object) -> list[object]:
    return [None if value is None or value != value else value for value in list(values)]  # noqa: PLR0124 - NaN


def _short(value: object) -> str:
    if isinstance(value, list | dict):
        return f"{len(value)} {'places' if len(value) != 1 else 'place'}"
    return repr(value)
