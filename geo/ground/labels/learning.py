"""Learning classes of ground from labels: which can be learned, how well they are told, and what is written."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from geo.config.sections.records import as_list
from geo.errors import LayerError
from geo.ground.contract import MOST_CLASSES, GroundClass, Piece, Surroundings
from geo.ground.keys import OTHER, keys_of
from geo.ground.kind import Learned
from geo.ground.labels.counting import Kept, asked_for, count_things, with_counts
from geo.ground.labels.drawn.marks import REST, SILENT
from geo.ground.labels.drawn.naming import ELSE, is_else, one_spelling
from geo.ground.labels.drawn.plots import Plot, lay_out_plots
from geo.ground.labels.drawn.reading import ITEM, read_labels
from geo.ground.labels.fitted.fitting import Fitted, fit
from geo.ground.labels.fitted.judging import Verdict
from geo.ledger import Entry, merge
from geo.outputs.palette import UNKNOWN as GREY
from geo.outputs.palette import look

if TYPE_CHECKING:
    from geo.ground.labels.settings import Labels


NO_CELL, NOT_SHOWN = "no cell of the map is mostly of it and of no other class", "no imagery under it"
"""Why nothing is left to learn from of a label."""


def learn_classes(pieces: Sequence[Piece], settings: Labels, around: Surroundings) -> Learned:
    """Learn classes; see `geo.ground.kind.GroundKind.learn`.

    Raises
    ------
    SourceError, LayerError, ConfigurationError
        When labels cannot be read, or nothing can be learned of them.
    """
    drawn = read_labels(settings, around)
    where = "; ".join(as_list(settings.labels))
    spelled = one_spelling(drawn.labels["name"])
    names = drawn.labels["name"].map(spelled)
    classes = sorted({name for name in names if not is_else(name)})
    keys = dict(zip(classes, keys_of(classes), strict=True))
    code = {name: number for number, name in enumerate(classes, start=1)} | {ELSE: REST}
    codes = names.map(code).to_numpy(dtype=np.int16)
    plots, seen, used = lay_out_plots(pieces, drawn, codes)
    fate = pd.Series("", index=range(len(names)), dtype=object)
    fate[~np.isin(fate.index, used)] = NO_CELL
    fate[~np.isin(fate.index, seen)] = NOT_SHOWN
    lost = _lost(fate)
    counts = _counts(plots, len(classes))
    few = {name: why for name, why in ((n, _too_few(counts[code[n]], settings)) for n in classes) if why}
    for name, why in few.items():
        fate[(names == name).to_numpy() & fate.eq("")] = f"class {name!r}: {why}"
    kept = [name for name in classes if name not in few]
    rest = not _too_few(counts[REST], settings)
    _check(kept, few, where, rest=rest, lost=lost)
    asked = asked_for(settings.count, classes, where)
    left_out = Kept()
    plots = _recoded(plots, [code[name] for name in kept], len(classes), rest=rest)
    fitted = fit(plots, settings, rest=rest, left_out=left_out if asked else None)
    scored = [*([ELSE] if rest else []), *kept]
    told, numbers, refused = _written(scored, keys, fitted)
    things, counted = count_things(asked, told, scored, left_out, drawn, names.to_numpy())
    entries = [
        *(e for e in drawn.entries if e.status != "done"),
        *_account(fate, len(drawn.extents)),
        *refused,
        *counted,
    ]
    notes = tuple(f"class {entry.reason}" for entry in refused if entry.status == "rejected")
    if not any(one.key != OTHER for one in told):
        return Learned(None, tuple(merge(entries)), notes)
    classifier = fitted.classifier(with_counts(told, things), numbers)
    return Learned(classifier.counting(things), tuple(merge(entries)), notes)


@dataclass(frozen=True, slots=True)
class _Count:
    """Places of the map, and places apart from each other, at which a class is labelled."""

    cells: int
    places: int


def _counts(plots: Sequence[Plot], classes: int) -> list[_Count]:
    """Count the ground that is an example of each class, the rest first."""
    code = np.concatenate([np.zeros(0, np.int16), *(plot.marks.codes[plot.marks.pure] for plot in plots)])
    place = np.concatenate([np.zeros(0, np.int64), *(plot.marks.places[plot.marks.pure] for plot in plots)])
    return [
        _Count(int((code == one).sum()), len(np.unique(place[code == one]))) for one in range(classes + 1)
    ]


def _too_few(count: _Count, settings: Labels) -> str:
    """Say why a class cannot be learned; empty where it can."""
    if count.places < settings.min_places:
        return f"labelled at {count.places} places, and {settings.min_places} are needed"
    if count.cells < settings.min_cells:
        return f"labels cover {count.cells} cells of the map, and {settings.min_cells} are needed"
    return ""


def _lost(fate: pd.Series) -> str:
    """Say of how many labels nothing is left to learn from, and why; empty where there is no such label."""
    counts = fate[fate.ne("")].value_counts(sort=False)
    told = "; ".join(f"{count}: {reason}" for reason, count in counts.items())
    return f" (labels of which nothing is left, {told})" if told else ""


def _check(kept: list[str], few: dict[str, str], where: str, *, rest: bool, lost: str) -> None:
    """Refuse labels of which nothing can be learned."""
    if len(kept) >= MOST_CLASSES:
        raise LayerError(
            f"it names {len(kept)} classes, and a map holds fewer than {MOST_CLASSES}",
            where=where,
            todo="Check that ground.class_field names the column of classes, and bring some together.",
        )
    if not kept:
        said = "; ".join(f"{name!r} is {told}" for name, told in few.items())
        raise LayerError(
            f"none of its classes can be learned: {said or 'all labels are of something else'}{lost}",
            where=where,
            todo="Label each class at more places that lie apart: see ground.min_places, .min_cells and .place_m.",
        )
    if len(kept) == 1 and not rest:
        raise LayerError(
            f"only the class {kept[0]!r} can be learned, and too few labels say where it is not{lost}",
            where=where,
            todo=f"Label ground at some places as {ELSE!r}, or outline ground on which nothing was left unlabelled by "
            "polygons of the class 'extent'.",
        )


def _recoded(plots: Sequence[Plot], kept: list[int], classes: int, *, rest: bool) -> list[Plot]:
    """Give the classes that are learned numbers without gaps; of others, and of a rest of few, nothing is known."""
    table = np.full(classes + 2, SILENT, dtype=np.int16)
    table[REST] = REST if rest else SILENT
    table[kept] = np.arange(1, len(kept) + 1)
    return [replace(plot, marks=replace(plot.marks, codes=table[plot.marks.codes])) for plot in plots]


def _written(
    scored: list[str], keys: dict[str, str], fitted: Fitted
) -> tuple[tuple[GroundClass, ...], np.ndarray, list[Entry]]:
    """Say which classes are written, as which number each that is scored is, and why others are not."""
    order = [name for name in scored if name != ELSE] + [name for name in scored if name == ELSE]
    told: list[GroundClass] = []
    refused: list[Entry] = []
    numbers = np.zeros(len(scored), dtype=np.uint8)
    for name in order:
        verdict = fitted.verdicts[scored.index(name)]
        if name != ELSE and not verdict.better:
            refused.append(
                Entry("classes of ground", "rejected", f"{name!r} is not written: {_said(verdict)}", 1)
            )
            continue
        number = len(told) + 1
        numbers[scored.index(name)] = number
        told.append(_class(number, name, keys, verdict, fitted))
    done = sum(one.key != OTHER for one in told)
    return tuple(told), numbers, [Entry("classes of ground", "done", "", done), *refused] if done else refused


def _said(verdict: Verdict) -> str:
    return (
        f"at places left out its overlap with the labels is {verdict.overlap:.2f}, and to call all of it this class "
        f"would give {verdict.baseline:.2f}"
    )


def _class(number: int, name: str, keys: dict[str, str], verdict: Verdict, fitted: Fitted) -> GroundClass:
    rest = name == ELSE
    spread = None if np.isnan(verdict.spread) else round(verdict.spread, 4)
    return GroundClass(
        number,
        OTHER if rest else keys[name],
        name,
        GREY if rest else look(number).colour,
        "labels",
        share=round(verdict.baseline, 6),
        score=round(verdict.overlap, 4),
        spread=spread,
        baseline=round(verdict.baseline, 4),
        words=fitted.words,
    )


def _account(fate: pd.Series, extents: int) -> list[Entry]:
    """Tell what became of each label that could be read; the fate of one that was learned from is empty."""
    bad = fate[fate.ne("")].value_counts(sort=False)
    entries = [Entry(ITEM, "skipped", str(reason), int(count)) for reason, count in bad.items()]
    outlines = [Entry(ITEM, "done", "outlines of labelled ground", extents)] if extents else []
    return [*entries, *outlines, Entry(ITEM, "done", "", int(fate.eq("").sum()))]
