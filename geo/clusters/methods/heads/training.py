"""Linear heads on frozen embeddings, several at once, trained by pairs of looks that should be of one type."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from geo.clusters.methods.kind import Views

AT_ONCE = 256
"""Segments a step."""
EPOCHS = 60
FEWEST_STEPS, MOST_STEPS = 240, 3000
"""Steps are so many that each segment has its turn `EPOCHS` times, within these."""
RATE = 0.01
SHARP = 10.0
"""How much surer a head is at first of the nearer of two centres, for each unit by which half the squares of their
distances differ, where the mean square of the distance from the middle of all is 1."""
LEAST = 1e-8
"""Below this a probability counts as no smaller."""
SHOWN_AT_ONCE = 20_000


@dataclass(slots=True)
class Heads:
    """Linear heads: each gives the probability of every type for a point.

    Attributes
    ----------
    weights, bias
        ``(heads, components, k)`` and ``(heads, 1, k)``.
    """

    weights: Tensor
    bias: Tensor

    @classmethod
    def about(cls, centres: NDArray[np.float64]) -> Heads:
        """Start from centres, ``(heads, k, components)``: the nearer, the likelier."""
        middles = torch.tensor(centres, dtype=torch.float32)
        return cls(
            (SHARP * middles.transpose(1, 2)).contiguous(), -SHARP / 2 * (middles**2).sum(dim=2)[:, None]
        )

    def __call__(self, points: Tensor) -> Tensor:
        """Give probabilities ``(heads, n, k)`` for points ``(n, components)``."""
        return (torch.matmul(points, self.weights) + self.bias).softmax(dim=2)

    def copy(self) -> Heads:
        """Give heads of their own, with the same weights."""
        return Heads(self.weights.detach().clone(), self.bias.detach().clone())


class Objective(ABC):
    """What heads are trained to: how bad a step's pairs are, and what follows a step."""

    @abstractmethod
    def loss(self, heads: Heads, one: Tensor, other: Tensor) -> Tensor:
        """Give the loss of each head, ``(heads,)``, for pairs of looks ``(n, components)``."""

    def follow(self, heads: Heads) -> None:  # noqa: B027 - most have nothing to take in
        """Take in what a step has changed."""


@dataclass(frozen=True, slots=True)
class Pairs:
    """Looks that should be of one type.

    Attributes
    ----------
    points
        Distinct points ``(n, components)``.
    anchors
        Rows of the points, as often as segments lie there, ``(segments,)``.
    neighbours
        Rows of those that look most like each, ``(n, count)``; its own where there are fewer.
    views
        Other looks of each; None: there are none.
    """

    points: NDArray[np.float32]
    anchors: NDArray[np.int64]
    neighbours: NDArray[np.int64]
    views: Views | None = None

    def draw(self, seed: int) -> Iterator[tuple[NDArray[np.float32], NDArray[np.float32]]]:
        """Draw steps without end: segments or other looks of theirs, and one neighbour of each.

        A segment that has other looks shows itself as often as each of them.
        """
        rng = np.random.default_rng(seed)
        size = min(AT_ONCE, len(self.anchors))
        while True:
            order = rng.permutation(self.anchors)
            for start in range(0, len(order) - size + 1, size):
                rows = order[start : start + size]
                yield self._shown(rows, rng), self.points[self._neighbour(rows, rng)]

    def _neighbour(self, rows: NDArray[np.int64], rng: np.random.Generator) -> NDArray[np.int64]:
        which = rng.integers(0, self.neighbours.shape[1], len(rows))
        return self.neighbours[rows, which]

    def _shown(self, rows: NDArray[np.int64], rng: np.random.Generator) -> NDArray[np.float32]:
        if self.views is None or not len(self.views.points):
            return self.points[rows]
        counts = np.diff(self.views.starts)[rows]
        which = (rng.random(len(rows)) * (counts + 1)).astype(np.int64)
        place = np.minimum(self.views.starts[rows] + which, len(self.views.points) - 1)
        return np.where((which < counts)[:, None], self.views.points[place], self.points[rows])


@contextmanager
def one_thread() -> Iterator[None]:
    """Work in one thread: sums of several come in any order, and the last bit of a weight with them."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(before)


def steps_of(segments: int) -> int:
    """Give how many steps heads of so many segments are trained."""
    return int(np.clip(EPOCHS * segments // AT_ONCE, FEWEST_STEPS, MOST_STEPS))


def train(
    heads: Heads, objective: Objective, pairs: Pairs, *, seed: int
) -> tuple[Heads, NDArray[np.float64]]:
    """Train heads in one thread; the same pairs and seed give the same bytes.

    Parameters
    ----------
    heads
        Where they start from.
    objective
        What they are trained to.
    pairs
        What they are trained on.
    seed
        Of the pairs that are drawn.

    Returns
    -------
    The heads, and the mean loss of each over the last tenth of the steps, ``(heads,)``.
    """
    trained = heads.copy()
    trained.weights.requires_grad_()
    trained.bias.requires_grad_()
    # Kingma and Ba 2015
    optimiser = torch.optim.Adam([trained.weights, trained.bias], lr=RATE)
    steps = steps_of(len(pairs.anchors))
    lately = torch.zeros(len(heads.weights), dtype=torch.float64)
    for step, (one, other) in zip(range(steps), pairs.draw(seed), strict=False):
        losses = objective.loss(trained, torch.from_numpy(one), torch.from_numpy(other))
        optimiser.zero_grad()
        losses.sum().backward()  # type: ignore[no-untyped-call]
        optimiser.step()
        objective.follow(trained)
        if step >= steps - steps // 10:
            lately += losses.detach().to(torch.float64)
    return trained.copy(), (lately / (steps // 10)).numpy()


def memberships(heads: Heads, points: NDArray[np.float32]) -> NDArray[np.float32]:
    """Give the probability of each type of each point by each head, ``(heads, n, k)``."""
    with torch.inference_mode():
        found = [
            heads(torch.from_numpy(points[start : start + SHOWN_AT_ONCE])).numpy()
            for start in range(0, len(points), SHOWN_AT_ONCE)
        ]
    return np.concatenate(found, axis=1)
