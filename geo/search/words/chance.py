"""Words drawn at random over a city, which lie together as much as a real one does: what chance would tell of looks."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy.spatial import cKDTree

RANGES_M = (0.0, 100.0, 250.0, 600.0, 1500.0)
"""How far words that are drawn reach (metres); 0: each tile by itself."""
WAVES = 32
DRAWS = 999
NEAR, FAR = 1.5, 4.0
"""How much a word lies together is told by pairs of tiles that lie so many sides of a tile apart."""
MOST_PAIRS = 20_000
Drawn = NDArray[np.bool_]


class Chance:
    """Draws words at random, as smooth over a city as a real one is.

    A word that lies in quarters goes with anything else that does, and so would be taken for seen. Gaussian fields with
    as much likeness between places a few tiles apart, cut at the word's own share, show how far chance goes (Viladomat
    et al. 2014, Biometrics 70:409-418; fields by random waves, Rahimi and Recht 2007, NIPS 20).

    Parameters
    ----------
    places
        Centres of tiles, ``(n, 2)`` (metres).
    tile_m
        Side of a tile (metres).
    seed
        Of the draws.
    """

    def __init__(self, places: NDArray[np.float64], *, tile_m: float, seed: int) -> None:
        rng = np.random.default_rng(seed)
        waves = rng.normal(size=(2, DRAWS * WAVES)).astype(np.float32)
        phases = rng.uniform(0, 2 * np.pi, DRAWS * WAVES).astype(np.float32)
        middle = places.mean(axis=0) if len(places) else np.zeros(2)
        noise = rng.normal(size=(len(places), DRAWS)).astype(np.float32)
        self._fields = [
            noise if reach == 0 else _field((places - middle) / reach, waves, phases) for reach in RANGES_M
        ]
        apart = cKDTree(places).query_pairs(FAR * tile_m, output_type="ndarray")
        far = np.linalg.norm(places[apart[:, 0]] - places[apart[:, 1]], axis=1) > NEAR * tile_m
        pairs = apart[far]
        self._pairs = pairs[np.sort(rng.permutation(len(pairs))[:MOST_PAIRS])]

    def words(self, tags: NDArray[np.bool_], rows: NDArray[np.intp]) -> Drawn:
        """Draw words as frequent and as smooth as one: ``(rows, DRAWS)``.

        Parameters
        ----------
        tags
            Whether each of the tiles has the word.
        rows
            Which tiles these are.
        """
        place = np.full(len(self._fields[0]), -1)
        place[rows] = np.arange(len(rows))
        pairs = place[self._pairs]
        pairs = pairs[(pairs >= 0).all(axis=1)]
        wanted = _together(tags[:, None], pairs)[0]
        drawn = _highest(self._fields[0][rows], int(tags.sum()))
        for field in self._fields[1:]:
            if np.nanmean(_together(drawn, pairs)) >= wanted or not len(pairs):
                break
            drawn = _highest(field[rows], int(tags.sum()))
        return drawn


def _field(
    places: NDArray[np.float64], waves: NDArray[np.float32], phases: NDArray[np.float32]
) -> NDArray[np.float32]:
    """Draw fields whose likeness falls as a bell over a distance of 1: ``(n, DRAWS)``."""
    found = np.zeros((len(places), DRAWS), dtype=np.float32)
    near = places.astype(np.float32)
    for wave in range(WAVES):
        mine = slice(wave * DRAWS, (wave + 1) * DRAWS)
        found += np.cos(near @ waves[:, mine] + phases[mine])
    return found


def _highest(field: NDArray[np.float32], count: int) -> Drawn:
    """Mark so many places of each field, where it is highest."""
    best = np.argpartition(-field, count - 1, axis=0)[:count]
    found = np.zeros(field.shape, dtype=bool)
    np.put_along_axis(found, best, values=True, axis=0)
    return found


def _together(words: Drawn, pairs: NDArray[np.intp]) -> NDArray[np.float64]:
    """Give the correlation of each word between the two tiles of pairs."""
    one, other = (words[pairs[:, side]].astype(np.float32) for side in (0, 1))
    share = words.mean(axis=0)
    both = (one * other).mean(axis=0) if len(pairs) else share**2
    found: NDArray[np.float64] = (both - share**2) / np.maximum(share * (1 - share), 1e-9)
    return found


def average_precisions(tags: Drawn, scores: NDArray[np.float64]) -> NDArray[np.float64]:
    """Give the average precision of each of several words by its own scores, ``(n, words)`` each: ``(words,)``.

    Scores that are equal count in the order of their rows.
    """
    order = np.argsort(-scores, axis=0, kind="stable")
    hits = np.take_along_axis(tags, order, axis=0)
    found = np.cumsum(hits, axis=0) / np.arange(1, len(hits) + 1)[:, None]
    precision: NDArray[np.float64] = (found * hits).sum(axis=0) / np.maximum(hits.sum(axis=0), 1)
    return precision
