"""The work of one shard of ground: its chips are seen and classified, and written as one Parquet file."""

from __future__ import annotations

import zlib
from collections.abc import Hashable, Iterator, Mapping
from contextlib import closing
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from threading import Lock
from typing import Any, ClassVar

import geopandas as gpd
import numpy as np
import pandas as pd
import pyarrow as pa
import shapely
from numpy.typing import NDArray

from geo.config import CityConfig, EncoderSettings
from geo.config.sections.ground import Ground
from geo.counting import step
from geo.features.embed import lattice_shape
from geo.ground.contract import UNKNOWN, Classes, Classifier, Piece
from geo.ground.file import read_classifier
from geo.ground.maps.pieces import Land, see
from geo.ground.maps.sight import Sight, sight_of
from geo.ground.registry import way_of
from geo.ground.shares import FARTHEST_M, Places, count_near, find_near
from geo.imagery.reading.blocks import BlockStore
from geo.imagery.reading.reader import TABLE, reach
from geo.ledger import Entry
from tasks.shards.encode import block_store, end_when_stopped, forget_changed, read_look_ups, write_shard
from tasks.store.job import Job
from tasks.store.stage import read_account

LEVEL = 6
"""How hard maps of classes are packed (zlib)."""
_loading = Lock()
_INTS = pa.list_(pa.int32())
SCHEMA = pa.schema(
    [
        ("tile_id", pa.string()),
        ("x", pa.float64()),
        ("y", pa.float64()),
        ("rows", pa.int32()),
        ("columns", pa.int32()),
        ("side_m", pa.float64()),
        ("classes", pa.binary()),
        ("measures", pa.binary()),
        ("evidence", pa.binary()),
        *(
            (f"{what}_{name}", kind)
            for what in ("segment", "junction")
            for name, kind in (
                ("id", pa.list_(pa.string())),
                ("band", _INTS),
                ("number", _INTS),
                ("places", _INTS),
            )
        ),
    ]
)

Shapes = NDArray[np.object_]


@dataclass(frozen=True, kw_only=True)
class GroundJob(Job):
    """The work of one shard of ground.

    Attributes
    ----------
    chips, images, segments, junctions
        Paths of the tables of the stages before.
    model
        Path of what tells classes.
    look_ups
        Path of the table of what values become before they are seen (`LOOK_UPS`); None: they stay.
    """

    READS: ClassVar[tuple[str, ...]] = ("chips", "images", "segments", "junctions", "model", "look_ups")

    chips: Path
    images: Path
    segments: Path
    junctions: Path
    model: Path
    look_ups: Path | None = None

    def work(self) -> tuple[Entry, ...]:
        """See `map_shard`."""
        return map_shard(self)


@dataclass(frozen=True, slots=True)
class Roads:
    """What shares of ground are of: lines of segments and areas of junctions, with their ids."""

    segments: Shapes
    segment_ids: Shapes
    junctions: Shapes
    junction_ids: Shapes

    def near(self, box: shapely.Polygon, reach_m: float) -> Roads:
        """Take those within reach of a box."""
        here = [shapely.dwithin(shapes, box, reach_m) for shapes in (self.segments, self.junctions)]
        return Roads(
            self.segments[here[0]],
            self.segment_ids[here[0]],
            self.junctions[here[1]],
            self.junction_ids[here[1]],
        )


def read_roads(segments: Path, junctions: Path) -> Roads:
    """Read what shares are of; a roundabout is its disc."""
    lines = gpd.read_parquet(segments, columns=["segment_id", "geometry"])
    middles = gpd.read_parquet(junctions, columns=["junction_id", "radius_m", "geometry"])
    radius = middles["radius_m"].fillna(0.0).to_numpy(dtype=np.float64)
    points = middles.geometry.to_numpy()
    discs = np.where(radius > 0, shapely.buffer(points, radius), points)
    return Roads(
        lines.geometry.to_numpy(),
        lines["segment_id"].to_numpy(dtype=object),
        discs,
        middles["junction_id"].to_numpy(dtype=object),
    )


def open_land(config: CityConfig, images: gpd.GeoDataFrame, store: BlockStore | None) -> Land:
    """Bring together what pieces of a city's ground are read from.

    Parameters
    ----------
    config
        The city's configuration, paths absolute.
    images
        The catalogue, with a column `TABLE` where values are to be looked up.
    store
        Decoded blocks that are shared with others; None: of each call alone.
    """
    sight = sight_once(config, images)
    return Land(images, config.imagery, sight, store)


def sight_once(config: CityConfig, images: gpd.GeoDataFrame) -> Sight:
    """Load what sees ground, once a process.

    Raises
    ------
    EncoderError
        When the encoder shows no maps, or takes other imagery.
    """
    way, bands = way_of(config.ground), tuple(config.imagery.seen)
    encoder = config.encoder.model_copy(update={"beside": None})
    finest_m = float(images["pixel_m"].min())
    if not way.encodes:
        # nothing is loaded, and such a way may lay out chips of its own
        return sight_of(way, encoder, bands, finest_m=finest_m, encodes=False)
    with _loading:
        sight = _sight(_common(config.ground), encoder, bands, finest_m)
    sight.card.check_imagery(config.imagery.seen, images["dtype"])
    return sight


def _common(settings: Ground) -> Ground:
    """Take the keys that all ways have, which decide how ground is seen; those of one way may hold lists."""
    return Ground(**{name: getattr(settings, name) for name in Ground.model_fields})


@lru_cache(maxsize=1)
def _sight(settings: Ground, encoder: EncoderSettings, bands: tuple[int, ...], finest_m: float) -> Sight:
    return sight_of(settings, encoder, bands, finest_m=finest_m, encodes=True)


def map_shard(job: GroundJob) -> tuple[Entry, ...]:
    """See and classify the chips of one shard into ``job.out``, unless it is there.

    Returns
    -------
    What became of the chips.
    """
    kept = read_account(job.account)
    if kept is not None:
        return kept
    chips = gpd.read_parquet(job.chips, filters=[("shard", "==", job.shard)])
    images = gpd.read_parquet(job.images)
    mine = images[images["image_id"].isin({name for names in chips["image_ids"] for name in names})]
    forget_changed(mine[["path", "digest"]].itertuples(index=False))
    if job.look_ups is not None:
        images = images.assign(**{TABLE: read_look_ups(job.look_ups, images["image_id"])})
    land = open_land(job.config, images, None)
    shape = lattice_shape(images, land.crs, land.sight.lattice, land.sight.pixel_m)
    store = block_store(job.chips, 2 * reach(shape), job.config.imagery.cache_mb)
    with store.during(job.shard):
        table, entries = _mapped(job, chips, Land(images, job.config.imagery, land.sight, store))
    return write_shard(job, table, entries, mine, __name__)


def _mapped(job: GroundJob, chips: gpd.GeoDataFrame, land: Land) -> tuple[pa.Table, list[Entry]]:
    """Classify chips; gives a row a piece (`SCHEMA`), and what became of each chip."""
    classifier = way_of(job.config.ground).ready(read_classifier(job.model))
    roads = read_roads(job.segments, job.junctions).near(
        shapely.box(*chips.total_bounds), max(FARTHEST_M, job.config.ground.reach_m)
    )
    rows, entries = [], []
    with closing(see(chips, land)) as pieces:
        for piece, told, _ in pieces:
            step()
            entries += told
            if piece is None:
                entries.append(Entry("chips", "failed", told[0].reason, 1))
            elif not piece.valid.any():
                entries.append(Entry("chips", "skipped", "no data there", 1))
            else:
                rows.append(_row(piece, classifier, roads, job.config.ground.reach_m))
                entries.append(Entry("chips", "done", "", 1))
            end_when_stopped()
    rows.sort(key=lambda row: str(row["tile_id"]))
    return pa.Table.from_pylist(rows, schema=SCHEMA), entries


def _row(piece: Piece, classifier: Classifier, roads: Roads, reach_m: float) -> dict[str, Any]:
    """Classify a piece, cut its map to the ground beside roads, and count what lies about each of these."""
    seen = classifier.see(piece)
    classes = seen.classes
    rows, columns = classes.shape
    places = Places(piece.x, piece.y, rows, columns, piece.cell_m / classifier.finer)
    here = roads.near(places.box, max(FARTHEST_M, reach_m))
    near = find_near(places, here.segments, max(FARTHEST_M, reach_m))
    inside = near.within(reach_m, classes.size).reshape(classes.shape)
    shown: Classes = np.where(inside, classes, np.uint8(UNKNOWN))
    at_junctions = find_near(places, here.junctions, FARTHEST_M)
    counts = {
        "segment": count_near(near, shown, here.segment_ids),
        "junction": count_near(at_junctions, shown, here.junction_ids),
    }
    return {
        "tile_id": piece.name,
        "x": places.x,
        "y": places.y,
        "rows": places.rows,
        "columns": places.columns,
        "side_m": places.side_m,
        "classes": zlib.compress(shown.tobytes(), LEVEL),
        "measures": None if seen.measures is None else _packed(seen.measures),
        "evidence": _evidence(piece, classifier),
        **{f"{what}_{name}": counted[name].tolist() for what, counted in counts.items() for name in counted},
    }


def _evidence(piece: Piece, classifier: Classifier) -> bytes | None:
    """Pack where a piece has data, and the evidence of things that are counted, by the keys of their classes."""
    found = classifier.evidence(piece)
    if not found:
        return None
    known = piece.known(classifier.finer).astype(np.uint8)
    return zlib.compress(np.stack([known, *(found[key] for key in sorted(found))]).tobytes(), LEVEL)


_PLACES = ["x", "y", "rows", "columns", "side_m"]


def _places(row: Mapping[Hashable, Any]) -> Places:
    return Places(**{name: row[name] for name in _PLACES})


def read_maps(shards: list[Path]) -> Iterator[tuple[Places, Classes]]:
    """Read the maps of shards, one piece at a time."""
    for shard in shards:
        for row in pd.read_parquet(shard, columns=[*_PLACES, "classes"]).to_dict("records"):
            numbers = np.frombuffer(zlib.decompress(row["classes"]), dtype=np.uint8)
            yield _places(row), numbers.reshape(row["rows"], row["columns"])


def _packed(measures: pd.DataFrame) -> bytes:
    """Write what was measured on a piece as a table of Arrow."""
    table = pa.Table.from_pandas(measures, preserve_index=False)
    sink = pa.BufferOutputStream()
    with pa.ipc.new_stream(sink, table.schema) as stream:
        stream.write_table(table)
    return zlib.compress(sink.getvalue(), LEVEL)


def read_measures(shards: list[Path]) -> pd.DataFrame | None:
    """Read what was measured of segments on all pieces; None: the way measures nothing."""
    packed = [
        one for shard in shards for one in pd.read_parquet(shard, columns=["measures"])["measures"].dropna()
    ]
    frames = [pa.ipc.open_stream(zlib.decompress(one)).read_pandas() for one in packed]
    return pd.concat(frames, ignore_index=True) if frames else None


def read_evidence(shard: Path) -> Iterator[tuple[Places, NDArray[np.bool_], list[NDArray[np.uint8]]]]:
    """Read where the pieces of a shard have data, and the evidence of things, by the keys of their classes."""
    for row in pd.read_parquet(shard, columns=[*_PLACES, "evidence"]).to_dict("records"):
        if row["evidence"] is not None:
            packed = np.frombuffer(zlib.decompress(row["evidence"]), dtype=np.uint8)
            known, *evidence = packed.reshape(-1, row["rows"], row["columns"])
            yield _places(row), known > 0, evidence


def read_places(shards: list[Path]) -> dict[str, Places]:
    """Read where the pieces of shards lie, by their chips."""
    frames = [pd.read_parquet(shard, columns=["tile_id", *_PLACES]) for shard in shards]
    return {str(row["tile_id"]): _places(row) for frame in frames for row in frame.to_dict("records")}


def read_counts(shards: list[Path], what: str) -> pd.DataFrame:
    """Read what lies about segments or junctions (`geo.ground.shares.count_near`), added up over pieces."""
    names = [f"{what}_{name}" for name in ("id", "band", "number", "places")]
    found = []
    for shard in shards:
        lists = pd.read_parquet(shard, columns=names)
        flat = pd.DataFrame({name.partition("_")[2]: np.concatenate([[], *lists[name]]) for name in names})
        ints = {"band": np.int64, "number": np.int64, "places": np.int64}
        flat = flat.astype(ints | {"id": object})
        found.append(flat.groupby(["id", "band", "number"])["places"].sum().reset_index())
    return pd.concat(found, ignore_index=True)
