"""The report page: one HTML file that says what was found, how sure it is, and what does not follow from it."""

from __future__ import annotations

import base64
import json
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from typing import Any

import geopandas as gpd
import jinja2
import numpy as np
import pandas as pd

from geo.outputs.charts import Axis, Strip, dash_of, overview, ratio_axis, ratio_strip
from geo.outputs.layers import LAYERS
from geo.outputs.palette import Look, look
from geo.outputs.wording import OUTCOMES, Outcome, figure, interval, ratio_limits, verdict

MIX_SHOWN = 4
KINDS = {
    "prototype": ("Prototypes", "the roads most typical of this type"),
    "edge": ("Edge cases", "roads that could almost as well be of another type"),
    "random": ("Random draw", "roads of this type drawn by lot"),
}


@dataclass(frozen=True, kw_only=True)
class ReportData:
    """What the report tells.

    Attributes
    ----------
    city
        Its name.
    config, run
        The configuration as plain values; the ``run`` layer as a mapping.
    clusters, segments, ledger
        The layers of the GeoPackage.
    choice, prototypes
        Tables of the clustering: ``k, silhouette, stability, chosen``; ``cluster, kind, rank, segment_id, tile_id``.
    quality
        ``encoder`` and ``baseline``, each with ``effective_rank``, ``spread``, ``silhouette`` and ``warnings``, and
        ``agreement_with_baseline``.
    thumbnails
        JPEG of each shown tile, by ``tile_id``.
    licences
        Source and licence of the imagery, the roads and the records.
    ratio_of
        What the clusters' rate ratios compare.
    period
        First and last day of the collision records.
    methods
        How the numbers were made, by what they are: ``{"Rate ratio": "..."}``.
    places, junction_types, tests
        The layers of the GeoPackage; None: not shown.
    findings
        Sentences on the whole city, without their full stops.
    """

    city: str
    config: Mapping[str, Any]
    run: Mapping[str, str]
    clusters: pd.DataFrame
    segments: gpd.GeoDataFrame
    choice: pd.DataFrame
    quality: Mapping[str, Any]
    prototypes: pd.DataFrame
    thumbnails: Mapping[str, bytes]
    ledger: pd.DataFrame
    licences: Mapping[str, str]
    ratio_of: Outcome
    period: tuple[date, date] | None = None
    methods: Mapping[str, str] = field(default_factory=dict)
    places: pd.DataFrame | None = None
    junction_types: pd.DataFrame | None = None
    tests: pd.DataFrame | None = None
    findings: Sequence[str] = ()


@dataclass(frozen=True, slots=True)
class Shot:
    """A tile to look at: JPEG as a data address (None: no picture), name of its road, and its segment."""

    source: str | None
    road: str
    segment_id: str


@dataclass(frozen=True, slots=True)
class Card:
    """What is said about one cluster, in words and numbers ready to be shown."""

    cluster: int
    appearance: Look
    n_segments: str
    length_km: str
    mix: str
    n_collisions: str
    collision_rate: str
    n_ksi: str
    ksi_rate: str
    ksi_interval: str
    ratio: str
    ratio_interval: str
    q_value: str
    strip: Strip | None
    verdict: str
    shots: dict[str, list[Shot]]


def write_report(path: Path, data: ReportData) -> None:
    """Write the report as one HTML file that needs nothing else; the same data give the same bytes.

    Parameters
    ----------
    path
        Of the file; one that is already there is replaced when the new one is whole.
    data
        What it tells. Every text in it is escaped.
    """
    page = render(data)
    part = path.with_name(f".{path.name}.{os.getpid()}")
    part.write_text(page, encoding="utf-8", newline="\n")
    part.replace(path)


def render(data: ReportData) -> str:
    """Make the page (see `write_report`)."""
    environment = jinja2.Environment(
        loader=jinja2.PackageLoader("geo", "outputs"),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters["figure"] = lambda value: figure(_number(value))
    environment.filters["dash"] = dash_of
    axis = ratio_axis(data.clusters)
    segments = data.segments
    return environment.get_template("report.html.jinja").render(
        data=data,
        axis=axis,
        cards=cards(data, axis),
        kinds=KINDS,
        map=overview(segments),
        outcome=OUTCOMES[data.ratio_of],
        n_segments=len(segments),
        length_km=segments["length_m"].sum() / 1000,
        n_unseen=int(segments["cluster"].isna().sum()),
        years=_years(segments),
        has_collisions=bool(segments["n_collisions"].notna().any()),
        has_ksi=bool(segments["n_ksi"].notna().any()),
        has_q=bool(data.clusters["q_value"].notna().any()),
        traffic="" if (told := data.run.get("traffic", "not known")) == "not known" else told,
        places=_places(data),
        tests=_tests(data),
        settings=_flat(data.config),
        warnings=list((data.quality.get("encoder") or {}).get("warnings") or ()),
        measures=_measures(data.quality),
        agreement=_number(data.quality.get("agreement_with_baseline")),
        choice=data.choice.sort_values("k").to_dict("records"),
        ledger=data.ledger.fillna({"reason": ""}).to_dict("records"),
    )


def cards(data: ReportData, axis: Axis) -> list[Card]:
    """Lay out one card a cluster, in order of their numbers.

    Parameters
    ----------
    data
        What the report tells.
    axis
        That all rate ratios are drawn on.
    """
    rates, mixes, shots = collision_rates(data.segments), class_mix(data.segments), _shots(data)
    numeric = [column.name for column in LAYERS["clusters"].columns if column.kind != "text"]
    result = []
    for row in data.clusters.sort_values("cluster").to_dict("records"):
        cluster = int(row["cluster"])
        value = {name: _number(row[name]) for name in numeric}
        ratio, low, high = value["rate_ratio"], value["rate_ratio_low"], value["rate_ratio_high"]
        result.append(
            Card(
                cluster=cluster,
                appearance=look(cluster),
                n_segments=figure(value["n_segments"]),
                length_km=figure(value["length_km"]),
                mix=mixes.get(cluster, ""),
                n_collisions=figure(value["n_collisions"]),
                collision_rate=figure(rates.get(cluster)),
                n_ksi=figure(value["n_ksi"]),
                ksi_rate=figure(value["ksi_per_km_year"]),
                ksi_interval=interval(value["low"], value["high"]),
                ratio=figure(ratio, 2),
                ratio_interval=ratio_limits(low, high),
                q_value=figure(value["q_value"], 2),
                strip=ratio_strip(ratio, low, high, axis),
                verdict=verdict(low, high, value["q_value"], data.ratio_of),
                shots=shots.get(cluster, {}),
            )
        )
    return result


def collision_rates(segments: pd.DataFrame) -> dict[int, float]:
    """Collisions per km and year of each cluster, over its segments with known collisions; none without any."""
    known = segments[
        segments["cluster"].notna() & segments["n_collisions"].notna() & segments["years"].notna()
    ]
    exposure = (known["length_m"] / 1000 * known["years"]).groupby(known["cluster"]).sum()
    counts = known["n_collisions"].groupby(known["cluster"]).sum()
    rates = (counts / exposure)[exposure > 0]
    return dict(zip(rates.index.astype(int).tolist(), rates.astype(float).tolist(), strict=True))


def class_mix(segments: pd.DataFrame) -> dict[int, str]:
    """Say which road classes each cluster is made of, by length, the longest first."""
    classes = segments["road_class"].astype("string").fillna("class not known")
    lengths = segments["length_m"].groupby([segments["cluster"].astype("Int64"), classes]).sum()
    mixes = {}
    for cluster in lengths.index.get_level_values(0).unique():
        shares = lengths.loc[cluster] / lengths.loc[cluster].sum()
        shares = shares.sort_index().sort_values(ascending=False, kind="stable")
        parts = [f"{name} {share:.0%}" for name, share in shares.head(MIX_SHOWN).items()]
        if len(shares) > MIX_SHOWN:
            left = len(shares) - MIX_SHOWN
            parts.append(f"{left} other class{'es' if left > 1 else ''} {shares.iloc[MIX_SHOWN:].sum():.0%}")
        mixes[int(cluster)] = ", ".join(parts)
    return mixes


def _shots(data: ReportData) -> dict[int, dict[str, list[Shot]]]:
    """Tiles to look at, by cluster and kind."""
    roads = data.segments.set_index("segment_id")[["name", "road_class"]]
    rows = data.prototypes.sort_values(["cluster", "kind", "rank"]).join(roads, on="segment_id")
    shots: dict[int, dict[str, list[Shot]]] = {}
    for row in rows.to_dict("records"):
        # the street's name, else its class
        road = next((str(row[key]) for key in ("name", "road_class") if pd.notna(row[key])), "unnamed road")
        picture = None if pd.isna(row["tile_id"]) else data.thumbnails.get(row["tile_id"])
        address = (
            None if picture is None else "data:image/jpeg;base64," + base64.b64encode(picture).decode("ascii")
        )
        of_kind = shots.setdefault(int(row["cluster"]), {}).setdefault(str(row["kind"]), [])
        of_kind.append(Shot(address, road, str(row["segment_id"])))
    return shots


def _number(value: object) -> float:
    """Give a number, NaN for null; raises TypeError for anything else."""
    if value is None or value is pd.NA:
        return float("nan")
    if isinstance(value, (int, float, np.integer, np.floating)):
        return float(value)
    raise TypeError(f"a number expected, found {value!r}")


def _years(segments: pd.DataFrame) -> str:
    """Say how many years of records the segments have."""
    years = segments["years"].dropna()
    if years.empty:
        return ""
    few, many = float(years.min()), float(years.max())
    if few == many == 1:
        return "1 year"
    return f"{figure(few)} years" if few == many else f"{interval(few, many, 3)} years, depending on the road"


def _places(data: ReportData) -> list[dict[str, str]]:
    """Lay out the collisions between junctions, at each type of junction, and together."""
    if data.places is None or data.junction_types is None or data.places["n_collisions"].isna().all():
        return []
    apart = data.places[data.places["place"] != "at junctions"].assign(unit="km and year", per="km_year")
    types = data.junction_types.rename(columns={"junction_type": "place"})
    types = types.assign(unit="junction and year", per="junction_year")
    rows = [*apart.to_dict("records")[:1], *types.to_dict("records"), *apart.to_dict("records")[1:]]
    return [
        {
            "place": str(row["place"]),
            "n_collisions": figure(_number(row["n_collisions"])),
            "n_ksi": figure(_number(row["n_ksi"])),
            "per": str(row["unit"]),
        }
        | {what: _with_interval(row, f"{what}_per_{row['per']}") for what in ("collisions", "ksi")}
        for row in rows
    ]


def _tests(data: ReportData) -> list[dict[str, str]]:
    """Lay out the tests that were made, those with the smallest q first."""
    if data.tests is None:
        return []
    made = data.tests[data.tests["p_value"].notna()]
    made = made.sort_values(["q_value", "p_value", "cluster"], kind="stable")
    return [
        {
            "cluster": str(int(row["cluster"])),
            "outcome": column_title(str(row["outcome"])),
            "comparison": str(row["comparison"]),
            "observed": figure(_number(row["observed"])),
            "expected": figure(_number(row["expected"])),
            "ratio": figure(_number(row["ratio"]), 2),
            "limits": ratio_limits(_number(row["low"]), _number(row["high"])),
            "p_value": figure(_number(row["p_value"]), 2),
            "q_value": figure(_number(row["q_value"]), 2),
        }
        for row in made.to_dict("records")
    ]


def column_title(name: str) -> str:
    """Give what QGIS shows for a column of segments, without its unit."""
    alias = next((one.alias for one in LAYERS["segments"].columns if one.name == name), name)
    return alias.removesuffix(" (number)")


def _with_interval(row: Mapping[Any, Any], name: str) -> str:
    """Write a rate and its interval."""
    value = _number(row[name])
    limits = interval(_number(row[f"{name}_low"]), _number(row[f"{name}_high"]))
    return figure(value, 2) if np.isnan(value) else f"{figure(value, 2)} ({limits})"


def _flat(config: Mapping[str, Any], prefix: str = "") -> list[tuple[str, str]]:
    """Lay nested settings out as dotted keys and JSON values."""
    rows: list[tuple[str, str]] = []
    for key, value in config.items():
        if isinstance(value, Mapping) and value:
            rows += _flat(value, f"{prefix}{key}.")
        else:
            rows.append((f"{prefix}{key}", json.dumps(value, ensure_ascii=False, default=str)))
    return rows


def _measures(quality: Mapping[str, Any]) -> list[tuple[str, str, float, float]]:
    """Set the encoder's measures beside those of the baseline: name, what it means, encoder, baseline."""
    names = {
        "effective_rank": ("Effective rank", "how many independent directions the fingerprints really use"),
        "spread": ("Spread", "mean cosine distance of two roads; 0 means all look alike"),
        "silhouette": (
            "Silhouette",
            "how far apart the types are; 1 is best, 0 means they run into each other",
        ),
        "stability": ("Stability", "whether resampled roads give the same types; 1 is always"),
    }
    encoder, baseline = quality.get("encoder") or {}, quality.get("baseline") or {}
    return [
        (title, meaning, _number(encoder.get(name)), _number(baseline.get(name)))
        for name, (title, meaning) in names.items()
        if name in encoder or name in baseline
    ]
