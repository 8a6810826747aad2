"""Which roads are asked about."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Literal

import geopandas as gpd
import numpy as np
import pyproj
import shapely
from numpy.typing import NDArray

from geo.errors import LayerError, meant
from geo.search.conditions import Condition, meets

Amount = Literal["few", "many"]
SHRUNK = "ksi_per_km_year_eb"
BESIDE = 0.1
"""So far from roads no part of a box matters (degrees)."""
NOWHERE = "Ask for fewer conditions."


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which segments are asked about.

    Attributes
    ----------
    among
        One a segment.
    unknown
        Of how many segments it is not known whether they meet a condition, by its text: these are no answers.
    """

    among: NDArray[np.bool_]
    unknown: dict[str, int] = field(default_factory=dict)


def wanted(
    segments: gpd.GeoDataFrame,
    *,
    road_classes: Sequence[str] = (),
    within: shapely.Geometry | None = None,
    collisions: Amount | None = None,
    where: Sequence[Condition] = (),
) -> Wanted:
    """Tell which segments are asked about.

    Parameters
    ----------
    segments
        ``road_class``, `SHRUNK` (null: not known) and lines.
    road_classes
        Classes of road; none: all.
    within
        Where the middle of a segment lies, in their CRS; None: anywhere.
    collisions
        ``few``: a shrunk rate of collisions in which people were killed or seriously injured that is no greater than
        the median of the road class, as of look-alikes (`geo.safety.picture.lookalikes`); ``many``: a greater one. Of
        what no rate is known it is neither.
    where
        Conditions on columns, all of which are to be met; what is null meets none.

    Raises
    ------
    LayerError
        When no segment is of a class that is named, lies in the area or meets a condition, a condition cannot be asked
        (`geo.search.conditions.meets`), or rates are known of none.
    """
    found = np.ones(len(segments), dtype=bool)
    if road_classes:
        there = segments["road_class"].astype("string")
        unknown = sorted(set(road_classes) - set(there.dropna()))
        if unknown:
            raise LayerError(
                f"no road with a fingerprint is of the class {', '.join(map(repr, unknown))}"
                f"{meant(unknown[0], there.dropna().unique())}",
                where="class",
                todo=f"There are: {', '.join(sorted(set(there.dropna()))) or 'none'}.",
            )
        found &= there.isin(list(road_classes)).to_numpy(dtype=bool)
    if within is not None:
        middles = shapely.line_interpolate_point(segments.geometry.to_numpy(), 0.5, normalized=True)
        inside = shapely.within(middles, within)
        if not inside.any():
            raise none_within()
        found &= inside
    if collisions is not None:
        found &= _by_rate(segments, collisions)
    not_known: dict[str, int] = {}
    for condition in where:
        met, missing = meets(segments.drop(columns=segments.geometry.name), condition)
        not_known[condition.text] = int(missing.sum())
        if not met.any():
            raise LayerError(
                f"no road with a fingerprint meets it (not known of {not_known[condition.text]} of {len(segments)})",
                where=f"where {condition.text}",
                todo=NOWHERE,
            )
        found &= met
    if not found.any():
        raise LayerError("no road meets all conditions", where="find", todo=NOWHERE)
    return Wanted(found, not_known)


def near(
    box: tuple[float, float, float, float], segments: gpd.GeoDataFrame
) -> tuple[float, float, float, float]:
    """Cut a box down to where segments lie: one of half the world has no shape in the CRS of a city.

    Parameters
    ----------
    box
        West, south, east, north (degrees).
    segments
        Lines (metres).

    Raises
    ------
    LayerError
        When they lie elsewhere.
    """
    to_degrees = pyproj.Transformer.from_crs(segments.crs, 4326, always_xy=True)
    west, south, east, north = to_degrees.transform_bounds(*segments.total_bounds)
    if west > east:
        # across the 180th meridian
        return box
    here = shapely.intersection(shapely.box(*box), shapely.box(west, south, east, north).buffer(BESIDE))
    if here.is_empty:
        raise none_within()
    west, south, east, north = map(float, here.bounds)
    return west, south, east, north


def none_within() -> LayerError:
    """Say that no road lies in the area that is asked about."""
    return LayerError(
        "no road with a fingerprint lies in it", where="within", todo="Name an area within the city."
    )


def _by_rate(segments: gpd.GeoDataFrame, collisions: Amount) -> NDArray[np.bool_]:
    """Tell which segments have few or many collisions for their class."""
    rates = segments[SHRUNK].astype("float64")
    if rates.isna().all():
        raise LayerError(
            "rates of collisions are not known of any road: the run has no records, or too few",
            where=f"{collisions} collisions",
            todo="Leave that condition out, or run the city with collisions.",
        )
    usual = rates.groupby(segments["road_class"].fillna("")).transform("median")
    few = collisions == "few"
    found: NDArray[np.bool_] = (rates <= usual if few else rates > usual).to_numpy(dtype=bool)
    return found
