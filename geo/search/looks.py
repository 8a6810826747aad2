"""What a city's roads look like, laid out to be asked."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property

import geopandas as gpd
import numpy as np
import pandas as pd
import scipy.sparse as sp
import shapely
from numpy.typing import NDArray

from geo.clusters.graph.ground import same_ground
from geo.clusters.likeness.alike import same_place
from geo.clusters.space import Points
from geo.errors import LayerError
from geo.features.encoder import Embeddings
from geo.search.example import Example
from geo.search.ranking import (
    BALANCE,
    POOL,
    SEED,
    SHORTLIST,
    Ranked,
    Rows,
    Vectors,
    cosines,
    direction,
    fitting,
    one_of_each,
    rank,
    spread,
)
from geo.search.tiles import Tiles, overlapping, same_ground_of_tiles, same_place_of_tiles
from geo.search.words.fit import Fit

AT_REACH_M = 100.0
"""A place asked about is this near to a road with a fingerprint, or it is outside the city (metres)."""
ANSWERS = (
    "rank",
    "segment_id",
    "tile_id",
    "name",
    "likeness",
    "x",
    "y",
    "why",
    "rank_of_all",
    "of_all",
    "cosine",
)
"""Columns of answers; those of segments follow."""
OF_TILES = "position_m"
"""Where along its segment a tile lies (metres)."""
OVERLAPPING = 3
"""So many tiles stand for one answer, since those of a street overlap."""
OF_SEGMENTS = (
    "ref",
    "road_class",
    "cluster",
    "length_m",
    "years",
    "n_collisions",
    "n_ksi",
    "ksi_per_km_year",
    "ksi_per_km_year_eb",
)


@dataclass(frozen=True)
class Looks:
    """Segments with a fingerprint, in the space of types.

    Attributes
    ----------
    segments
        Segments with their lines (metres), in the order of `points`.
    tiles
        ``tile_id, segment_id, position_m`` and footprints of tiles, in the same CRS.
    vectors
        Fingerprints, ``(segments, dimension)``.
    points
        Where they lie in the space of types, rows of length 1, ``(segments, components)``.
    into
        Brings other fingerprints to there.
    tile_m
        Side of a tile (metres).
    seen
        Tiles with a fingerprint of their own; None: none were kept.
    """

    segments: gpd.GeoDataFrame
    tiles: gpd.GeoDataFrame
    vectors: Embeddings
    points: Vectors
    into: Callable[[Embeddings], Points]
    tile_m: float
    seen: Tiles | None = None

    def row_of(self, segment_id: str) -> int | None:
        """Find a segment by its id; None: it has no fingerprint."""
        (row,) = self._by_id.get_indexer(pd.Index([segment_id]))
        return int(row) if row >= 0 else None

    @cached_property
    def _by_id(self) -> pd.Index:
        ids: pd.Index = pd.Index(self.segments["segment_id"])
        return ids

    def at(self, lon: float, lat: float) -> Example:
        """Take the segment at a place as an example.

        Parameters
        ----------
        lon, lat
            Degrees (EPSG:4326).

        Raises
        ------
        LayerError
            When no segment with a fingerprint lies within `AT_REACH_M`.
        """
        where = f"{lon:g},{lat:g}"
        if not (-180 <= lon <= 180 and -90 <= lat <= 90):
            raise LayerError(
                "it is no place in degrees", where=where, todo="Give longitude, then latitude: -71.1,42.37."
            )
        (place,) = gpd.GeoSeries([shapely.Point(lon, lat)], crs=4326).to_crs(self.segments.crs)
        apart = self.segments.geometry.distance(place).to_numpy()
        row = int(np.nan_to_num(apart, nan=np.inf, posinf=np.inf).argmin())
        if not apart[row] <= AT_REACH_M:
            away = f"{apart[row]:,.0f} m" if np.isfinite(apart[row]) else "far"
            raise LayerError(
                f"the nearest road with a fingerprint is {away} away",
                where=where,
                todo="Give a place on a road of the city that imagery shows: longitude, then latitude.",
            )
        return self.example(row, f"at {where}")

    def example(self, row: int, label: str | None = None) -> Example:
        """Take a segment as an example."""
        segment_id = str(self.segments["segment_id"].iloc[row])
        return Example(label or f"segment {segment_id}", self.vectors[row], segment_id)

    def tile(self, tile_id: str) -> Example | None:
        """Take a tile as an example; None: there is none of that name with a fingerprint."""
        found = None if self.seen is None else self.seen.example(tile_id)
        if found is None:
            return None
        segment_id, vector = found
        return Example(f"tile {tile_id}", vector, segment_id, tile_id)

    def find(
        self,
        yes: Sequence[Example],
        no: Sequence[Example],
        *,
        among: NDArray[np.bool_],
        shown: int,
        balance: float = BALANCE,
        skip: int = 0,
        seed: int = SEED,
        fit: Fit | None = None,
    ) -> gpd.GeoDataFrame:
        """Find the segments that look most like examples.

        Parts of an example's own road within 200 m, and segments whose tiles overlap its own, are left out
        (`geo.clusters.likeness.alike.same_place`).

        Parameters
        ----------
        yes, no
            Of what is meant, one at least, and of what is not.
        among
            Which segments are asked about, ``(segments,)``.
        shown
            How many answers are wanted (number).
        balance, skip
            See `geo.search.ranking.spread`.
        seed
            Of what is drawn at random.
        fit
            How well the word fits that alone is asked for; `yes` are examples of it. None: examples are all there is.

        Returns
        -------
        The most alike first, with `ANSWERS` and what is known of `OF_SEGMENTS`: ``rank`` (from 1), the tile of the
        segment that looks most like the examples and its centre (``x``, ``y``; the tile in the middle where tiles have
        no fingerprints), ``likeness`` (see `geo.search.ranking.Ranked`), ``why`` (the example that it looks most like),
        ``rank_of_all`` of ``of_all`` (its place among all that were held against the examples, before answers were
        spread), and ``cosine`` (with what the examples mean: it hangs on no other road, and a threshold is of it).
        """
        own = [one.segment_id for one in [*yes, *no] if one.segment_id is not None]
        left_out = ~among | same_place(self.segments, self.tiles, own)
        meant, unlike = self._points_of(yes), self._points_of(no)
        if fit is None:
            found = rank(
                self.points,
                meant,
                unlike,
                left_out=left_out,
                same=self._same,
                shown=skip + shown,
                seed=seed,
            )
        else:
            fits = fit.score(self.vectors)
            found = fitting(self.points, fits, meant, least=fit.least, left_out=left_out)
        places = spread(self.points, found, shown, balance=balance, skip=skip)
        rows = found.rows[places]
        answers = self.segments.iloc[rows].reset_index(drop=True)
        tiles = self._shown_tiles(answers, rows, direction(meant, unlike), fit)
        answers = answers.assign(
            tile_id=tiles["tile_id"].to_numpy(), x=tiles["x"].to_numpy(), y=tiles["y"].to_numpy()
        )
        return _told(answers, found, places, yes, skip)

    def find_tiles(
        self,
        yes: Sequence[Example],
        no: Sequence[Example],
        *,
        among: NDArray[np.bool_],
        shown: int,
        balance: float = BALANCE,
        skip: int = 0,
        seed: int = SEED,
        fit: Fit | None = None,
    ) -> gpd.GeoDataFrame:
        """Find the tiles that look most like examples; parameters as of `find`, `among` of segments as well.

        Tiles of an example's own road within 200 m of it, and those that overlap it, are left out
        (`geo.search.tiles.same_place_of_tiles`); of answers that overlap the one that is most alike is given.

        Returns
        -------
        As of `find`, with the tile's footprint, and ``position_m`` of it along its segment (metres).

        Raises
        ------
        LayerError
            When tiles have no fingerprints.
        """
        seen = self._seen().everyone()
        left_out = ~among[seen.segment]
        left_out |= same_place_of_tiles(seen, self.segments, self.tiles, [*yes, *no])
        if left_out.all():
            raise LayerError(
                "no tile is left that can be asked about", where="find", todo="Ask about more roads."
            )
        meant, many = self._points_of(yes), OVERLAPPING * (skip + shown)
        if fit is None:
            found = rank(
                seen.points,
                meant,
                self._points_of(no),
                left_out=left_out,
                same=lambda rows: same_ground_of_tiles(seen, self.segments, rows, self.tile_m),
                shown=many,
                seed=seed,
            )
        else:
            fits = self._seen().scored(fit.score)
            found = fitting(seen.points, fits, meant, least=fit.least, left_out=left_out)
            found = found.at(np.arange(min(len(found.rows), max(SHORTLIST, POOL * many))))
        squares = seen.tiles.geometry.to_numpy()[found.rows]
        kept = one_of_each(overlapping(squares), POOL * (skip + shown))
        places = kept[spread(seen.points, found.at(kept), shown, balance=balance, skip=skip)]
        rows = found.rows[places]
        answers = self.segments.iloc[seen.segment[rows]].reset_index(drop=True)
        tiles = seen.tiles.iloc[rows]
        answers = answers.assign(
            tile_id=tiles["tile_id"].to_numpy(),
            position_m=tiles["position_m"].to_numpy(),
            x=seen.centres[rows, 0],
            y=seen.centres[rows, 1],
        ).set_geometry(gpd.GeoSeries(tiles.geometry.to_numpy(), crs=self.segments.crs))
        return _told(answers, found, places, yes, skip)

    def _seen(self) -> Tiles:
        if self.seen is None:
            raise LayerError(
                "the run kept no fingerprints of single tiles",
                where="find",
                todo="Run the city again, which adds them without encoding anything anew; or ask over segments.",
            )
        return self.seen

    def fitted(self, fit: Fit, count: int) -> list[Example]:
        """Take the segments that a word fits best as examples of it, no more than so many; none where it fits none."""
        fits = fit.score(self.vectors)
        best = np.argsort(-fits, kind="stable")[:count]
        return [Example(fit.label, self.vectors[row]) for row in best if fits[row] > fit.least]

    def _points_of(self, examples: Sequence[Example]) -> Vectors:
        """Bring examples into the space of types."""
        if not examples:
            return self.points[:0]
        vectors = np.stack([one.vector for one in examples]).astype(np.float32)
        if vectors.shape[1] != self.vectors.shape[1]:
            raise LayerError(
                f"an example has {vectors.shape[1]} numbers, and fingerprints have {self.vectors.shape[1]}",
                where="find",
                todo="Give examples that the run's own encoder has seen.",
            )
        return self.into(vectors).astype(np.float32)

    def _same(self, rows: Rows) -> sp.csr_array:
        return same_ground(self.segments.iloc[rows], tile_m=self.tile_m)

    def _shown_tiles(
        self, answers: gpd.GeoDataFrame, rows: Rows, wanted: Vectors, fit: Fit | None
    ) -> pd.DataFrame:
        """Give the tile of each segment that looks most like what is wanted, or fits best, with its centre."""
        if self.seen is None:
            return self._middle_tiles(answers)
        ids, vectors = self.seen.of_segments(rows)
        if fit is None:
            likeness = cosines(self.into(vectors).astype(np.float32), wanted[None])[:, 0].astype(np.float64)
        else:
            likeness = fit.score(vectors)
        best = ids.assign(likeness=likeness).sort_values(["likeness", "tile_id"], ascending=[False, True])
        best = best.drop_duplicates("segment_id").set_index("segment_id").reindex(answers["segment_id"])
        tiles = self.tiles[self.tiles["tile_id"].isin(best["tile_id"])].set_index("tile_id")
        centres = tiles.geometry.reindex(best["tile_id"]).centroid
        return best.assign(x=centres.x.to_numpy(), y=centres.y.to_numpy())

    def _middle_tiles(self, answers: gpd.GeoDataFrame) -> pd.DataFrame:
        """Give the encoded tile nearest to the middle of each segment, with its centre."""
        tiles = self.tiles[self.tiles["segment_id"].isin(answers["segment_id"])]
        if "encoded" in tiles:
            tiles = tiles[tiles["encoded"].fillna(value=False).astype(bool)]
        centres = tiles.geometry.centroid
        laid = pd.DataFrame(
            {
                "tile_id": tiles["tile_id"],
                "segment_id": tiles["segment_id"],
                "x": centres.x,
                "y": centres.y,
                "position_m": tiles["position_m"],
            }
        )
        middle = laid["segment_id"].map(answers.set_index("segment_id").geometry.length / 2).astype("float64")
        laid = laid.assign(off=(laid["position_m"] - middle).abs()).sort_values(["off", "tile_id"])
        return laid.drop_duplicates("segment_id").set_index("segment_id").reindex(answers["segment_id"])


def _told(
    answers: gpd.GeoDataFrame, found: Ranked, places: Rows, yes: Sequence[Example], skip: int
) -> gpd.GeoDataFrame:
    """Say of answers how much they are like what was asked, and lay their columns out in their order."""
    answers = answers.assign(
        rank=np.arange(skip + 1, skip + len(places) + 1),
        likeness=found.likeness[places],
        why=[yes[nearest].label for nearest in found.nearest[places]],
        rank_of_all=places + 1,
        of_all=found.among,
        cosine=found.cosine[places],
    )
    there = [name for name in (OF_TILES, *OF_SEGMENTS) if name in answers]
    return answers[[*ANSWERS, *there, answers.geometry.name]]
