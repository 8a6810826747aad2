"""Overture's segments: stretches on bridges and in tunnels, and the connectors at which segments meet.

What holds for a stretch of a segment is written with the stretch, as shares of its length (Overture Maps, schema of
transportation segments: ``level_rules``, ``road_flags``, ``connectors``).
"""

from __future__ import annotations

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely
from numpy.typing import NDArray

from geo.roads.columns import LEVEL, ROW
from geo.roads.lines import Floats, Integers, Lines, cut_lines
from geo.roads.reading.cells import structure

SNAP_M = 1.0
"""A connector or the end of a stretch is at the vertex that is no farther from its place along the line (metres):
shares of the length are those on the ground, which the city's CRS stretches a little."""
ENDS = ("start_connector", "end_connector")
"""Columns that name the connectors at both ends of each piece, in the direction of the source."""
_STRETCHES = ("level_rules", "road_flags")
_NEEDED = {"level_rules": {"value"}, "road_flags": {"values"}, "connectors": {"at", "connector_id"}}
_BRIDGE, _TUNNEL = "is_bridge", "is_tunnel"


def lay_out_stretches(lines: gpd.GeoDataFrame) -> gpd.GeoDataFrame:
    """Cut segments at their connectors and where their level changes.

    Parameters
    ----------
    lines
        LineStrings in metres, with the columns of the source.

    Returns
    -------
    The pieces, with the columns of their segments; `geo.roads.columns.LEVEL` where the source tells it, and `ENDS`
    where it has connectors. Lines of any other source as they are.
    """
    told = {name: _members(lines, name) for name in (*_STRETCHES, "connectors") if name in lines}
    told = {name: table for name, table in told.items() if len(table) and _NEEDED[name] <= {*table}}
    if not told:
        return lines
    lines = lines.reset_index(drop=True)
    levels = _levels(told)
    at = told.get("connectors", _NOTHING)
    bounds = [levels[["row", end]].set_axis(["row", "at"], axis=1) for end in ("low", "high")]
    breaks = pd.concat([at[["row", "at"]], *bounds])
    pieces, owner, low, high = _cut(lines, breaks.dropna())
    found = lines.iloc[owner].reset_index(drop=True).set_geometry(gpd.GeoSeries(pieces, crs=lines.crs))
    if not {*told}.isdisjoint(_STRETCHES):
        found[LEVEL] = _level_of(owner, (low + high) / 2, levels)
    if len(at):
        for column, share in zip(ENDS, (low, high), strict=True):
            found[column] = _connector_at(owner, share, at, shapely.length(lines.geometry.to_numpy()))
    return found


_NOTHING = pd.DataFrame({"row": pd.Series(dtype=np.int64), "at": pd.Series(dtype=float)})


def _members(lines: gpd.GeoDataFrame, name: str) -> pd.DataFrame:
    """Lay the members of a column of lists out: ``row``, and what each member holds."""
    # parts of a segment have shares of the whole, which they are not
    whole = ~lines[ROW].duplicated(keep=False).to_numpy()
    cells = [structure(value) if alone else None for value, alone in zip(lines[name], whole, strict=True)]
    lists = pd.Series([each if isinstance(each, list | tuple) else None for each in cells], dtype=object)
    members = lists.explode().dropna()
    members = members[[isinstance(each, dict) for each in members]]
    table = pd.DataFrame(members.tolist())
    table.insert(0, "row", members.index.to_numpy(dtype=np.int64))
    if "at" in table:
        table["at"] = pd.to_numeric(table["at"], errors="coerce").clip(0, 1)
    return table


def _levels(told: dict[str, pd.DataFrame]) -> pd.DataFrame:
    """List stretches on a level of their own: ``row``, ``low``, ``high`` (shares), ``level``, the weakest first."""
    tables = [
        pd.DataFrame({"row": np.empty(0, np.int64), "level": np.empty(0), "between": np.empty(0, object)})
    ]
    flags, rules = told.get("road_flags"), told.get("level_rules")
    if flags is not None:
        is_bridge, is_tunnel = (
            flags["values"].map(lambda values, flag=flag: _has(values, flag)) for flag in (_BRIDGE, _TUNNEL)
        )
        built = flags.assign(level=is_bridge.astype(int) - is_tunnel.astype(int))
        tables.append(built[built["level"] != 0])
    if rules is not None:
        tables.append(
            rules.assign(level=pd.to_numeric(rules["value"], errors="coerce")).dropna(subset="level")
        )
    found = pd.concat(
        [each.reindex(columns=["row", "level", "between"]) for each in tables], ignore_index=True
    )
    low, high = ([_bound(each, which) for each in found["between"]] for which in (0, 1))
    return pd.DataFrame(
        {
            "row": found["row"].astype(np.int64),
            "level": found["level"].astype(np.int64),
            "low": low,
            "high": high,
        }
    )


def _has(values: object, flag: str) -> bool:
    return isinstance(values, list | tuple | np.ndarray) and flag in list(values)


def _bound(between: object, which: int) -> float:
    """Give one end of a stretch; a stretch that is not told is the whole segment."""
    if isinstance(between, list | tuple | np.ndarray) and len(between) == 2 and between[which] is not None:
        return float(np.clip(float(between[which]), 0, 1))
    return float(which)


def _cut(lines: gpd.GeoDataFrame, breaks: pd.DataFrame) -> tuple[Lines, Integers, Floats, Floats]:
    """Cut lines at shares of their length: the pieces, the line of each, and the shares at which they begin and end."""
    shapes = lines.geometry.to_numpy()
    length = shapely.length(shapes)
    row = breaks["row"].to_numpy(dtype=np.int64)
    where = _snapped(shapes, row, breaks["at"].to_numpy(dtype=float) * length[row])
    pieces, owner = cut_lines(shapes, row, where)
    kept = shapely.length(pieces) > 0
    pieces, owner = pieces[kept], owner[kept]
    each = shapely.length(pieces)
    ends_at = np.cumsum(each)
    first = np.flatnonzero(np.diff(owner, prepend=-1))
    before = np.repeat(ends_at[first] - each[first], np.diff(np.append(first, len(owner))))
    total = np.maximum(length[owner], each)
    return pieces, owner, (ends_at - each - before) / total, (ends_at - before) / total


def _snapped(lines: Lines, row: Integers, where: Floats) -> Floats:
    """Bring places along lines (metres) to the vertex that is there."""
    points = shapely.line_interpolate_point(lines[row], where)
    coordinates, owner = shapely.get_coordinates(lines, return_index=True)
    vertices = np.asarray(shapely.multipoints(coordinates, indices=owner))
    nearest = shapely.get_point(shapely.shortest_line(vertices[row], points), 0)
    close = shapely.distance(nearest, points) <= SNAP_M
    found: Floats = np.where(close, shapely.line_locate_point(lines[row], nearest), where)
    return found


def _level_of(owner: Integers, middle: Floats, levels: pd.DataFrame) -> NDArray[np.int64]:
    """Give the level at the middle of each piece; of several stretches the last one counts."""
    pieces = pd.DataFrame({"row": owner, "middle": middle, "piece": np.arange(len(owner))})
    held = pieces.merge(levels, on="row")
    held = held[(held["low"] <= held["middle"]) & (held["middle"] <= held["high"])]
    level = np.zeros(len(owner), dtype=np.int64)
    level[held["piece"].to_numpy()] = held["level"].to_numpy()
    return level


def _connector_at(owner: Integers, share: Floats, at: pd.DataFrame, length: Floats) -> pd.Series:
    """Name the connector at a place along each piece's line, null where there is none."""
    pieces = pd.DataFrame({"row": owner, "share": share, "piece": np.arange(len(owner))})
    held = pieces.merge(at.dropna(subset="at"), on="row")
    held["metres"] = (held["share"] - held["at"]).abs() * length[held["row"]]
    held = held[held["metres"] <= SNAP_M].sort_values(["piece", "metres"]).drop_duplicates("piece")
    found = held.set_index("piece")["connector_id"].reindex(range(len(owner)))
    return found.astype(object).where(found.notna(), None).reset_index(drop=True)
