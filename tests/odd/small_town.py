"""A small town made by code, in any country: its roads, collisions and picture, and what is right of them."""

from __future__ import annotations

import hashlib
import itertools
import warnings
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import geopandas as gpd
import numpy as np
import pandas as pd
import pyproj
import rasterio
import shapely

BLOCK = 100.0
STREETS = ("High Street", "Königstraße", "Rue de l'Église", "Mill Lane", "O'Connell Street", "Große Gasse")
AVENUES = ("First Avenue", "Avenida São João", "Hauptstraße", "Park Row", "Königsallee", "Last Avenue")
BRIDGE = "Ring Road"
BRIDGE_X = 450.0
CLASSES = {"High Street": "secondary", "Königsallee": "tertiary", BRIDGE: "primary"}
USERS = ("pedestrian", "cyclist", "motorcyclist", "car_occupant")
RANK = {"fatal": 0, "serious": 1, "slight": 2}
YEARS = (2019, 2023)
EDGE = {
    0: "2019-01-01 01:10",
    1: "2019-12-31 23:40",
    2: "2020-01-01 00:20",
    3: "2020-02-29 12:00",
    4: "2022-12-31 23:30",
    5: "2023-01-01 00:30",
    6: "2023-12-31 22:15",
}
"""Moments of some collisions, which a clock or a calendar that is not the place's would move to another year."""


@dataclass(frozen=True)
class Place:
    """Where a town lies: the CRS that its country writes coordinates in, metric, and its south-western corner there."""

    crs: int
    x: float
    y: float
    zone: str


PLACES = {
    "england": Place(27700, 412_000, 273_000, "Europe/London"),
    "germany": Place(25832, 405_000, 5_757_000, "Europe/Berlin"),
    "france": Place(2154, 842_000, 6_519_000, "Europe/Paris"),
    "usa": Place(32618, 586_000, 4_512_000, "America/New_York"),
    "australia": Place(28356, 502_000, 6_961_000, "Australia/Brisbane"),
    "japan": Place(6677, -9_000, -35_000, "Asia/Tokyo"),
}


class SmallTown:
    """Six streets and six avenues that meet, a road that passes over all streets, and 240 collisions of five years.

    Parameters
    ----------
    place
        One of `PLACES`.
    folder
        Where its files lie: ``roads.gpkg``, ``collisions.csv`` and ``town.tif``.
    """

    def __init__(self, place: str, folder: Path) -> None:
        self.place = PLACES[place]
        self.folder = folder
        self.crs = pyproj.CRS.from_epsg(self.place.crs)
        if not (folder / "town.tif").exists():
            folder.mkdir(parents=True, exist_ok=True)
            self.roads.to_file(folder / "roads.gpkg")
            self.collisions.to_csv(folder / "collisions.csv", index=False)
            write_picture(folder / "town.tif", self.picture, self)

    def config(self, **sections: object) -> dict[str, object]:
        """Lay out a city's file, of which some sections are given and the others right."""
        right = {
            "city": "small-town",
            "crs": f"EPSG:{self.place.crs}",
            "imagery": {"sources": [str(self.folder / "town.tif")]},
            "roads": {"source": str(self.folder / "roads.gpkg")},
            "encoder": {"name": "bands"},
            "clusters": {"k": 3},
            "collisions": self.records(str(self.folder / "collisions.csv")),
        }
        return {name: part for name, part in (right | sections).items() if part is not None}

    @staticmethod
    def records(
        source: str | list[str], columns: dict[str, object] | None = None, **keys: object
    ) -> dict[str, object]:
        """Lay out the section on collisions of a table like ours; a column that is None is not named."""
        mapped = {
            "id": "id",
            "date": "date",
            "x": "lon",
            "y": "lat",
            "severity": "severity",
            "n_casualties": "n_casualties",
            "road_name": "road_name",
            **{user: user for user in USERS},
        } | (columns or {})
        values = {severity: [severity] for severity in RANK}
        section = {
            "sources": [source] if isinstance(source, str) else source,
            "schema": "columns",
            "columns": {name: column for name, column in mapped.items() if column is not None},
            "severity_values": values,
        } | keys
        return {key: value for key, value in section.items() if value is not None}

    @cached_property
    def roads(self) -> gpd.GeoDataFrame:
        """All thirteen roads, one line each, with the tags of OpenStreetMap."""
        x, y = self.place.x, self.place.y
        far = 5 * BLOCK
        lines = [shapely.LineString([(i * BLOCK, y_) for i in range(6)]) for y_ in np.arange(6) * BLOCK]
        lines += [shapely.LineString([(x_, i * BLOCK) for i in range(6)]) for x_ in np.arange(6) * BLOCK]
        lines.append(shapely.LineString([(BRIDGE_X, -60), (BRIDGE_X, far + 64)]))
        names = [*STREETS, *AVENUES, BRIDGE]
        frame = {
            "name": names,
            "highway": [CLASSES.get(name, "residential") for name in names],
            "ref": [f"B{i}" if name in CLASSES else None for i, name in enumerate(names)],
            "bridge": ["yes" if name == BRIDGE else None for name in names],
            "layer": ["1" if name == BRIDGE else None for name in names],
        }
        moved = shapely.transform(np.array(lines), lambda xy: xy + np.array([x, y]))
        return gpd.GeoDataFrame(frame, geometry=moved, crs=self.crs)

    @cached_property
    def links(self) -> gpd.GeoDataFrame:
        """The same roads as their sources of nodes and links draw them: from crossing to crossing, the bridge whole."""
        drawn = self.roads.iloc[:-1].copy()
        pieces = []
        for row, line in zip(drawn.drop(columns="geometry").to_dict("records"), drawn.geometry, strict=True):
            xy = shapely.get_coordinates(line)
            pieces += [row | {"geometry": shapely.LineString(pair)} for pair in itertools.pairwise(xy)]
        pieces.append(self.roads.iloc[-1].to_dict())
        return gpd.GeoDataFrame(pieces, geometry="geometry", crs=self.crs)

    @cached_property
    def collisions(self) -> pd.DataFrame:
        """A row a collision, with its road (None at a junction), and every column that a form may need."""
        rng = np.random.default_rng(19)
        where = _places()
        n = len(where)
        x, y = (
            np.round(np.array([spot[i] for spot in where]) + origin, 1)
            for i, origin in ((0, self.place.x), (1, self.place.y))
        )
        lon, lat = pyproj.Transformer.from_crs(self.crs, 4326, always_xy=True).transform(x, y)
        days = pd.Timestamp("2019-01-01") + pd.to_timedelta(rng.integers(0, 1826, n), unit="D")
        when = pd.Series(days + pd.to_timedelta(rng.integers(6 * 60, 20 * 60, n), unit="min"))
        for row, moment in EDGE.items():
            when[row] = pd.Timestamp(moment)
        severity = rng.choice(list(RANK), n, p=[0.06, 0.28, 0.66])
        people = [_people(worst, rng) for worst in severity]
        frame = pd.DataFrame(
            {
                "id": [f"{moment.year}{i + 100:06d}" for i, moment in enumerate(when)],
                "date": when.dt.strftime("%Y-%m-%d %H:%M"),
                "lon": np.round(lon, 7),
                "lat": np.round(lat, 7),
                "easting": x,
                "northing": y,
                "severity": severity,
                "n_casualties": [len(hurt) for hurt in people],
                "road_name": [spot[2] for spot in where],
                "at_junction": [spot[3] for spot in where],
            }
        )
        for user in USERS:
            frame[user] = [int(any(who == user for who, _ in hurt)) for hurt in people]
        # rows in an order that tells nothing of place
        return frame.iloc[np.random.default_rng(5).permutation(n)].reset_index(drop=True)

    @cached_property
    def people(self) -> pd.DataFrame:
        """A row a person in the same collisions: who was hurt, and a driver or two who were not."""
        rows = []
        rng = np.random.default_rng(23)
        by_id = self.collisions.sort_values("id")
        for record in by_id.to_dict("records"):
            users = [user for user in USERS if record[user]]
            worst = record["severity"]
            hurt = [
                (users[i % len(users)], worst if i == 0 else "slight") for i in range(record["n_casualties"])
            ]
            all_of = [("car_driver", "none")] * int(rng.integers(0, 3)) + hurt
            # he who was hurt worst stands last as often as first
            order = rng.permutation(len(all_of))
            rows += [record | {"person": all_of[i][0], "injury": all_of[i][1]} for i in order]
        return pd.DataFrame(rows)

    @cached_property
    def picture(self) -> np.ndarray:
        """Red, green and blue at one metre, ``(3, 700, 700)``, from 100 m beyond the corners: no two tiles alike."""
        rng = np.random.default_rng(3)
        row, column = np.mgrid[0:700, 0:700]
        base = np.stack([40 + column / 5, 60 + row / 7, 90 + (row + column) / 14])
        return np.clip(base + rng.integers(-20, 20, base.shape), 1, 254).astype(np.uint8)


def _places() -> list[tuple[float, float, str, bool]]:
    """Lay out where collisions lie, from the south-western corner: x, y, the road on which, whether at a junction."""
    spots = []
    for i in range(6):
        for j in range(5):
            for k, (along, beside) in enumerate(((31.0, 1.5), (50.0, -2.0), (67.5, 3.0))):
                # 5 m and more from the bridge, so that none needs its name
                across = along - 10 if (j, k) == (4, 1) else along
                spots.append((j * BLOCK + across + i, i * BLOCK + beside, STREETS[i], False))
                spots.append((i * BLOCK + beside, j * BLOCK + along + k, AVENUES[i], False))
    spots += [
        (i * BLOCK + 4, j * BLOCK + 3, STREETS[j], True)
        for i in range(6)
        for j in range(6)
        if (i in (0, 5)) + (j in (0, 5)) < 2
    ]
    spots += [
        (BRIDGE_X + 1, y, BRIDGE, False) for y in (-40, -20, 30, 45, 140, 150, 240, 262, 340, 350, 440, 550)
    ]
    # beside the bridge, on the avenue by the name alone
    spots += [(428.0, y, "Königsallee", False) for y in (40, 50, 60, 140, 150, 240, 340, 450)]
    # where the bridge crosses, on it by the name alone
    spots += [(BRIDGE_X + 3, j * BLOCK + 2, BRIDGE, False) for j in range(6)]
    spots += [(BRIDGE_X - 3, j * BLOCK + 2, BRIDGE, False) for j in (1, 4)]
    return spots


def _people(worst: str, rng: np.random.Generator) -> list[tuple[str, str]]:
    """Draw who was hurt, the worst first."""
    users = rng.choice(USERS, rng.choice([1, 2, 3], p=[0.7, 0.2, 0.1]), p=[0.25, 0.2, 0.15, 0.4])
    return [(str(user), worst if i == 0 else "slight") for i, user in enumerate(users)]


def write_picture(
    path: Path, pixels: np.ndarray, town: SmallTown, *, pixel: float = 1.0, **options: object
) -> Path:
    """Write an array ``(bands, height, width)`` with its upper left corner 100 m beyond the town's."""
    place = rasterio.Affine(pixel, 0, town.place.x - 100, 0, -pixel, town.place.y + 600)
    profile = {
        "driver": "GTiff",
        "crs": town.crs.to_wkt(),
        "transform": place,
        "dtype": pixels.dtype,
        "count": pixels.shape[0],
        "height": pixels.shape[1],
        "width": pixels.shape[2],
    } | options
    profile = {name: value for name, value in profile.items() if value is not None}
    with warnings.catch_warnings(action="ignore"), rasterio.open(path, "w", **profile) as raster:
        raster.write(pixels)
    return path


def fingerprint(text: str) -> str:
    """Name a folder after a form."""
    return hashlib.blake2b(text.encode(), digest_size=6).hexdigest()
