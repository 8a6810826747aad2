"""The answer that roadprint gives to a city's file, by the functions that a run and `check` are made of."""

from __future__ import annotations

import warnings
from dataclasses import dataclass, field
from pathlib import Path
from types import SimpleNamespace

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely

from geo.config import CityConfig, load
from geo.errors import RoadprintError
from geo.imagery.catalogue import open_catalogue
from geo.imagery.cover import cover_tiles
from geo.imagery.reading.reader import TileImage, TileReader
from geo.ledger import Entry
from geo.tiles.along import squares
from tasks.documents import Recorded
from tasks.forecast import forecast
from tasks.stages.order import STAGES

STAGE = {stage.name: stage for stage in STAGES}
USERS = ("pedestrian", "cyclist", "motorcyclist", "car_occupant")
SEEN_AT = ((50, 50), (250, 120), (450, 450), (330, 505), (-20, 250), (505, 495))
"""Centres of tiles that are looked at, from the town's corner (metres)."""


@dataclass
class Answer:
    """What was made of a city's inputs.

    Attributes
    ----------
    segments
        ``place`` (the middle, rounded to metres), ``length``, ``name``, ``road_class``, ``level``-free, sorted.
    junctions
        Places, sorted.
    collisions
        Those that were placed: ``id, place, day, year, severity, n_casualties`` and `USERS`, sorted.
    whole
        Figures of all records: severities told apart, users told of, years, period.
    traffic
        Vehicles a day by place.
    tiles
        Pixels of the tiles at `SEEN_AT`, with which are valid.
    told
        Everything that the ledger and warnings of a run say; `checked`: and of ``check``.
    """

    segments: pd.DataFrame
    junctions: list[str]
    collisions: pd.DataFrame
    whole: dict[str, object]
    traffic: dict[str, float]
    tiles: list[tuple[np.ndarray, np.ndarray]] = field(default_factory=list)
    told: list[str] = field(default_factory=list)
    checked: list[str] = field(default_factory=list)


@dataclass
class Refusal:
    """What was said in place of an answer, by a run and by ``check``; None where one of them says nothing."""

    run: str | None
    check: str | None


def take(city: Path, out: Path, corner: tuple[float, float], *, look: bool) -> Answer | Refusal:
    """Run roads, collisions and traffic of a city's file, and ``check`` on it.

    Parameters
    ----------
    city, out
        The YAML file, and a folder for what stages write.
    corner
        The south-western corner of the town in its own CRS.
    look
        Whether pixels of its imagery are read, too.
    """
    try:
        config = load(city)
    except RoadprintError as error:
        return Refusal(str(error), str(error))
    checked: list[str] = []
    check, run = None, None
    try:
        said = forecast(config)
        checked = [*(entry["reason"] for entry in said["ledger"]), *said["warnings"]]
    except RoadprintError as error:
        check = str(error)
    answer = None
    try:
        answer = _run(config, out, corner, look=look)
    except RoadprintError as error:
        run = str(error)
    if answer is None or check is not None:
        return Refusal(run, check)
    answer.checked = checked
    return answer


def _run(config: CityConfig, out: Path, corner: tuple[float, float], *, look: bool) -> Answer:
    plan = SimpleNamespace(config=config, stage_folder=lambda name: out / name, stages=out)
    entries: list[Entry] = []
    for name in ("roads", "collisions", "exposure"):
        (out / name).mkdir(parents=True, exist_ok=True)
        entries += STAGE[name].build(plan, out / name)
    segments = gpd.read_parquet(out / "roads" / "segments.parquet")
    junctions = gpd.read_parquet(out / "roads" / "junctions.parquet")
    place = dict(
        zip(segments["segment_id"], _places(segments.interpolate(0.5, normalized=True)), strict=True)
    )
    place |= dict(zip(junctions["junction_id"], _places(junctions.geometry), strict=True))
    told = [entry.reason for entry in entries]
    collisions, whole = pd.DataFrame(), dict[str, object]()
    if config.collisions.sources:
        recorded = Recorded.read(out / "collisions" / "source.json")
        table = gpd.read_parquet(out / "collisions" / "collisions.parquet")
        counted = sum(entry.count for entry in entries if entry.item == "collisions")
        assert counted == len(table), f"{counted} entries for {len(table)} rows"
        collisions = _placed(table, place)
        whole = {
            "severities": sorted(recorded.severities),
            "users": sorted(recorded.users),
            "years": None if recorded.years is None else round(recorded.years, 2),
            "period": recorded.period,
        }
        told += recorded.warnings
    traffic = pd.read_parquet(out / "exposure" / "segments.parquet").set_index("segment_id")["aadt"].dropna()
    drawn = pd.DataFrame({"place": segments["segment_id"].map(place), "length": segments["length_m"].round()})
    drawn = drawn.join(segments[["name", "road_class"]]).sort_values(["place", "length"], ignore_index=True)
    tiles = []
    if look:
        tiles, more = _look(config, segments, corner)
        told += more
    return Answer(
        drawn,
        sorted(_places(junctions.geometry)),
        collisions,
        whole,
        {place[segment]: round(float(figure), 3) for segment, figure in traffic.items()},
        tiles,
        told,
    )


def _places(points: gpd.GeoSeries) -> list[str]:
    xy = np.round(shapely.get_coordinates(points.to_numpy())).astype(int)
    return [f"{x} {y}" for x, y in xy]


def _placed(table: gpd.GeoDataFrame, place: dict[str, str]) -> pd.DataFrame:
    table = table[table["snap_status"] == "matched"]
    frame = pd.DataFrame(
        {
            "id": table["collision_id"].astype(str),
            "place": table["segment_id"].fillna(table["junction_id"]).map(place),
            "day": table["date"].dt.strftime("%Y-%m-%d"),
            "year": table["source_year"],
            "severity": table["severity"],
            "n_casualties": table["n_casualties"],
        }
    )
    for user in USERS:
        frame[user] = table[user]
    # a null of any type is one
    frame = frame.astype(object).where(frame.notna(), None)
    order = frame.map(str).sort_values(["place", "day", "id"]).index
    return frame.loc[order].reset_index(drop=True)


def _look(
    config: CityConfig, segments: gpd.GeoDataFrame, corner: tuple[float, float]
) -> tuple[list[tuple[np.ndarray, np.ndarray]], list[str]]:
    catalogue = open_catalogue(config.imagery, segments.crs)
    xy = np.array(SEEN_AT, dtype=float) + corner
    bearing = np.zeros(len(xy))
    tiles = gpd.GeoDataFrame(
        {"tile_id": [str(i) for i in range(len(xy))], "x": xy[:, 0], "y": xy[:, 1], "bearing": bearing},
        geometry=squares(xy, bearing, config.tiles.tile_m),
        crs=segments.crs,
    )
    tiles = tiles.join(cover_tiles(tiles, catalogue.images))
    told = [entry.reason for entry in catalogue.entries]
    with warnings.catch_warnings(), TileReader(catalogue.images, config.imagery, config.tiles) as reader:
        read = {tile.tile_id: tile for tile in reader.read(pd.DataFrame(tiles.drop(columns="geometry")))}
    seen = []
    for tile in map(read.__getitem__, tiles["tile_id"]):
        if isinstance(tile, TileImage):
            told += tile.faults
            seen.append((tile.pixels, tile.valid))
        else:
            told.append(tile.reason)
            seen.append((np.zeros((3, 1, 1), np.uint8), np.zeros((1, 1), bool)))
    return seen, told
