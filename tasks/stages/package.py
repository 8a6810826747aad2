"""Stage 11: everything known comes together in one GeoPackage."""

from __future__ import annotations

import json
import shutil
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING

import geopandas as gpd
import pandas as pd

from geo.config import CityConfig
from geo.ledger import Entry, to_frame
from geo.outputs.names import FILE as NAMES
from geo.outputs.names import with_names
from tasks.documents import Gathered
from tasks.earlier import TABLES
from tasks.plan import LICENSED, NAMES_OF_TYPES, Plan
from tasks.stages.clusters import load_quality
from tasks.stages.exposure import load_covered
from tasks.stages.features import load_encoded_as
from tasks.stages.fingerprints import FILE as FINGERPRINTS
from tasks.stages.fingerprints import load_seen
from tasks.stages.inference import FINDINGS
from tasks.stages.pictures import KINDS, load_pictures
from tasks.store.code import merged
from tasks.store.stage import Stage, account_of

if TYPE_CHECKING:
    import pyproj

    from geo.outputs.qgis.project import Mosaic
    from geo.outputs.qgis.tables import About


FILE_DATE = datetime(2000, 1, 1, tzinfo=UTC)
"""What the file says of its own last change: always the same, so that the same inputs give the same bytes. When a
run took place is in ``run.json`` beside the file."""


def build(plan: Plan, folder: Path) -> list[Entry]:
    """Write the GeoPackage under its final name, and each layer as GeoParquet."""
    import pyproj

    from geo.outputs.files.geopackage import write_geopackage
    from geo.outputs.files.geoparquet import write_geoparquet
    from geo.outputs.qgis.project import NAME as PROJECT
    from geo.outputs.qgis.project import city_project
    from geo.outputs.qgis.styles import city_styles

    layers = gather(plan)
    crs = pyproj.CRS.from_user_input(layers["segments"].crs)
    styles = city_styles(layers, turned=plan.config.tiles.align == "road")
    name = plan.geopackage.name
    about = _about(plan, crs, layers["run"])
    project = city_project(name, plan.config.city, layers, styles, crs, _mosaics(plan), about.layers)
    write_geopackage(
        folder / name,
        layers,
        crs=crs,
        styles=styles,
        date=FILE_DATE,
        projects={PROJECT: project},
        about=about,
    )
    tables = folder / TABLES
    tables.mkdir()
    write_geoparquet(tables, layers, crs)
    # vectors are of no use in a GIS: they are among the layers as GeoParquet alone
    shutil.copyfile(plan.stage_folder("fingerprints") / FINGERPRINTS, tables / FINGERPRINTS)
    return [Entry("layers", "done", "", len(layers)), *_unknown_names(plan, layers["clusters"])]


def _mosaics(plan: Plan) -> list[Mosaic]:
    """Describe the imagery that will lie beside the GeoPackage."""
    from geo.imagery.mosaic import plan_mosaics
    from geo.outputs.qgis.project import Mosaic

    images = gpd.read_parquet(plan.stage_folder("tiles") / "images.parquet")
    return [
        Mosaic(one.file, "Imagery" if number == 1 else f"Imagery {number}", one.crs, one.quick)
        for number, one in enumerate(plan_mosaics(images), start=1)
    ]


def _about(plan: Plan, crs: pyproj.CRS, run: pd.DataFrame) -> About:
    """Say what each layer is, and how the file was made: nothing that depends on where the inputs lie."""
    from geo.outputs.qgis.tables import About, layer_metadata

    config = plan.config
    licences = {name: getattr(config, name).licence for name in LICENSED}
    manifest = {
        "made_by": f"roadprint {plan.versions['roadprint']}",
        **{key: value for key, value in run.itertuples(index=False) if key not in {"configuration", "times"}},
        "configuration": plan.written,
    }
    return About(layer_metadata(config.city, crs, licences, config.collisions.period), manifest)


def _unknown_names(plan: Plan, clusters: pd.DataFrame) -> list[Entry]:
    """Say which lines of clusters.csv name a cluster that this run does not have."""
    unknown = sorted(n for n, one in plan.names.items() if one.edited and n not in set(clusters["cluster"]))
    if not unknown:
        return []
    reason = f"{NAMES} names {', '.join(map(str, unknown))}, which this run does not have; kept there for later runs"
    return [Entry(NAMES_OF_TYPES, "skipped", reason, len(unknown))]


def gather(plan: Plan) -> dict[str, pd.DataFrame]:
    """Bring the layers of a finished run together, as DESIGN and docs/stages.md describe them."""
    from geo.outputs.layers.arrange import empty_layer

    roads, tiles_folder = plan.stage_folder("roads"), plan.stage_folder("tiles")
    safety, clusters = plan.stage_folder("safety"), plan.stage_folder("clusters")
    inference, gathered = plan.stage_folder("inference"), plan.stage_folder("concentration")
    segments = gpd.read_parquet(roads / "segments.parquet")
    junctions = gpd.read_parquet(roads / "junctions.parquet")
    tiles = _tiles(gpd.read_parquet(tiles_folder / "tiles.parquet"), load_seen(plan))
    picks = pd.read_parquet(clusters / "prototypes.parquet")
    by_segment = tiles.groupby("segment_id").agg(n_tiles=("tile_id", "size"), coverage=("coverage", "mean"))
    known = [_keyed(stage / "segments.parquet") for stage in (clusters, safety, gathered)]
    for table in (by_segment, *known):
        segments = segments.join(table, on="segment_id")
    tiles["thumbnail"] = tiles["tile_id"].map(_pictures(plan, picks))
    segments["shown_tile"] = segments["segment_id"].map(_shown(tiles))
    prototypes = picks[picks["kind"] == "prototype"].groupby("cluster")["tile_id"].agg(";".join)
    collisions = plan.stage_folder("collisions") / "collisions.parquet"
    return {
        "segments": segments,
        "junctions": junctions.join(_keyed(safety / "junctions.parquet", "junction_id"), on="junction_id"),
        "tiles": tiles,
        "collisions": gpd.read_parquet(collisions)
        if collisions.exists()
        else empty_layer("collisions", segments.crs),
        "clusters": with_names(
            pd.read_parquet(inference / "clusters.parquet").join(
                prototypes.rename("prototype_tiles"), on="cluster"
            ),
            plan.names,
        ),
        "tests": pd.read_parquet(inference / "tests.parquet"),
        "value_of_imagery": pd.read_parquet(inference / "value_of_imagery.parquet"),
        "models": pd.read_parquet(safety / "models.parquet"),
        "windows": gpd.read_parquet(gathered / "windows.parquet"),
        "high_injury": pd.read_parquet(gathered / "high_injury.parquet"),
        "lixels": gpd.read_parquet(gathered / "lixels.parquet"),
        "look_alikes": pd.read_parquet(gathered / "look_alikes.parquet"),
        "junction_types": pd.read_parquet(safety / "junction_types.parquet"),
        "places": pd.read_parquet(safety / "places.parquet"),
        "ledger": ledger(plan),
        "run": _run(plan),
    }


def _pictures(plan: Plan, picks: pd.DataFrame) -> dict[str, bytes]:
    """Choose the pictures that the GeoPackage holds."""
    which = plan.config.output.thumbnails
    if which == "none":
        return {}
    pictures = load_pictures(plan)
    if which == "all":
        return pictures
    typical = set(picks.loc[picks["kind"].isin(KINDS), "tile_id"])
    return {tile: jpeg for tile, jpeg in pictures.items() if tile in typical}


def _shown(tiles: pd.DataFrame) -> pd.Series:
    """Choose the tile that shows each segment: of those with a picture, the one nearest to the middle."""
    from geo.clusters.prototypes import central_tiles

    with_picture = tiles[tiles["thumbnail"].notna()]
    segments = with_picture[["segment_id"]].drop_duplicates()
    return central_tiles(segments, with_picture).set_axis(segments["segment_id"])


def _keyed(path: Path, key: str = "segment_id") -> pd.DataFrame:
    return pd.read_parquet(path).set_index(key)


def _tiles(tiles: gpd.GeoDataFrame, read: pd.DataFrame) -> gpd.GeoDataFrame:
    """Say of each tile what its pixels came from; the coverage of one that was not read is that of its footprint."""
    pixels = read.set_index("tile_id")[["image_id", "coverage"]].add_suffix("_read")
    columns = ["tile_id", "segment_id", "position_m", "bearing", "coverage", "geometry"]
    joined = tiles[columns].join(pixels, on="tile_id")
    joined["image_id"] = joined.pop("image_id_read")
    joined["encoded"] = joined["tile_id"].isin(read.loc[read["encoded"], "tile_id"])
    joined["coverage"] = joined.pop("coverage_read").fillna(joined["coverage"])
    return joined


def ledger(plan: Plan) -> pd.DataFrame:
    """Add up the accounts of the stages before this one."""
    by_stage = {name: account_of(plan.stage_folder(name)).entries for name in plan.before("package")}
    return to_frame(by_stage)


def _versions(plan: Plan) -> dict[str, str]:
    """Quote what the stages say that they were made with, and what makes this one."""
    kept = [account_of(plan.stage_folder(name)).made_with for name in plan.before("package")]
    return merged([*kept, STAGE.made_with, {"roadprint": version("roadprint")}])


def _run(plan: Plan) -> pd.DataFrame:
    """List what made the file: configuration, encoder, quality, digests and versions."""
    density = Gathered.read(plan.stage_folder("concentration") / FINDINGS).density
    traffic = load_covered(plan).notes
    values = {
        "city": plan.config.city,
        "configuration": plan.written,
        "encoder": load_encoded_as(plan).encoder,
        "embeddings": load_quality(plan).model_dump(mode="json"),
        "times": f"in {plan.summary.name} beside this file, so that the same inputs give the same bytes",
        "reading": "association, not cause; exposure is length x years, and vehicle-km where it says so",
        "density": density.model_dump(mode="json"),
        "traffic": "; ".join(traffic) if traffic else "not known",
    }
    values |= {f"input {place}": found for place, found in plan.inputs.items()}
    values |= {f"version {name}": number for name, number in _versions(plan).items()}
    values |= {
        f"licence of {name}": text for name in LICENSED if (text := getattr(plan.config, name).licence)
    }
    plain = {
        k: v if isinstance(v, str) else json.dumps(v, sort_keys=True, default=str) for k, v in values.items()
    }
    return pd.DataFrame(sorted(plain.items()), columns=["key", "value"])


def _version(_: CityConfig) -> str:
    return version("roadprint")


STAGE = Stage(
    "package",
    build,
    counts=("layers",),
    after=(
        "roads",
        "tiles",
        "features",
        "fingerprints",
        "clusters",
        "collisions",
        "exposure",
        "safety",
        "inference",
        "concentration",
        "pictures",
    ),
    settings=(*CityConfig.model_fields, *(f"{section}.licence" for section in LICENSED)),
    also=_version,
)
