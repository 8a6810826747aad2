"""A head on frozen features, trained so that cells of a superpixel are alike and unlike those of others.

MaskContrast (Van Gansbeke et al. 2021, ICCV, arXiv 2102.06191), with superpixels of the city's own ground as masks and
the encoder left as it is: a linear head alone is trained. Most superpixels of a city have many of their kind, which are
not to be pushed apart: only those that the encoder finds least alike are contrasted.
"""

from __future__ import annotations

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn.functional import cross_entropy, normalize

from geo.clusters.methods.heads.training import one_thread
from geo.ground.contract import Features

OUTPUTS = 32
TEMPERATURE = 0.3
STEPS, RATE = 300, 0.003
MASKS, CELLS = 96, 8
"""Superpixels of a step, and cells that are drawn of each."""
OTHERS = 0.25
"""A superpixel is contrasted with this share of the others of a step, those least like it."""


def info_nce(cells: Tensor, masks: int, temperature: float, others: Tensor) -> Tensor:
    """Give the loss of a step: of each cell, how unlikely its own mask is by its likeness to the masks' means.

    Equation 2 of MaskContrast: the mean of ``-log(exp(z m / t) / sum of exp(z m' / t) over its own and other masks)``.

    Parameters
    ----------
    cells
        Of length 1, as many of each mask, mask after mask: ``(masks * n, outputs)``.
    masks
        How many there are.
    temperature
        The smaller, the more the nearest masks count.
    others
        Which masks (columns) each one (row) is contrasted with, ``(masks, masks)``; its own always counts.
    """
    means = normalize(cells.reshape(masks, -1, cells.shape[1]).mean(dim=1), dim=1)
    own = torch.arange(masks).repeat_interleave(len(cells) // masks)
    counted = (others | torch.eye(masks, dtype=torch.bool))[own]
    return cross_entropy((cells @ means.T / temperature).masked_fill(~counted, -torch.inf), own)


def least_alike(points: Tensor, masks: int) -> Tensor:
    """Tell the share `OTHERS` of masks that are least like each one, by the means of its points; see `info_nce`."""
    means = normalize(points.reshape(masks, -1, points.shape[1]).mean(dim=1), dim=1)
    likeness = means @ means.T
    return likeness <= torch.quantile(likeness, OTHERS, dim=1, keepdim=True)


def train_head(points: Features, proposals: NDArray[np.int64], seed: int) -> Features:
    """Train a head; the same points and seed give the same bytes.

    Parameters
    ----------
    points
        Cells in the reduced space, ``(cells, components)``.
    proposals
        Number of each cell's superpixel, ``(cells,)``.
    seed
        Of the head's start and of what is drawn.

    Returns
    -------
    What points are multiplied by, ``(components, outputs)``; the identity where there are fewer than two superpixels of
    `CELLS` cells.
    """
    order = np.argsort(proposals, kind="stable")
    _, starts, counts = np.unique(proposals[order], return_index=True, return_counts=True)
    large = np.flatnonzero(counts >= CELLS)
    if len(large) < 2:
        return np.eye(points.shape[1], dtype=np.float32)
    rng = np.random.default_rng(seed)
    start, _ = np.linalg.qr(rng.standard_normal((points.shape[1], min(OUTPUTS, points.shape[1]))))
    with one_thread():
        shown = torch.from_numpy(np.ascontiguousarray(points, dtype=np.float32))
        head = torch.from_numpy(start.astype(np.float32)).requires_grad_()
        optimiser = torch.optim.Adam([head], lr=RATE)
        for _ in range(STEPS):
            masks = rng.choice(large, min(MASKS, len(large)), replace=False)
            drawn = np.argsort(rng.random((len(masks), counts.max())) + _beyond(counts[masks], counts.max()))
            rows = order[starts[masks][:, None] + drawn[:, :CELLS]].ravel()
            cells = shown[torch.from_numpy(rows)]
            others = least_alike(cells, len(masks))
            loss = info_nce(normalize(cells @ head, dim=1), len(masks), TEMPERATURE, others)
            optimiser.zero_grad()
            loss.backward()  # type: ignore[no-untyped-call]
            optimiser.step()
    return np.asarray(head.detach().numpy(), dtype=np.float32)


def _beyond(counts: NDArray[np.int64], most: int) -> NDArray[np.float64]:
    """Give places behind a mask's last cell so much that none of them is drawn, ``(masks, most)``."""
    beyond: NDArray[np.float64] = (np.arange(most) >= counts[:, None]).astype(np.float64)
    return beyond
