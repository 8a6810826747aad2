"""How few of a city's roads carry how much of its harm, how sure that is, and what chance alone would make of it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import pandas as pd
import shapely
from numpy.typing import NDArray

from geo.counting import counted
from geo.roads.lines import Floats, Integers
from geo.safety.along.windows import KINDS, Windows, cell_of, count_in_cells, kinds_of, window_scores
from geo.safety.rates import LEVEL, OUTCOME_NAMES, Outcome

MIN_COLLISIONS = 20
"""With fewer collisions no share is told."""
MIN_BLOCKS = 10
"""With fewer blocks of the bootstrap no interval is told."""
_OF = {"ksi": (0, 1), "collisions": tuple(range(len(KINDS)))}
_BY_CHANCE = ("low", "high", "chance", "chance_low", "chance_high")
_HELD_OUT = ("held_out_chance", "held_out_chance_low", "held_out_chance_high", "held_out_p_value")
METHOD = (
    "windows chosen by severity-weighted score; interval: percentile bootstrap of square blocks; chance: collisions "
    "spread over the network by {chance}; held out: windows chosen by one random half of the collisions, measured by "
    "the other, and the same of collisions spread by chance"
)


@dataclass(frozen=True, slots=True)
class HeadlineSettings:
    """How the headline numbers of the high-injury network are found.

    Attributes
    ----------
    share_of_outcome
        Share of the collisions whose shortest length of road is told (0 to 1).
    share_of_length
        Share of the network's length whose greatest share of collisions is told (0 to 1).
    block_m
        Side of the square blocks that the bootstrap draws (metres).
    seed
        Seed of every draw: the same one gives the same numbers.
    block_resamples
        Resamples of blocks behind the interval (number).
    draws
        Maps of collisions that lie by chance (number).
    splits
        Times that the collisions are divided into halves, of which one chooses windows and the other is counted.
    """

    share_of_outcome: float
    share_of_length: float
    block_m: float
    seed: int
    block_resamples: int = 999
    draws: int = 999
    splits: int = 10


def headline_shares(
    windows: Windows,
    located: pd.DataFrame,
    severity: pd.Series,
    weights: Mapping[str, float],
    outcome: Outcome,
    settings: HeadlineSettings,
    relative_risk: pd.Series | None = None,
) -> pd.DataFrame:
    """Tell how few of the roads carry how many of the collisions, with an interval and what chance would give.

    The network is gone through from the window with the greatest score down, as a city that builds a high-injury
    network does; what several windows cover counts once. Collisions that are few lie on few roads even when all roads
    are alike, so the same number is given for collisions spread over the network at random, each as a whole (those
    that in truth are shared out between arms lie on a little more length). A length that is chosen for its collisions
    looks worse than it is (regression to the mean), so the number is also given for windows chosen by one half of the
    collisions and measured by the other; the halves are independent if collisions are Poisson, and half the data choose
    less well, which makes it a low estimate. It has a chance of its own: where collisions lie at random, the half that
    is counted lies on the chosen roads as on any, so that half of it lies on about half of the length.

    The interval resamples square blocks of the city, not collisions: neighbouring roads share their traffic and their
    look, and collisions drawn again would lie on top of each other and look more concentrated than they are (Davison
    and Hinkley 1997, 'Bootstrap methods and their application', 8.3). It takes the windows' scores as given.

    Parameters
    ----------
    windows
        Windows along the network (`geo.safety.along.windows.lay_windows`).
    located
        Where each placed collision lies on the network (`geo.roads.routes.locate`).
    severity
        Severity of each collision (`geo.safety.along.windows.harm_of`), by its position in the table of collisions.
    weights
        What a collision counts for in a window's score, by its severity (`geo.config.sections.safety.Weights`).
    outcome
        Which collisions are told of: KSI where known, else all.
    settings
        The two shares asked for, and how many draws stand behind the numbers.
    relative_risk
        Risk of a metre of each segment, above 0, by ``segment_id``: chance spreads collisions by it times length. None:
        by length alone.

    Returns
    -------
    Two rows: ``measure``, ``share`` (by setting), ``value, low, high, chance, chance_low, chance_high, p_value``
    (one-sided: chance is as concentrated or more), ``held_out`` with ``held_out_chance``, its limits (``_low``,
    ``_high``) and ``held_out_p_value``, ``n`` (of the outcome), ``method``, ``reason`` (why a value is null, else
    null).
    """
    kind = kinds_of(severity)
    at, of = located["collision"].to_numpy(dtype=np.int64), cell_of(windows, located)
    share = located["share"].to_numpy(dtype=np.float64)
    present = np.unique(at)
    n = int(np.isin(kind[present], _OF[outcome]).sum())
    spread = "length" if relative_risk is None else "length times relative risk"
    table = pd.DataFrame(
        {
            "measure": [
                f"share_of_length_with_{settings.share_of_outcome:.0%}_of_{outcome}".replace("%", "_pct"),
                f"share_of_{outcome}_on_{settings.share_of_length:.0%}_of_length".replace("%", "_pct"),
            ],
            "share": [settings.share_of_outcome, settings.share_of_length],
            **dict.fromkeys(("value", *_BY_CHANCE, "p_value", "held_out", *_HELD_OUT), np.nan),
            "n": n,
            "method": METHOD.format(chance=spread),
            "reason": None,
        }
    ).astype({"reason": object})
    if n < MIN_COLLISIONS:
        table["reason"] = f"fewer than {MIN_COLLISIONS} {outcome} on the network"
        return table
    rng = np.random.default_rng(settings.seed)
    curve = _Curves(windows, weights, list(_OF[outcome]), settings)
    counts = count_in_cells(windows, of, kind[at], share)
    table["value"] = curve.numbers(counts, counts)
    blocks = _blocks(windows, settings.block_m)
    if blocks.max() + 1 < MIN_BLOCKS:
        table["reason"] = (
            f"no interval: fewer than {MIN_BLOCKS} blocks of {settings.block_m:g} m with roads in them"
        )
    else:
        table[["low", "high"]] = _limits(curve.resampled(counts, blocks, rng))
    table["held_out"] = curve.held_out((at, of, kind[at], share), present, rng)
    all_of_them, halves = curve.chance(np.bincount(kind[present], minlength=len(KINDS)), relative_risk, rng)
    for value, drawn, names, p_value in (
        ("value", all_of_them, _BY_CHANCE[2:], "p_value"),
        ("held_out", halves, _HELD_OUT[:3], "held_out_p_value"),
    ):
        table[names[0]] = drawn.mean(axis=0)
        table[list(names[1:])] = _limits(drawn)
        extreme = drawn - table[value].to_numpy()
        extreme[:, 0] *= -1
        table[p_value] = (1 + (extreme >= -1e-12).sum(axis=0)) / (1 + len(extreme))
    return table


def _limits(samples: Floats) -> Floats:
    """Percentile limits of each column, as rows."""
    tail = (1 - LEVEL) / 2
    found: Floats = np.nanquantile(samples, [tail, 1 - tail], axis=0).T
    return found


def _blocks(windows: Windows, block_m: float) -> Integers:
    """Give each cell the number of the square block in which its segment has its middle."""
    middle = shapely.get_coordinates(
        shapely.line_interpolate_point(windows.routes.graph.lines, 0.5, normalized=True)
    )
    _, number = np.unique(np.floor(middle / block_m), axis=0, return_inverse=True)
    found: Integers = number.reshape(-1)[windows.row].astype(np.int64)
    _, found = np.unique(found, return_inverse=True)
    return found.reshape(-1)


@dataclass(frozen=True, slots=True)
class _Curves:
    """The share of the outcome against the share of length, and the two numbers that are read off it."""

    windows: Windows
    weights: Mapping[str, float]
    of: list[int]
    settings: HeadlineSettings

    def numbers(self, chosen_by: Floats, measured_by: Floats) -> Floats:
        """Choose windows by some counts and read the two numbers off others."""
        length, outcome = self._by_score(chosen_by, measured_by, None)
        found: Floats = self._read(length, outcome)[0]
        return found

    def resampled(self, counts: Floats, blocks: Integers, rng: np.random.Generator) -> Floats:
        """Read the numbers off resamples of blocks, ``(resamples, 2)``."""
        length, outcome = self._by_score(counts, counts, blocks)
        total = len(length)
        often = rng.multinomial(total, np.full(total, 1 / total), size=self.settings.block_resamples)
        return self._read(often @ length, often @ outcome)

    def chance(
        self, n: NDArray[np.int64], risk: pd.Series | None, rng: np.random.Generator
    ) -> tuple[Floats, Floats]:
        """Read the numbers off draws in which collisions lie by length: of all, and held out, each ``(draws, 2)``.

        The held-out ones are of one split each, which vary more than the mean over several that the records have: the
        p-value from them is cautious.
        """
        size = self.windows.cell_m
        if risk is not None:
            per_segment = risk.reindex(self.windows.routes.graph.segment_id).to_numpy(dtype=np.float64)
            size = size * per_segment[self.windows.row]
        shares = np.cumsum(size) / size.sum()
        found, halves = np.empty((2, self.settings.draws, 2))
        kind = np.repeat(np.arange(len(KINDS)), n)
        for draw in counted(range(self.settings.draws), "maps by chance"):
            cell = np.minimum(np.searchsorted(shares, rng.random(len(kind)), side="right"), len(size) - 1)
            counts = count_in_cells(self.windows, cell, kind, np.ones(len(kind)))
            one = rng.permutation(len(kind))[: len(kind) // 2]
            found[draw] = self.numbers(counts, counts)
            half = count_in_cells(self.windows, cell[one], kind[one], np.ones(len(one)))
            halves[draw] = (self.numbers(half, counts - half) + self.numbers(counts - half, half)) / 2
        return found, halves

    def held_out(
        self,
        parts: tuple[Integers, Integers, Integers, Floats],
        present: Integers,
        rng: np.random.Generator,
    ) -> Floats:
        """Choose by one half and measure by the other, both ways, several times."""
        collision, cell, kind, share = parts
        # collisions in an order of their own, so that the halves do not depend on that of the rows: one at a junction
        # may begin in the cell of one on a segment
        table = pd.DataFrame({"collision": collision, "cell": cell, "kind": kind})
        order = (
            table.groupby("collision")
            .agg(first=("cell", "min"), last=("cell", "max"), parts=("cell", "size"), kind=("kind", "first"))
            .sort_values(["first", "kind", "last", "parts"])
            .index
        )
        found = []
        for _ in range(self.settings.splits):
            half = np.zeros(int(collision.max()) + 1, dtype=bool)
            half[order[rng.permutation(len(present))[: len(present) // 2]]] = True
            one, other = (
                count_in_cells(self.windows, cell[mine], kind[mine], share[mine])
                for mine in (half[collision], ~half[collision])
            )
            found += [self.numbers(one, other), self.numbers(other, one)]
        mean: Floats = np.asarray(np.nanmean(found, axis=0), dtype=np.float64)
        return mean

    def _by_score(
        self, chosen_by: Floats, measured_by: Floats, blocks: Integers | None
    ) -> tuple[Floats, Floats]:
        """Add up length and outcome by block (rows) and score, from the greatest down (columns)."""
        best = self.windows.best(window_scores(self.windows, chosen_by, self.weights))
        scores, group = np.unique(-best, return_inverse=True)
        row = np.zeros(len(best), dtype=np.int64) if blocks is None else blocks
        shape = (int(row.max()) + 1, len(scores))
        flat = row * len(scores) + group.reshape(-1)
        values = (self.windows.cell_m, measured_by[:, self.of].sum(axis=1))
        length, outcome = (
            np.bincount(flat, weights=each, minlength=shape[0] * shape[1]).reshape(shape).astype(np.float64)
            for each in values
        )
        return length, outcome

    def _read(self, length: Floats, outcome: Floats) -> Floats:
        """Read both numbers off the curve of each row; between two scores it is straight."""
        zero = np.zeros((len(length), 1))
        x, y = (np.concatenate([zero, np.cumsum(each, axis=1)], axis=1) for each in (length, outcome))
        whole = y[:, -1] > 0
        x /= x[:, -1:]
        y /= np.where(whole, y[:, -1], 1)[:, None]
        found = np.column_stack(
            [
                _interpolate(y, x, self.settings.share_of_outcome),
                _interpolate(x, y, self.settings.share_of_length),
            ]
        )
        found[~whole] = np.nan
        return found


def _interpolate(x: Floats, y: Floats, at: float) -> Floats:
    """Interpolate each row of `y` where the rising row of `x` first reaches a value."""
    after = np.clip((x < at - 1e-12).sum(axis=1), 1, x.shape[1] - 1)
    row = np.arange(len(x))
    step = x[row, after] - x[row, after - 1]
    share = np.where(step > 0, (at - x[row, after - 1]) / np.where(step > 0, step, 1), 1)
    found: Floats = y[row, after - 1] + np.clip(share, 0, 1) * (y[row, after] - y[row, after - 1])
    return found


def headline_sentences(headline: pd.DataFrame, outcome: Outcome) -> list[str]:
    """Say how few roads carry how much, and beside it what chance and a fresh look would give.

    Parameters
    ----------
    headline
        The two rows of `headline_shares`.
    outcome
        Which collisions the shares are of: KSI, or all.

    Returns
    -------
    One sentence a row, without its full stop; where there is no number, one that says why.
    """
    said = []
    for row in headline.to_dict("records"):
        share = row["share"]
        if pd.isna(row["value"]):
            said.append(f"How concentrated {OUTCOME_NAMES[outcome]} are cannot be told: {row['reason']}")
            break
        between = (
            f" (95 % interval {_percent(row['low'])} to {_percent(row['high'])})"
            if pd.notna(row["low"])
            else " (no interval)"
        )
        value = _percent(row["value"])
        chance = f"{_percent(row['chance'])} if the same number fell on roads at random"
        fresh, at_random = _percent(row["held_out"]), _percent(row["held_out_chance"])
        surely = _chance(row["held_out_p_value"])
        name = OUTCOME_NAMES[outcome]
        if row["measure"].startswith("share_of_length"):
            said.append(
                f"{_percent(share)} of {name} lie on {value} of road length{between}; {chance}. If one half of them "
                f"chooses the roads, {_percent(share)} of the other half lie on {fresh} of road length; {at_random} at "
                f"random ({surely})"
            )
        else:
            said.append(
                f"{_percent(share)} of road length carries {value} of {name}{between}; {chance}. If one half of them "
                f"chooses the roads, these carry {fresh} of the other half; {at_random} at random ({surely})"
            )
    return said


def _chance(p_value: float) -> str:
    """Say what the half that is counted tells of roads that the other half chose."""
    if p_value <= 1 - LEVEL:
        return f"more concentrated than chance makes them, p = {p_value:.2g}"
    return f"no more concentrated than chance can make them, p = {p_value:.2g}"


def _percent(share: float) -> str:
    return f"{100 * share:.2g} %" if share < 0.1 else f"{100 * share:.0f} %"
