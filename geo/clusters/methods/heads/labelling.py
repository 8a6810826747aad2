"""Heads trained on by what they are sure of (SCAN's third step), and put back where that loses a type."""

from __future__ import annotations

import numpy as np
import torch
from numpy.typing import NDArray

from geo.clusters.methods.heads.training import AT_ONCE, RATE, Heads, Pairs, memberships, steps_of

KEPT = 0.5
"""A type that keeps less than so much of its segments is lost."""


def self_labelled(heads: Heads, pairs: Pairs, sure: float, *, seed: int) -> tuple[Heads, int]:
    """Train each head with the types that it is sure of, each type as heavy as any other.

    Cross-entropy with weights (Van Gansbeke et al. 2020, section 2.3). It is known to lose types: a head in which one
    has less than `KEPT` of its segments afterwards is put back as it was.

    Parameters
    ----------
    heads
        Trained heads.
    pairs
        What they were trained on.
    sure
        Segments count of which a head is surer than this (probability).
    seed
        Of the segments that are drawn.

    Returns
    -------
    The heads, and how many were put back.
    """
    before = memberships(heads, pairs.points)
    held = np.bincount(pairs.anchors, minlength=len(pairs.points))
    k = before.shape[2]
    labels = before.argmax(axis=2)
    sizes = np.stack([np.bincount(one, held, minlength=k) for one in labels])
    trained = _trained(heads, pairs, before, sure, seed)
    after = memberships(trained, pairs.points).argmax(axis=2)
    kept = np.stack(
        [
            np.bincount(one[one == now], held[one == now], minlength=k)
            for one, now in zip(labels, after, strict=True)
        ]
    )
    lost = (kept < KEPT * sizes).any(axis=1)
    back = torch.from_numpy(lost)[:, None, None]
    found = Heads(
        torch.where(back, heads.weights, trained.weights), torch.where(back, heads.bias, trained.bias)
    )
    return found, int(lost.sum())


def _trained(heads: Heads, pairs: Pairs, before: NDArray[np.float32], sure: float, seed: int) -> Heads:
    trained = heads.copy()
    trained.weights.requires_grad_()
    trained.bias.requires_grad_()
    optimiser = torch.optim.Adam([trained.weights, trained.bias], lr=RATE)
    labels = torch.from_numpy(before.argmax(axis=2))
    counted = torch.from_numpy(before.max(axis=2) > sure)
    rng = np.random.default_rng(seed)
    for _ in range(steps_of(len(pairs.anchors))):
        rows = rng.choice(pairs.anchors, min(AT_ONCE, len(pairs.anchors)))
        found, taken = labels[:, rows], counted[:, rows]
        one_hot = torch.nn.functional.one_hot(found, before.shape[2]) * taken[:, :, None]
        of_each = one_hot.sum(dim=1, keepdim=True)
        weight = (one_hot / of_each.clamp_min(1)).sum(dim=2)
        likely = trained(torch.from_numpy(pairs.points[rows])).gather(2, found[:, :, None])[:, :, 0]
        loss = -(weight * likely.clamp_min(1e-8).log()).sum()
        optimiser.zero_grad()
        loss.backward()  # type: ignore[no-untyped-call]
        optimiser.step()
    return trained.copy()
