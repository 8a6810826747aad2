"""Types of road of several cities in tables beside each other: how much of each there is, and what it is like."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import geopandas as gpd
import numpy as np
import pandas as pd
from scipy.stats import norm

from geo.cities.pooled import LEVEL, pooled
from geo.safety.rates import poisson_interval, rate

RATES = {"n_collisions": "collisions", "n_ksi": "ksi"}
RATIO = "rate_ratio_adjusted"
"""The ratio by which types are judged in each city: in the same part of town."""
_Z = float(norm.ppf((1 + LEVEL) / 2))


@dataclass(frozen=True, slots=True)
class TypedCity:
    """A city whose segments were given to the types of a typology.

    Attributes
    ----------
    city
        Its name.
    segments
        Layer ``segments`` of its run.
    types
        Layer ``clusters`` of its run.
    """

    city: str
    segments: gpd.GeoDataFrame
    types: pd.DataFrame


def lengths(cities: Sequence[TypedCity]) -> pd.DataFrame:
    """Add up each city.

    Returns
    -------
    One row a city: ``city, n_segments, length_km, typed_km, like_none_km`` (with imagery, and like none of the types),
    ``unseen_km, km_years`` (outside the reach of junctions), ``n_collisions, n_ksi``, which are null where not known.
    """
    rows = []
    for one in cities:
        frame = one.segments
        km = frame["length_m"].astype("float64") / 1000
        typed = frame["cluster"].notna()
        seen = typed | frame.get("cluster_baseline", pd.Series(pd.NA, index=frame.index)).notna()
        rows.append(
            {
                "city": one.city,
                "n_segments": len(frame),
                "length_km": km.sum(),
                "typed_km": km[typed].sum(),
                "like_none_km": km[seen & ~typed].sum(),
                "unseen_km": km[~seen].sum(),
                "km_years": _km_years(frame).sum(min_count=1),
                **{name: frame[name].sum(min_count=1) for name in RATES},
            }
        )
    return pd.DataFrame(rows).astype({"n_segments": "Int64"} | dict.fromkeys(RATES, "Int64"))


def types_by_city(cities: Sequence[TypedCity]) -> pd.DataFrame:
    """Lay the types of all cities out, whether a city has them or not.

    Returns
    -------
    One row a type and city, by type: ``cluster, city, n_segments, length_km, share`` (of the length that has a type,
    0 to 1), ``km_years``, counts and rates per km and year with exact intervals of the count, and the rate ratio to
    other roads in the same part of the same town with its interval (``rate_ratio``, ``low``, ``high``), its ``q_value``
    and the ``outcome`` that it is of. Null where a city has none of the type, or nothing is known.
    """
    found = pd.concat([_one(city) for city in cities], ignore_index=True)
    numbers = sorted(found["cluster"].unique())
    every = pd.MultiIndex.from_product([numbers, [one.city for one in cities]], names=["cluster", "city"])
    table = found.set_index(["cluster", "city"]).reindex(every).reset_index()
    table["n_segments"] = table["n_segments"].fillna(0).astype("Int64")
    nothing = ["length_km", "share"]
    table[nothing] = table[nothing].fillna(0.0)
    return table


def _one(one: TypedCity) -> pd.DataFrame:
    """Add up the types of one city."""
    frame = one.segments[one.segments["cluster"].notna()]
    by = frame["cluster"].astype("int64")
    table = pd.DataFrame(
        {
            "n_segments": by.groupby(by).size().astype("Int64"),
            "length_km": frame["length_m"].astype("float64").groupby(by).sum() / 1000,
            "km_years": _km_years(frame).groupby(by).sum(min_count=1),
        }
    )
    table["share"] = table["length_km"] / table["length_km"].sum()
    for count, outcome in RATES.items():
        counts = frame[count].astype("Int64").groupby(by).sum(min_count=1)
        table[count] = counts
        table[f"{outcome}_per_km_year"] = rate(counts, table["km_years"])
        plain = counts.astype("Float64").astype("float64")
        for end, limit in zip(("low", "high"), poisson_interval(plain, table["km_years"]), strict=True):
            table[f"{outcome}_per_km_year_{end}"] = limit
    there = one.types.set_index(one.types["cluster"].astype("int64"))
    columns = {RATIO: "rate_ratio", f"{RATIO}_low": "low", f"{RATIO}_high": "high"}
    columns |= {"q_value": "q_value", "outcome": "outcome"}
    said = there.reindex(columns=list(columns)).rename(columns=columns)
    table = table.join(said)
    numeric = [str(name) for name in table.columns if name not in {"outcome", "n_segments", *RATES}]
    table = table.astype(dict.fromkeys(numeric, "Float64")).astype(dict.fromkeys(numeric, "float64"))
    return table.rename_axis("cluster").reset_index().assign(city=one.city)


def _km_years(frame: pd.DataFrame) -> pd.Series:
    """Length outside the reach of junctions, times the years of the records; null where either is not known."""
    counted = frame.get("counted_m", pd.Series(np.nan, index=frame.index)).astype("Float64")
    known: pd.Series = (counted / 1000 * frame["years"].astype("Float64")).astype("float64")
    return known


def summarise(table: pd.DataFrame) -> pd.DataFrame:
    """Say of each type what the cities say together.

    Rates are pooled as logarithms, with half a collision added to each count, so that a city without any counts
    (Haldane 1956, Annals of Human Genetics 20:309-311), and the variance of a logarithm of a count (1 over it); rate
    ratios as logarithms with the variance that their interval has. See `geo.cities.pooled.pooled`.

    Parameters
    ----------
    table
        Of `types_by_city`.

    Returns
    -------
    One row a type and measure (``collisions``, ``ksi``: per km and year; ``ratio of ...``): ``cluster, measure,
    n_cities, mean, low, high, predicted_low, predicted_high, tau`` (of logarithms), ``i2``; null with fewer than two
    cities.
    """
    rows = []
    for cluster, mine in table.groupby("cluster"):
        for count, outcome in RATES.items():
            known = mine[mine[count].notna() & (mine["km_years"] > 0)]
            counts = known[count].to_numpy(dtype=np.float64) + 0.5
            rows.append(_row(cluster, outcome, np.log(counts / known["km_years"].to_numpy()), 1 / counts))
        for outcome in RATES.values():
            known = mine[(mine["outcome"] == outcome) & (mine["low"] > 0) & np.isfinite(mine["high"])]
            if len(known):
                width = np.log(known["high"].to_numpy() / known["low"].to_numpy()) / (2 * _Z)
                effects = np.log(known["rate_ratio"].to_numpy())
                rows.append(_row(cluster, f"ratio of {outcome}", effects, width**2))
    return pd.DataFrame(rows, columns=["cluster", "measure", "n_cities", *_FIGURES, "tau", "i2"])


_FIGURES = ("mean", "low", "high", "predicted_low", "predicted_high")


def _row(cluster: object, measure: str, effects: object, variances: object) -> dict[str, object]:
    found = pooled(np.asarray(effects, dtype=np.float64), np.asarray(variances, dtype=np.float64))
    plain = {"cluster": cluster, "measure": measure, "n_cities": len(np.asarray(effects))}
    if found is None:
        return plain
    return (
        plain
        | {name: float(np.exp(getattr(found, name))) for name in _FIGURES}
        | {"tau": found.tau, "i2": found.i2}
    )
