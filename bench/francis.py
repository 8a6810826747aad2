"""The method of Francis et al. 2023 (Scientific Reports 13:10922), as roadprint's design describes its published code.

Points along roads; a collision is counted at every point within 55 m; an autoencoder with a bottleneck of 32 x 12 x 12
sees the imagery; of its principal components those that correlate with collisions are kept; points with 3 collisions or
more are grouped by Ward's method; groups are then described by their collisions. It tests nothing. What a reader may
take as a difference is put to the test that takes points as independent.

Where the paper leaves room, this is what is taken: our tiles are its points; tiles are shrunk to 96 x 96 pixels, which
three convolutions of stride 2 bring to 12 x 12; components that hold 90 % of the variance, 50 at most; correlation at
p < 0.05 (Pearson), all components where none does; as many groups as our own.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import shapely
import torch
from numpy.typing import NDArray
from scipy.stats import kruskal, pearsonr
from sklearn.cluster import AgglomerativeClustering
from sklearn.decomposition import PCA
from torch import nn
from torch.nn import functional

SIDE = 96
WITHIN_M, HAZARDOUS = 55.0, 3
VARIANCE, COMPONENTS, LEVEL = 0.9, 50, 0.05
EPOCHS, BATCH, RATE = 15, 32, 1e-3
Floats = NDArray[np.float64]
Ints = NDArray[np.int64]


class Autoencoder(nn.Module):
    """Three convolutions of stride 2 to the bottleneck, and three back."""

    def __init__(self) -> None:
        super().__init__()
        self.encoder = nn.Sequential(
            nn.Conv2d(3, 16, 3, stride=2, padding=1),
            nn.ReLU(),
            nn.Conv2d(16, 32, 3, stride=2, padding=1),
            nn.ReLU(),
            nn.Conv2d(32, 32, 3, stride=2, padding=1),
            nn.ReLU(),
        )
        self.decoder = nn.Sequential(
            nn.ConvTranspose2d(32, 32, 3, stride=2, padding=1, output_padding=1),
            nn.ReLU(),
            nn.ConvTranspose2d(32, 16, 3, stride=2, padding=1, output_padding=1),
            nn.ReLU(),
            nn.ConvTranspose2d(16, 3, 3, stride=2, padding=1, output_padding=1),
            nn.Sigmoid(),
        )

    def forward(self, images: torch.Tensor) -> torch.Tensor:
        """Encode ``(n, 3, 96, 96)`` of 0 to 1 and draw it again."""
        drawn: torch.Tensor = self.decoder(self.encoder(images))
        return drawn


def shrink(pixels: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Bring a tile ``(3, height, width)`` to ``(3, 96, 96)``."""
    image = torch.from_numpy(np.ascontiguousarray(pixels)).float()[None]
    small = functional.interpolate(image, (SIDE, SIDE), mode="bilinear", antialias=True)
    return small[0].round().clamp(0, 255).byte().numpy()


def train(images: NDArray[np.uint8], *, seed: int, epochs: int = EPOCHS) -> tuple[Floats, float]:
    """Train the autoencoder on tiles; give the flattened bottleneck of each, and the last epoch's squared error."""
    torch.manual_seed(seed)
    model = Autoencoder()
    optimiser = torch.optim.Adam(model.parameters(), RATE)
    order = np.random.default_rng(seed)
    loss_sum = float("nan")
    for _ in range(epochs):
        shuffled = order.permutation(len(images))
        loss_sum = 0.0
        for start in range(0, len(images), BATCH):
            batch = _tensor(images[shuffled[start : start + BATCH]])
            loss = functional.mse_loss(model(batch), batch)
            optimiser.zero_grad()
            loss.backward()
            optimiser.step()
            loss_sum += loss.item() * len(batch)
    model.eval()
    with torch.inference_mode():
        parts = [
            model.encoder(_tensor(images[start : start + BATCH])).flatten(1).numpy()
            for start in range(0, len(images), BATCH)
        ]
    return np.concatenate(parts).astype(np.float64), loss_sum / len(images)


def _tensor(images: NDArray[np.uint8]) -> torch.Tensor:
    return torch.from_numpy(images).float() / 255


def components(features: Floats) -> Floats:
    """Give the principal components that hold `VARIANCE` of the variance, `COMPONENTS` at most."""
    pca = PCA(n_components=min(COMPONENTS, *features.shape), svd_solver="randomized", random_state=0)
    found = pca.fit_transform(features)
    enough = int(np.searchsorted(np.cumsum(pca.explained_variance_ratio_), VARIANCE)) + 1
    return np.asarray(found[:, :enough], dtype=np.float64)


def count_near(points: NDArray[np.object_], collisions: NDArray[np.object_]) -> Ints:
    """Count at each point the collisions within 55 m: one counts at every such point."""
    tree = shapely.STRtree(points)
    _, at = tree.query(collisions, predicate="dwithin", distance=WITHIN_M)
    return np.bincount(at, minlength=len(points)).astype(np.int64)


@dataclass(frozen=True)
class Finding:
    """What the method finds.

    Attributes
    ----------
    hazardous
        Points with 3 collisions or more.
    labels
        Group of each of them, from 0.
    kept
        Components that correlate with collisions.
    p_value
        Of the test that the groups' counts are alike, points taken as independent (Kruskal and Wallis 1952); 1 where
        there is nothing to test.
    """

    hazardous: Ints
    labels: Ints
    kept: Ints
    p_value: float


def correlated(space: Floats, counts: Ints) -> Ints:
    """Keep the components that correlate with collisions; all of them where none does."""
    if not np.ptp(counts):
        return np.arange(space.shape[1])
    kept = np.flatnonzero(pearsonr(space, counts[:, None], axis=0).pvalue < LEVEL)
    return kept if len(kept) else np.arange(space.shape[1])


def find(space: Floats, counts: Ints, k: int) -> Finding:
    """Group the hazardous points into `k`, and test whether the groups' counts differ."""
    kept = correlated(space, counts)
    hazardous = np.flatnonzero(counts >= HAZARDOUS)
    if len(hazardous) <= k:
        return Finding(hazardous, np.zeros(len(hazardous), dtype=np.int64), kept, 1.0)
    labels = ward(space[hazardous][:, kept], k)
    mine = counts[hazardous]
    groups = [mine[labels == label] for label in range(k)]
    p_value = float(kruskal(*groups).pvalue) if np.ptp(mine) else 1.0
    return Finding(hazardous, labels, kept, p_value)


def ward(points: Floats, k: int) -> Ints:
    """Group points by Ward's method (1963, Journal of the American Statistical Association 58:236-244)."""
    return np.asarray(AgglomerativeClustering(min(k, len(points))).fit_predict(points), dtype=np.int64)
