"""Which labelled things can be counted: settled and judged on labelled ground, at places left out."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace

import numpy as np
import shapely
from numpy.typing import NDArray

from geo.errors import ConfigurationError, meant
from geo.ground.contract import GroundClass, Scores
from geo.ground.labels.drawn.naming import plain
from geo.ground.labels.drawn.plots import Plot
from geo.ground.labels.drawn.reading import Drawn
from geo.ground.things.judging import Count, Ground, judge, said
from geo.ground.things.peaks import evidence_of
from geo.ledger import Entry

ITEM = "things counted"


@dataclass
class Kept:
    """Scores of plots by what was learned of other places, as `geo.ground.labels.fitted.fitting.fit` shows them."""

    parts: list[tuple[Plot, NDArray[np.int64], Scores]] = field(default_factory=list)

    def __call__(self, plot: Plot, mine: NDArray[np.bool_], scores: Scores) -> None:
        """Keep the scores of a plot, with the numbers of the places that were left out."""
        self.parts.append((plot, np.unique(plot.marks.places[mine]), scores.astype(np.float16)))

    def grounds(self, drawn: Drawn, names: NDArray[np.object_], name: str, which: int) -> list[Ground]:
        """Give the outlined ground of all places, as it is told by what learned nothing from it.

        Parameters
        ----------
        drawn
            The labels.
        names
            Class of each of `Drawn.labels`.
        name, which
            Of the things: their class, and its index among those that are scored.
        """
        things = drawn.labels.geometry.to_numpy()[names == name]
        outlines, places = drawn.extents.geometry.to_numpy(), drawn.extents["place"].to_numpy()
        found = []
        for plot, left_out, scores in self.parts:
            evidence = evidence_of(scores.astype(np.float32), which)
            piece = plot.piece
            frame = shapely.box(*piece.bounds)
            here = np.isin(places, left_out) & shapely.intersects(outlines, frame)
            for place in np.unique(places[here]):
                extent = shapely.intersection(shapely.union_all(outlines[here & (places == place)]), frame)
                mine = things[shapely.intersects(things, extent)]
                side = piece.cell_m * piece.shape[0] / evidence.shape[0]
                found.append(Ground(int(place), evidence, piece.x, piece.y, side, extent, mine))
        return found


def asked_for(count: Sequence[str], names: Sequence[str], where: str) -> list[str]:
    """Find the classes whose things are to be counted among those of the labels.

    Raises
    ------
    ConfigurationError
        When there is none of a name.
    """
    by_name = {plain(name): name for name in names}
    missing = [name for name in count if plain(name) not in by_name]
    if missing:
        raise ConfigurationError(
            f"ground.count names {missing[0]!r}, and the classes of the labels are {', '.join(names)}"
            f"{meant(missing[0], names)}",
            where=where,
            todo="Name in ground.count classes of which each label is one thing.",
        )
    return list(dict.fromkeys(by_name[plain(name)] for name in count))


def count_things(
    asked: Sequence[str],
    told: Sequence[GroundClass],
    scored: Sequence[str],
    kept: Kept,
    drawn: Drawn,
    names: NDArray[np.object_],
) -> tuple[dict[int, Count], list[Entry]]:
    """Settle what counts as one thing of each class that is to be counted.

    Parameters
    ----------
    asked
        Names of classes.
    told, scored
        The classes that are written; names of those that are scored.
    kept
        Scores at places left out.
    drawn, names
        The labels, and the class of each.

    Returns
    -------
    By the numbers of classes, those that can be counted; and what became of all that are asked for.
    """
    written = {one.name: one.number for one in told}
    counts: dict[int, Count] = {}
    entries = []
    for name in asked:
        if name not in written:
            entries.append(Entry(ITEM, "rejected", f"{name!r}: the class is not written", 1))
            continue
        count = judge(kept.grounds(drawn, names, name, scored.index(name)))
        if count.rule is None:
            entries.append(Entry(ITEM, "rejected", f"{name!r}: {count.why}", 1))
        else:
            counts[written[name]] = count
            entries.append(Entry(ITEM, "done", "", 1))
    return counts, entries


def with_counts(told: Sequence[GroundClass], counts: dict[int, Count]) -> tuple[GroundClass, ...]:
    """Say of each class that is counted how well."""
    return tuple(
        replace(one, words=f"{one.words}; counted: {said(counts[one.number].tally)}")
        if one.number in counts
        else one
        for one in told
    )
