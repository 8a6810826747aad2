"""The types of a city's roads by a typology, in the form of types that were found in the city itself."""

from __future__ import annotations

from typing import Any

import geopandas as gpd
import numpy as np
import pandas as pd
from sklearn.metrics import adjusted_rand_score

from geo.clusters.evidence.choose import EVIDENCE
from geo.clusters.evidence.groupings import NONE
from geo.clusters.evidence.merging import what_merging_loses
from geo.clusters.fit import Clustering, cluster
from geo.clusters.found.prototypes import pick_with_tiles
from geo.clusters.found.road_types import APART_TILES, RoadTypes, judged, looks_like
from geo.clusters.graph.ground import same_ground
from geo.clusters.graph.smoothing import smooth
from geo.clusters.registry import method_of
from geo.clusters.space import to_space
from geo.clusters.typology.assign import Assigned, assign
from geo.clusters.typology.model import Typology
from geo.config import Clusters
from geo.errors import LayerError
from geo.features.fingerprints import Fingerprints

TOLD = 0.05
"""From this share of the length on, a run warns of segments that are like none of the types."""


def assign_types(
    fingerprints: Fingerprints,
    tiles: pd.DataFrame,
    segments: gpd.GeoDataFrame,
    typology: Typology,
    settings: Clusters,
    *,
    tile_m: float,
) -> RoadTypes:
    """Give the segments of a city to the types of a typology; see `geo.clusters.found.road_types.find_types`.

    Parameters
    ----------
    fingerprints
        What the segments look like, made as those of the typology were.
    tiles, segments, settings, tile_m
        As there.
    typology
        The types, whose numbers stay.

    Returns
    -------
    As of `find_types`: ``cluster`` and what goes with it are null where a segment is like none of the types, ``choice``
    is the evidence of the typology, ``groupings`` are its bootstrap groupings, and ``quality`` has ``typology``.

    Raises
    ------
    LayerError
        When not one segment is like any of the types.
    """
    ids = fingerprints.segment_ids
    roads = segments.set_index("segment_id").loc[ids]
    same = same_ground(roads, tile_m=tile_m)
    found = assign(typology, fingerprints.vectors, same)
    alike = found.numbers != NONE
    if not alike.any():
        raise LayerError(
            f"not one of {len(ids):,} segments looks like any type of the typology",
            where="clusters.typology",
            todo="Leave the key out, so that types are found in the city itself, or fit a typology with it "
            "('roadprint typology fit').",
        )
    settings = method_of(settings)
    points = to_space(fingerprints.bands, settings)
    present = np.unique(found.numbers[alike])
    baseline = cluster(points, len(present), settings, smoothed=smooth(points, settings, same))
    mine = Clustering(found.numbers[alike], found.margin[alike], found.distance[alike])
    picks = pick_with_tiles(ids[alike], mine, found.probability[alike], tiles, seed=settings.seed)
    like = pd.Series(None, index=ids, dtype=object)
    like[alike] = looks_like(ids[alike], found.points[alike], mine, roads[alike], APART_TILES * tile_m)
    encoder = judged(fingerprints.vectors, found.points[alike], mine)
    used = _used(typology, found, roads.geometry.length.to_numpy())
    encoder["warnings"] = [*encoder["warnings"], *_warnings(used)]
    quality = {
        "encoder": encoder,
        "baseline": judged(fingerprints.bands, points, baseline),
        "agreement_with_baseline": float(adjusted_rand_score(mine.labels, baseline.labels[alike])),
        "k": len(present),
        "typology": used,
    }
    table = _table(ids, found, baseline, like)
    groupings = pd.DataFrame({"segment_id": ids, "clusters": list(found.groupings)})
    choice = pd.DataFrame([one.model_dump() for one in typology.card.choice])
    choice = choice.reindex(columns=["k", *EVIDENCE, "chosen"]).astype(dict.fromkeys(EVIDENCE, "float64"))
    merging = what_merging_loses(found.points[alike], mine.labels, found.groupings[alike])
    return RoadTypes(table, picks, choice, groupings, merging, quality)


def _table(ids: pd.Index, found: Assigned, baseline: Clustering, like: pd.Series) -> pd.DataFrame:
    """Lay out what is known of each segment."""
    alike = found.numbers != NONE
    numbers = pd.Series(found.numbers, dtype="Int64")
    second = pd.Series(found.second, dtype="Int64")
    return pd.DataFrame(
        {
            "segment_id": ids,
            "cluster": numbers.where(alike),
            "cluster_margin": np.where(alike, found.margin, np.nan),
            "cluster_probability": found.probability,
            "cluster_second": second.where(second != NONE),
            "cluster_baseline": pd.array(baseline.labels, dtype="Int64"),
            "looks_like": like.to_numpy(),
        }
    )


def _used(typology: Typology, found: Assigned, lengths: np.ndarray[Any, Any]) -> dict[str, Any]:
    """Say which typology was used, and how much of the city is like none of its types."""
    alike = found.numbers != NONE
    numbers = typology.card.numbers
    return {
        "digest": typology.digest,
        "version": typology.card.version,
        "cities": [one.city for one in typology.card.cities],
        "types": len(numbers),
        "lacking": sorted(int(number) for number in set(numbers) - set(found.numbers)),
        "like_none": int((~alike).sum()),
        "like_none_share": float(lengths[~alike].sum() / lengths.sum()),
    }


def _warnings(used: dict[str, Any]) -> list[str]:
    """Warn where much of the city is like none of the types."""
    share = used["like_none_share"]
    if share < TOLD:
        return []
    told = f"{share:.0%} of the length is like none of the typology's types (1 % is to be expected)"
    return [f"{told}: types found here, or a typology fitted with this city, may suit it better"]
