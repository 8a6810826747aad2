"""Which columns of a layer stand in which tab of its form, and which its table shows at first."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

REST = "All other columns"
"""The last tab of every form: nothing is gone."""


@dataclass(frozen=True, slots=True)
class Tab:
    """A tab of a form.

    Attributes
    ----------
    title
        Of the tab.
    boxes
        Patterns of columns by the title of their box, in order; each column stands in the first that it fits.
    relations
        Ids of relations of the project (``from``, ``to``) whose rows the tab lists.
    """

    title: str
    boxes: Mapping[str, tuple[str, ...]]
    relations: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True)
class Shown:
    """How rows of a layer are shown.

    Attributes
    ----------
    tabs
        Of its form.
    table
        Columns that its table shows, in order; the others are there, and hidden.
    sort
        Expression by which the table is sorted.
    falling
        Whether the greatest comes first.
    """

    tabs: tuple[Tab, ...]
    table: tuple[str, ...]
    sort: str = ""
    falling: bool = False


_LAST = 1e15
"""Takes the place of a rank that is not known: rows without one come last."""
BY_RANK = f'coalesce("expected_rank", {_LAST:.0f})'


def _rates(per: str) -> dict[str, tuple[str, ...]]:
    """Lay out the tab of rates."""
    return {
        "Killed or seriously injured (KSI)": (rf"ksi_per_{per}(_.*)?", r"ksi_(predicted|eb.*)"),
        "All collisions": (rf"collisions_per_{per}(_.*)?", r"collisions_(predicted|eb.*)"),
        "Per distance travelled": (r".*_per_100m_vkm.*", r".*_per_million_km.*"),
        "What rates are divided by": (
            *("years", "counted_m", "aadt", "traffic_.*", "carriageways", "million_.*"),
            *("pedestrians_.*", "cyclists_.*"),
        ),
    }


def _ranks(what: str) -> tuple[str, ...]:
    return ("rank", "expected_rank", "rank_(low|high|deviation|of)", "p_.*", rf"{what}")


_COUNTS = {
    "By severity": ("n_collisions", "n_ksi.*", "n_fatal", "n_serious", "n_slight", "n_severity_unknown"),
    "By road user": ("n_.*_collisions", "n_users_unknown"),
}
_SEGMENTS = Shown(
    (
        Tab(
            "In short",
            {
                "Road": ("name", "ref", "road_class", "length_m", "cluster"),
                "Collisions and rank": (
                    *("expected_rank", "p_worst_5_percent", "n_collisions", "n_ksi"),
                    *("ksi_per_km_year_eb(_low|_high)?", "collisions_per_km_year_eb(_low|_high)?"),
                ),
            },
        ),
        Tab("Collisions", _COUNTS, (("collisions", "segments"),)),
        Tab("Rates and ranks", _rates("km_year") | {"Ranks": _ranks("gi_star.*")}),
        Tab(
            "Looks",
            {
                "Type": ("cluster_.*", "looks_like", "flight"),
                "Imagery": ("n_tiles", "coverage", "shown_tile", "carriageway_.*"),
            },
            (("tiles", "segments"),),
        ),
        Tab(
            "Risk factors",
            {"Association, not cause": ("n_risk_factors", "risk_factors", "systemic_.*", "focus_.*")},
        ),
    ),
    (
        *("name", "road_class", "cluster", "length_m", "n_collisions", "n_ksi", "expected_rank"),
        *("p_worst_5_percent", "{rate}_eb", "{rate}_eb_low", "{rate}_eb_high"),
    ),
    BY_RANK,
)
_STRETCHES = Shown(
    (
        Tab(
            "In short",
            {
                "Road": ("name", "ref", "from_street", "to_street", "road_class", "length_m", "cluster.*"),
                "Collisions and rank": (
                    *("rank", "rank_low", "rank_high", "p_worst_5_percent", "n_collisions", "n_ksi"),
                    "per_km_year_eb(_low|_high)?",
                ),
            },
        ),
        Tab("Collisions", _COUNTS | {"At junctions": ("n_.*_at_junctions",)}),
        Tab("Rates and ranks", {"Rates": ("per_.*", "counted_m", "years"), "Ranks": _ranks("part.*")}),
        Tab("Its segments", {}, (("segments", "stretches"),)),
    ),
    (
        *("rank", "rank_low", "rank_high", "name", "from_street", "to_street", "road_class", "length_m"),
        *("n_collisions", "n_ksi", "per_km_year_eb", "per_km_year_eb_low", "per_km_year_eb_high"),
        "p_worst_5_percent",
    ),
    BY_RANK,
)
_JUNCTIONS = Shown(
    (
        Tab(
            "In short",
            {
                "Junction": ("junction_type", "form", "arms", "highest_class", "cluster"),
                "Collisions and rank": (
                    *("expected_rank", "p_worst_5_percent", "n_collisions", "n_ksi"),
                    *("ksi_per_year_eb(_low|_high)?", "collisions_per_year_eb(_low|_high)?"),
                ),
            },
        ),
        Tab("Collisions", _COUNTS, (("collisions", "junctions"),)),
        Tab("Rates and ranks", _rates("year") | {"Ranks": _ranks("gi_star.*")}),
        Tab(
            "Looks", {"Type": ("cluster_.*", "looks_like", "shown_tile")}, (("junction_tiles", "junctions"),)
        ),
    ),
    (
        *("junction_type", "arms", "highest_class", "n_collisions", "n_ksi", "expected_rank"),
        *("p_worst_5_percent", "{rate}_eb", "{rate}_eb_low", "{rate}_eb_high"),
    ),
    BY_RANK,
)
_USERS = ("pedestrian", "cyclist", "motorcyclist", "car_occupant")
_COLLISIONS = Shown(
    (
        Tab(
            "In short",
            {
                "Collision": ("collision_id", "date", "severity", "n_casualties", "src_.*"),
                "Where": ("snap_status", "snap_distance_m", "segment_id", "junction_id"),
            },
        ),
        Tab("Road users", {"Hurt or involved": _USERS, "Casualties": tuple(f"n_{user}" for user in _USERS)}),
    ),
    (
        *("date", "severity", "n_casualties", "snap_status", "snap_distance_m", "pedestrian", "cyclist"),
        *("src_.*", "collision_id"),
    ),
    '"date"',
    falling=True,
)
_CLUSTERS = Shown(
    (
        Tab(
            "In short",
            {
                "Type": ("cluster", "name", "note", "words", "n_segments", "length_km"),
                "Against other roads, in the same part of town": (
                    *("n_collisions", "n_ksi", "rate_ratio_adjusted(_low|_high)?", "q_value"),
                ),
            },
        ),
        Tab(
            "Ratios",
            {
                "To all roads": (r"rate_ratio(_low|_high|_pooled_low|_pooled_high)?", "p_value"),
                "In its class": (r"rate_ratio_in_class.*", "[pq]_value_in_class"),
            },
        ),
        Tab("Rates", {"Per km and year": (".*_per_km_year.*", "low", "high")}),
    ),
    (
        *("cluster", "name", "words", "n_segments", "length_km", "n_collisions", "n_ksi"),
        *("rate_ratio_adjusted", "rate_ratio_adjusted_low", "rate_ratio_adjusted_high", "q_value"),
    ),
    '"cluster"',
)
SHOWN: Mapping[str, Shown] = {
    "segments": _SEGMENTS,
    "stretches": _STRETCHES,
    "junctions": _JUNCTIONS,
    "collisions": _COLLISIONS,
    "clusters": _CLUSTERS,
}
"""By layer; every other layer has a plain form and a table of all its columns."""


@dataclass(slots=True)
class Page:
    """A tab as it is written: its boxes of columns that are there, and the relations whose rows it lists."""

    title: str
    boxes: list[tuple[str, list[str]]] = field(default_factory=list)
    relations: list[tuple[str, str]] = field(default_factory=list)


def pages(
    shown: Shown, names: Sequence[str], *, others: Mapping[str, Sequence[str]] | None = None, other: str = ""
) -> list[Page]:
    """Lay a form out.

    Parameters
    ----------
    shown
        What is declared of the layer.
    names
        Columns that are there.
    others, other
        Boxes of a tab of its own, and its title.

    Returns
    -------
    The tabs that have something. What the first has in short stands in a later one, too; each other column stands in
    one, in the last where no other has it.
    """
    taken = {name for box in (others or {}).values() for name in box}
    told: set[str] = set()
    left = [name for name in names if name not in taken]
    found: list[Page] = []
    for number, tab in enumerate(shown.tabs):
        page = Page(tab.title, relations=[*tab.relations])
        for title, patterns in tab.boxes.items():
            box = _fitting(patterns, left)
            if number:
                left = [name for name in left if name not in box]
            else:
                told |= {*box}
            if box:
                page.boxes.append((title, box))
        if page.boxes or page.relations:
            found.append(page)
    left = [name for name in left if name not in told]
    if others:
        found.append(Page(other, [(title, [*box]) for title, box in others.items()]))
    if left:
        found.append(Page(REST, [("", left)]))
    return found


def columns_of_table(shown: Shown, names: Sequence[str], *, rate: str) -> list[str]:
    """List the columns that a table shows at first, in order.

    Parameters
    ----------
    shown
        What is declared of the layer.
    names
        Columns that are there.
    rate
        What ``{rate}`` stands for: the rate that is known.
    """
    return _fitting(
        [pattern.format(rate=rate) if "{rate}" in pattern else pattern for pattern in shown.table], names
    )


def _fitting(patterns: Sequence[str], names: Sequence[str]) -> list[str]:
    """List the names that fit whole patterns, in the order of these, each once."""
    found = [name for pattern in patterns for name in names if re.fullmatch(pattern, name)]
    return [*dict.fromkeys(found)]
