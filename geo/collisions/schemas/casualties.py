"""Who was hurt: the casualty and vehicle tables of STATS19, brought to the collisions that they belong to."""

from __future__ import annotations

from collections.abc import Sequence

import pandas as pd

from geo.collisions.cells.samples import counted
from geo.collisions.schemas.stats19_columns import find, linked_ids, need
from geo.collisions.tables.reading import read_all
from geo.collisions.tables.table import Form, broken_rows
from geo.config.sections.records import ROAD_USERS
from geo.errors import LayerError
from geo.ledger import Entry

CASUALTY_TYPES = {
    "pedestrian": ("0", "pedestrian"),
    "cyclist": ("1", "cyclist"),
    "motorcyclist": ("2", "3", "4", "5", "23", "97", "103", "104", "105", "106"),
    "car_occupant": (
        *("8", "9", "108", "109", "car occupant", "taxi/private hire car occupant"),
        "taxi (excluding private hire cars) (1979-2004)",
        "car (including private hire cars) (1979-2004)",
    ),
}
"""Values of ``casualty_type`` by road user, those of earlier specifications (from 103 on) included."""
OTHERS = (
    *("10", "11", "16", "17", "18", "19", "20", "21", "22", "90", "98", "110", "113"),
    *(
        "minibus (8 - 16 passenger seats) occupant",
        "bus or coach occupant (17 or more pass seats)",
        "horse rider",
    ),
    *("agricultural vehicle occupant", "tram occupant", "mobility scooter rider", "other vehicle occupant"),
    "van / goods vehicle (3.5 tonnes mgw or under) occupant",
    "goods vehicle (over 3.5t. and under 7.5t.) occupant",
    "goods vehicle (7.5 tonnes mgw and over) occupant",
    *("goods vehicle (unknown weight) occupant", "minibus/motor caravan (1979-1998)"),
    "goods over 3.5 tonnes (1979-1998)",
    *("minibus (8 - 16 passenger seats)", "bus or coach (17 or more pass seats)", "ridden horse", "tram"),
    *("agricultural vehicle", "mobility scooter", "other vehicle", "van / goods 3.5 tonnes mgw or under"),
    *("goods over 3.5t. and under 7.5t", "goods 7.5 tonnes mgw and over", "goods vehicle - unknown weight"),
)
"""Codes and labels of casualties, and of the vehicles that they were in, that are none of these: what is in no list is
not known."""
_VEHICLES = {"pedal cycle": "1", "car": "9", "taxi/private hire car": "8"}
"""Labels of ``vehicle_type`` that differ from those of ``casualty_type``; the codes are the same."""
_UNKNOWN = ("99", "unknown vehicle type (self rep only)", "data missing or out of range")
_MANY = 0.01
"""More casualties than this share of a kind that is not known are no slip."""
_OF_PERSON = ("vehicle_reference", "casualty_reference")
_LONE = 0.05
"""More collisions than this share without a casualty have lost theirs."""
_ON_FOOT, _IN_VEHICLE = ("3", "pedestrian"), ("1", "2", "driver or rider", "passenger")


def link(
    table: pd.DataFrame,
    *,
    casualties: Sequence[str] = (),
    vehicles: Sequence[str] = (),
    by_year: bool = False,
) -> tuple[pd.DataFrame, list[Entry], list[str]]:
    """Count casualties by road user, and vehicles, from the linked tables.

    Where the kind of a casualty is not recorded, its class tells a pedestrian, and the vehicle it was in the rest.

    Parameters
    ----------
    table
        The collisions, with ``collision_id``.
    casualties, vehicles
        The linked tables, of years for example; none where nothing is linked.
    by_year
        Whether ids start anew each year, so that ``collision_id`` stands behind it (``2019/17``).

    Returns
    -------
    The table with ``n_casualties``; for each of `ROAD_USERS` whether such a user was hurt, and how many (``n_<user>``):
    null where no casualty is linked, or where one of an unknown kind leaves it open; ``n_vehicles``; the entries; and
    what of them matters, in words.
    """
    entries: list[Entry] = []
    warnings: list[str] = []
    driven: pd.DataFrame | None = None
    if vehicles:
        driven, notes = _linked(vehicles, "vehicles", table, ("vehicle_reference",), by_year=by_year)
        table["n_vehicles"] = _counts(table, driven["_id"].value_counts())
        entries += notes
    if casualties:
        people, notes = _linked(casualties, "casualties", table, _OF_PERSON, by_year=by_year)
        linked = _counts(table, people["_id"].value_counts())
        without, gone = _without(table, linked.isna())
        entries += without
        warnings += gone
        table["n_casualties"] = linked.fillna(table["n_casualties"]) if "n_casualties" in table else linked
        kind, on_foot, strange = _kinds(people, driven, ", ".join(casualties))
        entries += [*notes, *_open(kind)]
        for what, values in strange.items():
            told, lost = f"a {what} that STATS19 does not know", values.dropna()
            entries.append(Entry(f"{what}s", "rejected", f"{told}: {counted(lost)}", len(lost)))
            if len(lost) > _MANY * len(people):
                warnings.append(
                    f"{len(lost):,} of {len(people):,} casualties have {told}, and whether their collision hurt such a "
                    f"road user is not known: {counted(lost, most=5)}"
                )
        for user in ROAD_USERS:
            is_one = kind.isin(CASUALTY_TYPES[user])
            unsure = kind.isna() if user != "pedestrian" else kind.isna() & on_foot.isna()
            hurt = is_one.groupby(people["_id"]).sum()
            left_open = unsure.groupby(people["_id"]).any()
            table[f"n_{user}"] = _counts(table, hurt.where(~left_open).astype("Int64"))
            table[user] = (
                table["collision_id"]
                .map((hurt > 0).astype("boolean").where((hurt > 0) | ~left_open))
                .astype("boolean")
            )
    return table, entries, warnings


def _linked(
    sources: Sequence[str], item: str, table: pd.DataFrame, references: Sequence[str], *, by_year: bool
) -> tuple[pd.DataFrame, list[Entry]]:
    """Read linked tables as one; rows that stand twice, and those of collisions that are not there, are told.

    Raises
    ------
    LayerError
        When not one row is of a collision that is there: the ids are written otherwise.
    """
    parts: list[pd.DataFrame] = []
    entries: list[Entry] = []
    form = Form(columns=None, named_by=None)
    for rows in read_all(sources, form):
        mine = linked_ids(rows.frame, rows.name, by_year=by_year)
        parts.append(rows.frame.assign(_table=len(parts), _id=mine))
        entries += [*rows.notes, *broken_rows(rows.frame, rows.name)]
    frame = pd.concat(parts, ignore_index=True)
    cells = [name for name in frame if name != "_table"]
    # as many of one row count as the table holds that holds most of it
    nth = frame.groupby([*cells, "_table"], dropna=False).cumcount()
    again = frame[cells].assign(_nth=nth).duplicated()
    entries.append(Entry(item, "skipped", "the whole row stands in another table", int(again.sum())))
    frame = frame[~again]
    known = frame["_id"].isin(table["collision_id"])
    if not known.any():
        raise LayerError(
            f"not one of its {len(frame):,} rows is of a collision that is there, such as {frame['_id'].iloc[0]!r}; "
            f"collisions have ids such as {table['collision_id'].iloc[0]!r}",
            where=", ".join(sources),
            todo=f"Give the table of the same collisions in collisions.{item}, with ids as they were published.",
        )
    lost = Entry(item, "skipped", "their collision is not among the records", int((~known).sum()))
    frame = frame[known]
    numbers = [find(frame, reference) for reference in references]
    if any(number is None for number in numbers):
        return frame, [*entries, lost]
    again = pd.concat([frame["_id"], *(n for n in numbers if n is not None)], axis=1).duplicated()
    twice = Entry(item, "skipped", "stand twice in the tables, by all references", int(again.sum()))
    return frame[~again], [*entries, lost, twice]


def _without(table: pd.DataFrame, lone: pd.Series) -> tuple[list[Entry], list[str]]:
    """Tell of collisions none of whose casualties is in the tables: STATS19 has one at least of each."""
    count = int(lone.sum())
    entry = Entry(
        "road users", "skipped", "no casualty of the collision is there; who was hurt stays open", count
    )
    years = table["date"].dt.year if "date" in table else table.get("year", pd.Series(index=table.index))
    share, size = lone.groupby(years).mean(), lone.groupby(years).size()
    whole = share.index[(share == 1) & (size > _MANY * len(table))]
    if count <= _LONE * len(table) and whole.empty:
        return [], []
    gone = ", ".join(str(int(year)) for year in whole)
    said = f"{count:,} of {len(table):,} collisions have no casualty in the tables"
    return [entry], [f"{said}, among them all of {gone}" if gone else said]


def _kinds(
    people: pd.DataFrame, vehicles: pd.DataFrame | None, source: str
) -> tuple[pd.Series, pd.Series, dict[str, pd.Series]]:
    """Tell the kind of each casualty by ``casualty_type``, and whether it was on foot; null where not known.

    Returns
    -------
    Both, and the values of ``casualty_type`` and ``casualty_class`` that STATS19 does not know, null for all others.
    """
    given = need(people, "casualty_type", source)
    kind = _plain(given)
    strange = {"casualty_type": given.where(_strange(kind))}
    kind = kind.mask(_strange(kind))
    told = find(people, "casualty_class")
    on_foot = pd.Series(pd.NA, index=people.index, dtype="boolean")
    if told is not None:
        plain = told.str.casefold()
        known = plain.isin(_ON_FOOT + _IN_VEHICLE) | plain.isin(_UNKNOWN)
        strange["casualty_class"] = told.where(told.notna() & ~known.fillna(value=False).astype(bool))
        on_foot = plain.isin(_ON_FOOT).astype("boolean").where(plain.isin(_ON_FOOT + _IN_VEHICLE))
        kind = kind.mask(kind.isna() & on_foot.fillna(value=False).astype(bool), "0")
    if vehicles is not None:
        gap = kind.isna() & ~on_foot.fillna(value=True).astype(bool)
        kind = kind.mask(gap, _of_vehicle(people, vehicles))
    return kind, on_foot, strange


def _strange(kind: pd.Series) -> pd.Series:
    """Tell which kinds are neither one that is told apart nor another one that is known."""
    known = {value for values in CASUALTY_TYPES.values() for value in values} | {*OTHERS}
    return kind.notna() & ~kind.isin(known).fillna(value=False).astype(bool)


def _plain(values: pd.Series) -> pd.Series:
    """Bring codes and labels to one form: every motorcycle to one code, what is not known to null."""
    plain = values.str.casefold()
    plain = plain.where(~plain.str.contains("motorcycle").fillna(value=False), "2")
    return plain.mask(plain.isin(_UNKNOWN).fillna(value=False))


def _of_vehicle(people: pd.DataFrame, vehicles: pd.DataFrame) -> pd.Series:
    """Give the type of the vehicle that each casualty was in, in the codes of ``casualty_type``."""
    number, theirs, kind = (
        find(people, "vehicle_reference"),
        find(vehicles, "vehicle_reference"),
        find(vehicles, "vehicle_type"),
    )
    if number is None or theirs is None or kind is None:
        return pd.Series(pd.NA, index=people.index, dtype="string")
    known = _plain(kind)
    known = known.map(_VEHICLES).astype("string").fillna(known)
    known = known.mask(_strange(known))
    of = known.set_axis(pd.MultiIndex.from_arrays([vehicles["_id"], theirs]))
    of = of[~of.index.duplicated()]
    found = of.reindex(pd.MultiIndex.from_arrays([people["_id"], number]))
    return found.set_axis(people.index)


def _open(kind: pd.Series) -> list[Entry]:
    left = int(kind.isna().sum())
    reason = "what a casualty was is not recorded; whether its collision hurt such a user stays open"
    return [Entry("road users", "skipped", reason, left)] if left else []


def _counts(table: pd.DataFrame, counts: pd.Series) -> pd.Series:
    """Bring counts by collision to the rows of the collisions: null without a linked row, for none is known."""
    return table["collision_id"].map(counts).astype("Int64")
