"""What the report says about each type, in words and numbers ready to be shown."""

from __future__ import annotations

import math
from collections.abc import Hashable, Mapping
from dataclasses import dataclass
from typing import Any

import pandas as pd

from geo.clusters.evidence.groupings import SURE
from geo.outputs.layers.layers import LAYERS
from geo.outputs.names import looks_of
from geo.outputs.palette import Look
from geo.outputs.report.figures.charts import Axis, Strip, picture_address, ratio_axis, ratio_strip
from geo.outputs.report.figures.contact_sheet import Sheet, margin_words
from geo.outputs.report.parts.pictures import PagePictures
from geo.outputs.verdicts import all_collisions_verdict, tested
from geo.outputs.wording import (
    ALL_ROADS,
    OTHERS,
    SAME_CLASS,
    chance_words,
    figure,
    interval,
    number,
    ratio_limits,
    road_name,
    shorten,
    untold,
    verdict,
    where_like,
)
from geo.safety.rates import OUTCOME_NAMES, Outcome

MIX_SHOWN = 4
WHOLE = 0.995
"""Share of a type's length from which on all of it counts as compared."""
OF_ITS_CLASS = "other roads of its class"
CLAIMS = ("More", "Fewer")
"""How the verdict on a difference that is claimed begins."""
_NOT = "not tested: "


@dataclass(frozen=True, slots=True)
class Shot:
    """A tile to look at: JPEG as a data address (None: no picture), its road, what it is of, and the type's margin."""

    source: str | None
    road: str
    segment_id: str
    tile_id: str | None
    margin: str


@dataclass(frozen=True, slots=True)
class Comparison:
    """A type beside other roads in the same part of town.

    Attributes
    ----------
    others, where
        With which roads, and where they lie.
    ratio, limits
        Rate ratio and its interval, in words.
    strip
        Where they lie on the axis; None: not known.
    verdict
        What may be said.
    counts, q
        Which collisions are compared, and the q value, in words.
    counted
        The ratio as counted, whatever the part of town, in a sentence; empty where there is none.
    """

    others: str
    where: str
    ratio: str
    limits: str
    strip: Strip | None
    verdict: str
    counts: str
    q: str
    counted: str

    @property
    def claimed(self) -> bool:
        """Whether it is said that the type has more or fewer."""
        return self.verdict.startswith(CLAIMS)


@dataclass(frozen=True, slots=True)
class Card:
    """What is said about one type.

    Attributes
    ----------
    title, note
        Number and name of the type, and what the analyst noted.
    by_hand
        What an analyst made it of; empty where it is as it was found.
    untold
        Of how many of its collisions severity is not known, beside every count of KSI; empty where none.
    own
        With all other roads that have a type, by the outcome of the rate ratios.
    sure
        How much of it is surely of this type, and how surely the type is found; empty where that is not known.
    comparisons
        By all collisions, where rate ratios are of KSI; `own`; and where that was made, with roads of the same class.
    face, sheet
        The picture that stands for the type, as a data address, and the contact sheet of its segments; None: there
        is none.
    """

    cluster: int
    title: str
    note: str
    words: str
    by_hand: str
    appearance: Look
    n_segments: str
    length_km: str
    mix: str
    n_collisions: str
    collision_rate: str
    collision_interval: str
    n_ksi: str
    untold: str
    ksi_rate: str
    ksi_interval: str
    sure: str
    own: Comparison
    comparisons: list[Comparison]
    shots: dict[str, list[Shot]]
    face: str | None
    sheet: Sheet | None

    @property
    def overall(self) -> list[Comparison]:
        """Give the comparisons with roads of whatever class: of all collisions, and of those that ratios are of."""
        return [one for one in self.comparisons if one.others != OF_ITS_CLASS]


def cards(
    clusters: pd.DataFrame,
    segments: pd.DataFrame,
    tests: pd.DataFrame | None,
    shots: Mapping[int, dict[str, list[Shot]]],
    ratio_of: Outcome,
    pictures: PagePictures | None = None,
) -> tuple[list[Card], Axis]:
    """Lay out one card a type, in order of their numbers, and the axis that all their rate ratios are drawn on.

    Parameters
    ----------
    clusters, segments
        The layers of the GeoPackage.
    tests
        The layer ``tests``; None: there is none.
    shots
        Tiles to look at, by cluster and kind.
    ratio_of
        Which collisions the rate ratios compare: KSI, or all.
    pictures
        The faces and contact sheets of types; None: there are none.
    """
    mixes, looks = class_mix(segments), looks_of(clusters)
    numeric = [column.name for column in LAYERS["clusters"].columns if column.kind != "text"]
    columns = [
        f"rate_ratio{part}_adjusted{limit}" for part in ("", "_in_class") for limit in ("", "_low", "_high")
    ]
    axis = ratio_axis(clusters.reindex(columns=columns))
    shares = tested(tests, SAME_CLASS, ratio_of).set_index("cluster")["share_compared"]
    of_all = (
        tested(tests, ALL_ROADS, "collisions").drop_duplicates("cluster").set_index("cluster", drop=False)
    )
    result = []
    for row in clusters.sort_values("cluster").to_dict("records"):
        cluster = int(row["cluster"])
        value = {name: number(row.get(name)) for name in numeric}
        why = _reasons(row.get("interval"))
        where = where_like(row.get("interval"))
        own = _beside(value, "", OTHERS, where, ratio_of, axis, why[0])
        comparisons = [own]
        if ratio_of == "ksi" and cluster in of_all.index:
            comparisons.insert(0, _by_all(of_all.loc[cluster].to_dict(), axis))
        if cluster in shares.index:
            share = number(shares[cluster])
            beside = _beside(value, "_in_class", OF_ITS_CLASS, where, ratio_of, axis, why[1], share)
            comparisons.append(beside)
        card = Card(
            cluster=cluster,
            title=looks[cluster][0],
            appearance=looks[cluster][1],
            mix=mixes.get(cluster, ""),
            own=own,
            comparisons=comparisons,
            shots=shots.get(cluster, {}),
            face=None if pictures is None else pictures.faces.get(cluster),
            sheet=None if pictures is None else pictures.sheets.get(cluster),
            **_figures(row, value),
        )
        result.append(card)
    return result, axis


def _figures(row: Mapping[Hashable, Any], value: Mapping[str, float]) -> dict[str, str]:
    """Write out what a row of the layer ``clusters`` says of its type, by the names of a `Card`."""
    return {
        "note": "" if pd.isna(row.get("note")) else str(row["note"]),
        "words": "" if pd.isna(row.get("words")) else str(row["words"]),
        "by_hand": _by_hand(row.get("merged_of"), value["made_from"]),
        "n_segments": figure(value["n_segments"]),
        "length_km": figure(value["length_km"]),
        "n_collisions": figure(value["n_collisions"]),
        "collision_rate": figure(value["collisions_per_km_year"]),
        "collision_interval": interval(
            value["collisions_per_km_year_low"], value["collisions_per_km_year_high"]
        ),
        "n_ksi": figure(value["n_ksi"]),
        "untold": untold(value["n_severity_unknown"], value["n_collisions"]),
        "ksi_rate": figure(value["ksi_per_km_year"]),
        "ksi_interval": interval(value["low"], value["high"]),
        "sure": _sure(value["share_sure"], value["found_again"]),
    }


def _by_hand(merged_of: object, made_from: float) -> str:
    """Say what an analyst made a type of: ``merged of 3 and 5``, ``made by hand from 4 examples``."""
    parts = []
    if isinstance(merged_of, str):
        *most, last = merged_of.split(";")
        parts.append(f"merged of {', '.join(most)} and {last}" if most else f"found as {last}")
    if not math.isnan(made_from):
        parts.append(f"made by hand from {made_from:.0f} example{'' if made_from == 1 else 's'}")
    return "; ".join(parts)


def _sure(share: float, again: float) -> str:
    """Say how much of a type is surely of it, and how surely other roads find it; empty for not known."""
    if math.isnan(share):
        return ""
    told = f"{share:.0%} of its length is of it with a probability of {SURE:g} or more"
    if math.isnan(again):
        return told
    return (
        f"{told}; types of other samples of roads overlap with it by {again:.2f} in the mean (1 is all of it)"
    )


def _reasons(interval: str | None) -> tuple[str, str]:
    """Read from the column ``interval`` why a type was not tested against all roads, and against those of its class."""
    parts = (interval if isinstance(interval, str) else "").split("; in class: ")
    found = [shorten(part.removeprefix(_NOT), 200) if part.startswith(_NOT) else "" for part in parts]
    return found[0], found[1] if len(found) > 1 else ""


def _beside(
    value: Mapping[str, float],
    part: str,
    others: str,
    where: str,
    outcome: Outcome,
    axis: Axis,
    why_not: str,
    share: float = 1.0,
) -> Comparison:
    """Tell of a type beside other roads in the same part of town."""
    ratio, low, high = (value[f"rate_ratio{part}_adjusted{limit}"] for limit in ("", "_low", "_high"))
    pooled = value[f"rate_ratio{part}_pooled_low"], value[f"rate_ratio{part}_pooled_high"]
    said = verdict(low, high, value[f"q_value{part}"], outcome, others + where, why_not, pooled)
    if share < WHOLE and not math.isnan(value[f"q_value{part}"]):
        said += f" This holds for the {share:.0%} of its length that has such roads to compare with."
    counted = _as_counted(value[f"rate_ratio{part}"])
    return Comparison(
        others=others,
        where=where,
        ratio=figure(ratio, 2),
        limits=ratio_limits(low, high),
        strip=ratio_strip(ratio, low, high, axis),
        verdict=said,
        counts=OUTCOME_NAMES[outcome],
        q=chance_words(value[f"q_value{part}"]),
        counted=counted,
    )


def _as_counted(ratio: float) -> str:
    """Tell a ratio that no claim rests on; its interval is among the tests, not beside what is claimed."""
    return (
        ""
        if math.isnan(ratio)
        else f"As counted, whatever the part of town, and no ground for a claim: {figure(ratio, 2)} times."
    )


def _by_all(row: Mapping[Any, Any], axis: Axis) -> Comparison:
    """Tell of all collisions of a type, by which it is found or not, where its ratios are of KSI."""
    names = ("ratio_adjusted", "ratio_adjusted_low", "ratio_adjusted_high", "q_value", "ratio")
    ratio, low, high, q, crude = (number(row[name]) for name in names)
    where = where_like(row.get("adjusted_for"))
    return Comparison(
        others=f"all collisions, {OTHERS}",
        where=where,
        ratio=figure(ratio, 2),
        limits=ratio_limits(low, high),
        strip=ratio_strip(ratio, low, high, axis),
        verdict=all_collisions_verdict(row),
        counts=OUTCOME_NAMES["collisions"],
        q=chance_words(q),
        counted=_as_counted(crude),
    )


def class_mix(segments: pd.DataFrame) -> dict[int, str]:
    """Say which road classes each cluster is made of, by length, the longest first."""
    classes = segments["road_class"].astype("string").fillna("class not known")
    lengths = segments["length_m"].groupby([segments["cluster"].astype("Int64"), classes]).sum()
    mixes = {}
    for cluster in lengths.index.get_level_values(0).unique():
        shares = lengths.loc[cluster] / lengths.loc[cluster].sum()
        shares = shares.sort_index().sort_values(ascending=False, kind="stable")
        parts = [f"{shorten(str(name))} {_share(share)}" for name, share in shares.head(MIX_SHOWN).items()]
        if len(shares) > MIX_SHOWN:
            left = len(shares) - MIX_SHOWN
            parts.append(
                f"{left} other class{'es' if left > 1 else ''} {_share(shares.iloc[MIX_SHOWN:].sum())}"
            )
        mixes[int(cluster)] = ", ".join(parts)
    return mixes


def _share(share: float) -> str:
    """Write a share in per cent; one that is there is never 0."""
    return "under 1%" if 0 < share < 0.005 else f"{share:.0%}"


def shots_of(
    prototypes: pd.DataFrame, segments: pd.DataFrame, thumbnails: Mapping[str, bytes]
) -> dict[int, dict[str, list[Shot]]]:
    """Lay out the tiles to look at, by cluster and kind.

    Parameters
    ----------
    prototypes
        Segments that stand for each cluster: ``cluster, kind, rank, segment_id, tile_id``.
    segments
        The frame of the layer ``segments``.
    thumbnails
        JPEG of each tile, by ``tile_id``.
    """
    roads = segments.set_index("segment_id").reindex(columns=["name", "road_class", "cluster_margin"])
    rows = prototypes.sort_values(["cluster", "kind", "rank"]).join(roads, on="segment_id")
    shots: dict[int, dict[str, list[Shot]]] = {}
    for row in rows.to_dict("records"):
        tile = None if pd.isna(row["tile_id"]) else str(row["tile_id"])
        address = picture_address(thumbnails[tile]) if tile is not None and tile in thumbnails else None
        road = road_name(row["name"], row["road_class"]) or "unnamed road"
        of_kind = shots.setdefault(int(row["cluster"]), {}).setdefault(str(row["kind"]), [])
        margin = margin_words(number(row["cluster_margin"]))
        of_kind.append(Shot(address, road, str(row["segment_id"]), tile, margin))
    return shots
