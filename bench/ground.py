"""How well classes of ground are told, each way learned on one area and scored on another.

    ROADPRINT_DATA=... .venv/bin/python bench/ground.py [--rows unsupervised labels tags town]

Boston's imagery of 1 m (ROADPRINT_DATA names the folder that has `boston/imagery`): squares of 680 m, roads of two
tiles and buildings of two squares of one, by masks that people drew. Intersection over union on the places of each
way's own map; groups without labels are those that tell the class best where they were learned. Beside: all of it is
the class; k-means of red, green and blue; the same network with random weights. The demo town at 0.25 m: ten squares of
96 m in its west are labelled by its true map, and scored is the ground beside drawn segments in its east: mean IoU of
eight classes (markings are carriageway), the mean absolute error of the shares of ground, and cars per 100 m, all that
are seen, parked or not. Figures are means of both directions and of all draws, with the lowest and the highest. A table
is printed, and the same as JSON under bench/results/.
"""

from __future__ import annotations

import argparse
import os
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import geopandas as gpd
import numpy as np
import pandas as pd
import pyproj
import rasterio
import shapely
import torch
from rasterio.features import shapes as outlines
from results import save, table
from sklearn.cluster import KMeans

from geo.config import EncoderSettings, Ground, Imagery, encoder_settings
from geo.config.sections.ground import REACH_M
from geo.demo.ground import Ground as Kind
from geo.demo.ground import read_ground
from geo.demo.write import DemoTown, make_town
from geo.features.encoders.bundled import Bundled
from geo.ground.contract import Classifier, Piece, Surroundings
from geo.ground.kind import GroundKind
from geo.ground.maps.pieces import Land, Pieces, beside, chips_on
from geo.ground.maps.sight import load_sight
from geo.ground.registry import KINDS
from geo.ground.shares import FARTHEST_M, Places, count_near, find_near, lay_out
from geo.ground.things.counting import count_along, place_things
from geo.ground.things.finding import find_things, kept_evidence
from geo.imagery.catalogue import open_catalogue

if TYPE_CHECKING:
    from geo.features.encoders.kind import Loaded

BOSTON, TOWN = 26986, 27700
SIDE_M, GROUPS = 680.0, 24
AREAS = {
    "roads": (("23279050", (100, 100)), ("23128930", (100, 100))),
    "buildings": (("23429020", (0, 100)), ("23429020", (800, 100))),
}
LABELLED, LABELLED_M, TAGGED, TAGGED_M, TAG_SHARE = 10, 96.0, 100, 48.0, 0.05
SEGMENTS = 40
"""Segments of the demo town's east that are looked at."""
SUB = 4
"""Points along each side of a place at which the truth is looked up."""
CLASSES = tuple(kind for kind in Kind if kind not in {Kind.NOTHING, Kind.MARKING})
WAYS = {kind.tag: kind for kind in KINDS}


class Untrained(Bundled):
    """The same network with random weights."""

    def load_model(self) -> Loaded:
        """Load it, and forget what it learned."""
        model, card = super().load_model()
        torch.manual_seed(0)
        for part in model.modules():
            if hasattr(part, "reset_parameters"):
                part.reset_parameters()
        return model, card


@dataclass(frozen=True)
class Area:
    """A square of ground with a mask of what is there."""

    land: Land
    box: shapely.Polygon
    mask: np.ndarray
    corner: tuple[float, float]

    def pieces(self) -> list[Piece]:
        """See all of its ground."""
        return list(Pieces(chips_on(self.land, np.array([self.box])), self.land))

    def truth(self, piece: Piece, places: int) -> tuple[np.ndarray, np.ndarray]:
        """Tell of each place of a piece whether most of it is of the class, and whether it lies in the square."""
        at = (np.arange(places * SUB) + 0.5) * piece.cell_m * piece.shape[0] / places / SUB
        column = np.floor(piece.x + at - self.corner[0]).astype(int)
        row = np.floor(self.corner[1] - piece.y + at).astype(int)
        west, south, east, north = self.box.bounds
        inside = ((piece.y - at > south) & (piece.y - at < north))[:, None] & (
            (piece.x + at > west) & (piece.x + at < east)
        )[None]
        side = np.array(self.mask.shape) - 1
        told = self.mask[np.clip(row, 0, side[0])][:, np.clip(column, 0, side[1])] & inside
        blocks = (places, SUB, places, SUB)
        return told.reshape(blocks).mean(axis=(1, 3)) >= 0.5, inside.reshape(blocks).all(axis=(1, 3))


def boston(what: str, settings: Ground, encoder: EncoderSettings) -> list[Area]:
    """Open the squares on which a class is drawn."""
    folder = Path(os.environ["ROADPRINT_DATA"]) / "boston" / "imagery"
    areas = []
    for tile, (east, north) in AREAS[what]:
        with rasterio.open(folder / f"{tile}.tif") as raster:
            west, south, _, top = raster.bounds
        with rasterio.open(folder / f"{tile}_{what}_mask.png") as raster:
            mask = raster.read(1) > 0
        imagery = Imagery(sources=[str(folder / f"{tile}.tif")])
        sight = load_sight(settings, encoder, imagery, finest_m=1.0)
        land = Land(open_catalogue(imagery, pyproj.CRS(BOSTON)).images, imagery, sight)
        x, y = west + east, south + north
        areas.append(Area(land, shapely.box(x, y, x + SIDE_M, y + SIDE_M), mask, (west, top)))
    return areas


def iou(told: Sequence[np.ndarray], truth: Sequence[np.ndarray]) -> float:
    """Intersection over union of all pieces together."""
    a, b = np.concatenate([t.ravel() for t in told]), np.concatenate([t.ravel() for t in truth])
    return float((a & b).sum() / max((a | b).sum(), 1))


Told = Callable[[Piece], np.ndarray]
"""Gives the number of the group or class of each place of a piece, from 0."""


def by_groups(told: Told, area: Area, pieces: list[Piece]) -> tuple[list[np.ndarray], list[np.ndarray]]:
    """Tell groups and truth of the places of an area."""
    groups, truths = [], []
    for piece in pieces:
        found = told(piece)
        truth, inside = area.truth(piece, found.shape[0])
        groups.append(found[inside])
        truths.append(truth[inside])
    return groups, truths


def best_groups(groups: list[np.ndarray], truths: list[np.ndarray]) -> np.ndarray:
    """Choose the groups that tell a class best: those with the largest share of it, while that betters the IoU."""
    group, truth = np.concatenate(groups), np.concatenate(truths)
    size = np.bincount(group)
    of_class = np.bincount(group, weights=truth, minlength=len(size))
    order = np.argsort(-of_class / np.maximum(size, 1))
    both, either = np.cumsum(of_class[order]), truth.sum() + np.cumsum((size - of_class)[order])
    return order[: int(np.argmax(both / either)) + 1]


def colours(pieces: list[Piece], seed: int) -> Told:
    """Group cells by their mean colour."""

    def mean(piece: Piece) -> np.ndarray:
        k, (rows, columns) = piece.per_cell, piece.shape
        blocks = piece.picture[:3].reshape(3, rows, k, columns, k).mean(axis=(2, 4))
        return np.moveaxis(blocks, 0, -1).reshape(-1, 3)

    cells = np.concatenate([mean(piece) for piece in pieces])
    some = cells[np.random.default_rng(seed).permutation(len(cells))[:60_000]]
    groups = KMeans(GROUPS, n_init=3, random_state=seed).fit(some)
    return lambda piece: groups.predict(mean(piece)).reshape(piece.shape)


def nowhere(crs: int, area: gpd.GeoDataFrame) -> Surroundings:
    """Say nothing of a city but where its imagery is."""
    none = gpd.GeoDataFrame({"segment_id": [], "junction_id": []}, geometry=[], crs=crs)
    tiles = gpd.GeoDataFrame({"tile_id": [], "segment_id": []}, geometry=[], crs=crs)
    return Surroundings(none, none, tiles, area)


def learned(
    way: GroundKind, land: Land, around: Surroundings, pieces: list[Piece] | None = None
) -> Classifier:
    """Learn classes."""
    shapes = way.shapes(around)
    seen = pieces if shapes is None else list(Pieces(chips_on(land, shapes), land))
    found = way.learn(seen or [], around).classifier
    if found is None:
        raise SystemExit(f"{way.tag}: nothing was learned")
    return found


def unsupervised(draws: int) -> list[dict[str, Any]]:
    """Score groups that were found without labels."""
    rows = []
    for what in AREAS:
        found: dict[str, list[float]] = {}
        for name, encoder in (("", encoder_settings(name="bundled")), (", random weights", Untrained())):
            areas = boston(what, WAYS["unsupervised"](), encoder)
            seen = [area.pieces() for area in areas]
            for here, there in ((0, 1), (1, 0)):
                _, truths = by_groups(lambda piece: np.zeros(piece.shape, int), areas[there], seen[there])
                found.setdefault("all of it", []).append(float(np.concatenate(truths).mean()))
                for seed in range(draws):
                    way = WAYS["unsupervised"](clusters=GROUPS, classes=GROUPS, seed=seed)
                    around = nowhere(BOSTON, areas[here].land.images)
                    told = numbers(learned(way, areas[here].land, around, seen[here]))
                    asked = {f"unsupervised{name}": told}
                    asked |= {} if name else {"k-means of RGB": colours(seen[here], seed)}
                    for label, each in asked.items():
                        best = best_groups(*by_groups(each, areas[here], seen[here]))
                        groups, truths = by_groups(each, areas[there], seen[there])
                        found.setdefault(label, []).append(iou([np.isin(g, best) for g in groups], truths))
        rows += [row(f"{label}, {GROUPS} groups: {what}", values) for label, values in found.items()]
    return rows


def numbers(classifier: Classifier) -> Told:
    """Tell classes by their numbers, 0 where nothing is known."""
    return lambda piece: classifier.classify(piece)[0].astype(np.int64)


def squares(area: Area, side: float, n: int, seed: int) -> list[shapely.Polygon]:
    """Draw squares of a lattice that lie in an area."""
    west, south, east, north = area.box.bounds
    corners = [
        (x, y) for x in np.arange(west, east - side, side) for y in np.arange(south, north - side, side)
    ]
    drawn = np.random.default_rng(seed).permutation(len(corners))[:n]
    return [shapely.box(*corners[i], corners[i][0] + side, corners[i][1] + side) for i in drawn]


def of_mask(area: Area, square: shapely.Polygon) -> tuple[np.ndarray, rasterio.Affine]:
    """Cut the mask out."""
    west, south, east, north = square.bounds
    left, right = round(west - area.corner[0]), round(east - area.corner[0])
    top, bottom = round(area.corner[1] - north), round(area.corner[1] - south)
    grid = rasterio.Affine(1, 0, area.corner[0] + left, 0, -1, area.corner[1] - top)
    return area.mask[top:bottom, left:right], grid


def labels(draws: int) -> list[dict[str, Any]]:
    """Score classes that were learned from squares of which all of the class was drawn."""
    rows = []
    for what in AREAS:
        areas = boston(what, WAYS["labels"](labels="-"), encoder_settings(name="bundled"))
        seen = [area.pieces() for area in areas]
        found = []
        for here, there in ((0, 1), (1, 0)):
            for seed in range(draws):
                drawn = squares(areas[here], LABELLED_M, LABELLED, seed)
                polygons = [("extent", square) for square in drawn]
                for square in drawn:
                    mask, grid = of_mask(areas[here], square)
                    parts = outlines(mask.astype(np.uint8), mask=mask, transform=grid)
                    polygons += [(what, shapely.geometry.shape(part)) for part, _ in parts]
                with tempfile.TemporaryDirectory() as folder:
                    way = WAYS["labels"](labels=write(polygons, Path(folder), BOSTON), seed=seed)
                    classifier = learned(way, areas[here].land, nowhere(BOSTON, areas[here].land.images))
                number = next(one.number for one in classifier.classes if one.key == what)
                groups, truths = by_groups(numbers(classifier), areas[there], seen[there])
                found.append(iou([group == number for group in groups], truths))
        rows.append(row(f"labels, {LABELLED} squares of {LABELLED_M:g} m: {what}", found))
    return rows


def write(polygons: list[tuple[str, shapely.Geometry]], folder: Path, crs: int) -> str:
    """Write labels as an analyst would draw them."""
    named, geometry = zip(*polygons, strict=True)
    path = folder / "labels.gpkg"
    gpd.GeoDataFrame({"class": named}, geometry=list(geometry), crs=crs).to_file(path)
    return str(path)


def tags(draws: int) -> list[dict[str, Any]]:
    """Score a class that was learned from tags of squares."""
    areas = boston("roads", WAYS["tags"](tags="-.csv"), encoder_settings(name="bundled"))
    seen = [area.pieces() for area in areas]
    found = []
    for here, there in ((0, 1), (1, 0)):
        for seed in range(draws):
            drawn = squares(areas[here], TAGGED_M, TAGGED, seed)
            carry = [bool(of_mask(areas[here], square)[0].mean() > TAG_SHARE) for square in drawn]
            names = [f"t{i}" for i in range(len(drawn))]
            tiles = gpd.GeoDataFrame({"tile_id": names, "segment_id": "s"}, geometry=drawn, crs=BOSTON)
            around = replace(nowhere(BOSTON, areas[here].land.images), tiles=tiles)
            with tempfile.TemporaryDirectory() as folder:
                path = Path(folder) / "tags.csv"
                pd.DataFrame({"tile_id": names, "road": np.where(carry, "yes", "no")}).to_csv(
                    path, index=False
                )
                classifier = learned(WAYS["tags"](tags=str(path), seed=seed), areas[here].land, around)
            groups, truths = by_groups(numbers(classifier), areas[there], seen[there])
            found.append(iou([group == 1 for group in groups], truths))
    return [row(f"tags, {TAGGED} squares of {TAGGED_M:g} m: roads", found)]


def row(what: str, values: list[float]) -> dict[str, Any]:
    """Write a row of the table."""
    return {
        "what": what,
        "mean": float(np.mean(values)),
        "lowest": min(values),
        "highest": max(values),
        "of": len(values),
    }


def labelled(town: DemoTown, west: gpd.GeoDataFrame, seed: int) -> list[tuple[str, shapely.Geometry]]:
    """Label squares about segments of all forms by the true map, all of each."""
    rng = np.random.default_rng(seed)
    forms = sorted(west["form"].unique())
    chosen: list[shapely.Polygon] = []
    for tried in range(100 * LABELLED):
        if len(chosen) == LABELLED:
            break
        mine = west[west["form"] == forms[tried % len(forms)]]
        spot = mine.geometry.iloc[int(rng.integers(len(mine)))].interpolate(rng.random(), normalized=True)
        square = shapely.box(
            *(np.array([spot.x, spot.y, spot.x, spot.y]) + np.array([-1, -1, 1, 1]) * LABELLED_M / 2)
        )
        known = (read_ground(town.folder, square.bounds)[0] != Kind.NOTHING).mean()
        if known > 0.95 and all(square.distance(other) > 0 for other in chosen):
            chosen.append(square)
    polygons: list[tuple[str, shapely.Geometry]] = [("extent", square) for square in chosen]
    for square in chosen:
        classes, grid = read_ground(town.folder, square.bounds)
        parts = outlines(
            np.where(classes == Kind.MARKING, np.uint8(Kind.CARRIAGEWAY), classes), transform=grid
        )
        polygons += [(Kind(int(value)).name.lower(), shapely.geometry.shape(part)) for part, value in parts]
    return [(name, part) for name, part in polygons if name != "nothing"]


def town_land(town: DemoTown, settings: Ground) -> Land:
    """Open the imagery of the demo town."""
    imagery = Imagery(sources=sorted(str(path) for path in (town.folder / "imagery").glob("*.tif")))
    images = open_catalogue(imagery, pyproj.CRS(TOWN)).images
    finest = float(images["pixel_m"].min())
    return Land(
        images, imagery, load_sight(settings, encoder_settings(name="bundled"), imagery, finest_m=finest)
    )


def demo_town(draws: int, folder: Path | None) -> list[dict[str, Any]]:
    """Score classes of the demo town's ground."""
    with tempfile.TemporaryDirectory() as made:
        town = DemoTown(folder) if folder else make_town(Path(made))
        segments = town.truth().segments
        middle = segments.geometry.interpolate(0.5, normalized=True).x
        split = float(middle.median())
        west, east = segments[middle < split - 100], segments[middle > split + 100]
        found: dict[str, list[float]] = {}
        for seed in range(draws):
            path = write(labelled(town, west, seed), Path(made), TOWN)
            way = WAYS["labels"](labels=path, seed=seed, count=["car"])
            land = town_land(town, way)
            start = time.perf_counter()
            classifier = learned(way, land, nowhere(TOWN, land.images))
            found.setdefault("seconds to learn", []).append(time.perf_counter() - start)
            asked = east.sample(SEGMENTS, random_state=seed)
            for name, value in score_town(town, classifier, land, asked).items():
                found.setdefault(name, []).append(value)
    return [
        row(f"demo town, {LABELLED} squares of {LABELLED_M:g} m: {name}", values)
        for name, values in found.items()
    ]


def score_town(
    town: DemoTown, classifier: Classifier, land: Land, asked: gpd.GeoDataFrame
) -> dict[str, float]:
    """Map the ground beside some segments, and hold it against the true map."""
    lines, ids = asked.geometry.to_numpy(), asked["segment_id"].to_numpy()
    key = {one.key: one.number for one in classifier.classes}
    number = np.array([key.get(kind.name.lower(), 0) for kind in Kind], dtype=np.uint8)
    number[Kind.MARKING] = number[Kind.CARRIAGEWAY]
    pairs = np.zeros((len(Kind), 256))
    counts: tuple[list[pd.DataFrame], list[pd.DataFrame]] = ([], [])
    evidence = []
    for piece in Pieces(chips_on(land, beside(lines, FARTHEST_M)), land):
        told, _ = classifier.classify(piece)
        side = piece.cell_m / classifier.finer
        places = Places(piece.x, piece.y, *told.shape, side)
        evidence += [kept_evidence(places, name, one) for name, one in classifier.evidence(piece).items()]
        true, grid = read_ground(town.folder, piece.bounds)
        step = (np.arange(told.shape[0]) + 0.5) * side / grid.a
        true = true[np.ix_(step.astype(int), step.astype(int))]
        true = np.where(true == Kind.MARKING, np.uint8(Kind.CARRIAGEWAY), true)
        np.add.at(pairs, (true.ravel(), told.ravel()), 1)
        near = find_near(places, lines, FARTHEST_M)
        both = np.where((true == Kind.NOTHING) | (told == 0), 0, told), np.where(told == 0, 0, number[true])
        for kept, classes in zip(counts, both, strict=True):
            kept.append(count_near(near, classes, ids))
    names = {value: name for name, value in key.items()}
    told, true = (lay_out(pd.concat(kept), names, "segment_id").set_index("segment_id") for kept in counts)
    columns = [name for name in told if not name.startswith(("ground_known", "ground_unknown"))]
    error = (told[columns] - true.reindex(told.index)[columns]).abs()
    pairs[Kind.NOTHING] = 0
    overlaps = {
        kind.name.lower(): pairs[kind, number[kind]]
        / max(pairs[kind].sum() + pairs[:, number[kind]].sum() - pairs[kind, number[kind]], 1)
        if number[kind]
        else 0.0
        for kind in CLASSES
    }
    shares = {"shares of ground, mean absolute error": float(np.nanmean(error.to_numpy()))}
    cars = cars_along(town, classifier, evidence, ids, side)
    whole = {"mean IoU": float(np.mean(list(overlaps.values())))}
    return whole | shares | cars | {f"IoU {name}": float(value) for name, value in overlaps.items()}


def cars_along(
    town: DemoTown, classifier: Classifier, evidence: list[pd.DataFrame], ids: np.ndarray, side: float
) -> dict[str, float]:
    """Hold cars per 100 m of segment against those that are there and seen, parked or not."""
    if "car" not in classifier.counted:
        return {"cars, correlation (none can be counted)": 0.0}
    segments = town.truth().segments
    found = find_things(pd.concat(evidence), classifier.counted, side)
    found = gpd.GeoDataFrame(found, geometry=gpd.points_from_xy(found["x"], found["y"]), crs=segments.crs)
    true = town.things()
    true = true[true["kind"].isin(["car", "lorry"]) & (true["seen"] > 0.5)].assign(thing="car")
    length = segments.set_index("segment_id")["length_m"]
    per_100m = []
    for things in (found, true):
        placed = things.assign(segment_id=place_things(things, segments, reach_m=REACH_M))
        along = count_along(placed, segments, ["car"], length).set_index("segment_id")
        per_100m.append(along.loc[ids, "things_car_per_100m"].to_numpy())
    total = [float((each * length[ids].to_numpy()).sum()) for each in per_100m]
    return {
        "cars per 100 m, correlation": float(np.corrcoef(*per_100m)[0, 1]),
        "cars, total over the truth": total[0] / total[1],
    }


def main() -> None:
    """Learn, score, print."""
    asked = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    asked.add_argument("--rows", nargs="+", default=["unsupervised", "labels", "tags", "town"])
    asked.add_argument("--draws", type=int, default=2)
    asked.add_argument("--town", type=Path, help="a town that was drawn before; default: one is drawn")
    given = asked.parse_args()
    torch.set_num_threads(1)
    ways: dict[str, Callable[[], list[dict[str, Any]]]] = {
        "unsupervised": lambda: unsupervised(given.draws),
        "labels": lambda: labels(given.draws),
        "tags": lambda: tags(given.draws),
        "town": lambda: demo_town(given.draws, given.town),
    }
    rows = []
    for name in given.rows:
        rows += ways[name]()
        print(table(rows), flush=True)
    save("ground", {"rows": rows})


if __name__ == "__main__":
    main()
