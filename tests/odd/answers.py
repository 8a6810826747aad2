"""The answer that roadprint gives to a city's file, by the functions that a run and `check` are made of."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from types import SimpleNamespace

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely
from small_town import fingerprint

from geo.config import CityConfig, load
from geo.imagery.cover import cover_tiles
from geo.imagery.reading.reader import TileImage, TileReader
from geo.ledger import Entry
from geo.tiles.along import squares
from tasks.ahead.forecast import forecast
from tasks.documents import Recorded
from tasks.stages.network.tiles import load_shown
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
        ``place`` (the middle, rounded to metres), ``length``, ``name``, ``road_class``; sorted.
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
        Everything that the ledger and the warnings of a run say.
    """

    segments: pd.DataFrame
    junctions: list[str]
    collisions: pd.DataFrame
    whole: dict[str, object]
    traffic: dict[str, float]
    tiles: list[tuple[np.ndarray, np.ndarray]] = field(default_factory=list)
    told: list[str] = field(default_factory=list)


class Asker:
    """Takes answers; the roads of the right form, which most odd inputs share, are made once.

    Parameters
    ----------
    folder
        Where the stages of these roads are kept.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._made: dict[str, list[Entry]] = {}

    def run(self, city: Path, out: Path, corner: tuple[float, float], *, look: bool) -> Answer:
        """Run roads, collisions and traffic of a city's file.

        Parameters
        ----------
        city, out
            The YAML file, and a folder for what stages write.
        corner
            The south-western corner of the town in its own CRS.
        look
            Whether pixels of its imagery are read, too.

        Raises
        ------
        RoadprintError
            As a run does.
        """
        config = load(city)
        roads, entries = self._roads(config, out)
        plan = SimpleNamespace(
            config=config, stage_folder=lambda name: roads if name == "roads" else out / name, stages=out
        )
        for name in ("collisions", "exposure"):
            (out / name).mkdir(parents=True, exist_ok=True)
            entries = [*entries, *STAGE[name].build(plan, out / name)]
        return _answer(plan, entries, corner, look=look)

    def _roads(self, config: CityConfig, out: Path) -> tuple[Path, list[Entry]]:
        """Make the stage of roads, or take it from before; gives its folder and entries."""
        key = repr((config.roads, config.segments, config.crs, config.area))
        source = config.roads.source
        shared = isinstance(source, str) and Path(source).parent.parent == self.folder
        folder = (self.folder if shared else out) / f"roads-{fingerprint(key)}"
        if key not in self._made:
            folder.mkdir(parents=True, exist_ok=True)
            self._made[key] = STAGE["roads"].build(SimpleNamespace(config=config, stages=out), folder)
        return folder, self._made[key]


def check(city: Path) -> list[str]:
    """Say everything that ``check`` does, in its ledger and its warnings; raises what it raises."""
    said = forecast(load(city))
    return [*(entry["reason"] for entry in said["ledger"]), *said["warnings"]]


def _answer(
    plan: SimpleNamespace, entries: list[Entry], corner: tuple[float, float], *, look: bool
) -> Answer:
    config, out = plan.config, plan.stages
    roads = plan.stage_folder("roads")
    segments = gpd.read_parquet(roads / "segments.parquet")
    junctions = gpd.read_parquet(roads / "junctions.parquet")
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
        (out / "tiles").mkdir(exist_ok=True)
        told += [entry.reason for entry in STAGE["tiles"].build(plan, out / "tiles")]
        told += load_shown(plan).warnings
        tiles, faults = _look(config, gpd.read_parquet(out / "tiles" / "images.parquet"), corner)
        told += faults
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
    config: CityConfig, images: gpd.GeoDataFrame, corner: tuple[float, float]
) -> tuple[list[tuple[np.ndarray, np.ndarray]], list[str]]:
    """Read the tiles at `SEEN_AT`; gives also what is said of those that cannot be read."""
    xy = np.array(SEEN_AT, dtype=float) + corner
    bearing = np.zeros(len(xy))
    tiles = gpd.GeoDataFrame(
        {"tile_id": [str(i) for i in range(len(xy))], "x": xy[:, 0], "y": xy[:, 1], "bearing": bearing},
        geometry=squares(xy, bearing, config.tiles.tile_m),
        crs=images.crs,
    )
    tiles = tiles.join(cover_tiles(tiles, images))
    told = []
    with TileReader(images, config.imagery, config.tiles) as reader:
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
