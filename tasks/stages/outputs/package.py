"""Everything known comes together in one GeoPackage."""

from __future__ import annotations

import json
import shutil
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING

import geopandas as gpd
import pandas as pd

from geo.clusters.hands.corrections import FILE as HANDS
from geo.config import CityConfig
from geo.ground.names import FILE as GROUND_FILE
from geo.ground.names import MERGES_OF_CLASSES, NAMES_OF_CLASSES
from geo.ledger import Entry, to_frame
from geo.outputs.files.dated import FILE_DATE
from geo.outputs.layers.ground import CLASSES
from geo.outputs.names import FILE as NAMES
from geo.outputs.names import JUNCTION_FILE, MERGES
from tasks.documents import Gathered
from tasks.earlier import TABLES, edited
from tasks.plan import CORRECTED, LICENSED, NAMES_OF_TYPES, Plan
from tasks.sensitivity import load_sensitivity
from tasks.stages.ground.mapping import MAP
from tasks.stages.imagery.centring import load_centring
from tasks.stages.imagery.features import load_encoded_as
from tasks.stages.imagery.fingerprints import FILE as FINGERPRINTS
from tasks.stages.imagery.fingerprints import JUNCTION_FILE as OF_JUNCTIONS
from tasks.stages.imagery.fingerprints import TILE_FILE as OF_TILES
from tasks.stages.imagery.matching import load_matching
from tasks.stages.outputs.pictures import load_pictures
from tasks.stages.records.collisions import load_recorded
from tasks.stages.records.exposure import load_covered
from tasks.stages.safety.inference import FINDINGS
from tasks.stages.types.clusters import load_quality
from tasks.stages.types.concepts import FILE as LEARNED_WORDS
from tasks.stages.types.flights import load_flights
from tasks.store.code import merged
from tasks.store.stage import ALL_BEFORE, Stage, account_of
from tasks.store.table import Table
from tasks.tables import TURN_SCATTER

if TYPE_CHECKING:
    import pyproj

    from geo.outputs.qgis.ground import GroundMap
    from geo.outputs.qgis.layouts.pages import Told
    from geo.outputs.qgis.project import Mosaic
    from geo.outputs.qgis.tables import About


LOOKED_AT = 4
"""So many rasters of a mosaic are looked at, at most, to see whether imagery was left behind."""


def build(plan: Plan, folder: Path) -> list[Entry]:
    """Write the GeoPackage under its final name, and each layer as GeoParquet."""
    import pyproj

    from geo.outputs.files.geopackage import write_geopackage
    from geo.outputs.files.geoparquet import write_geoparquet
    from geo.outputs.qgis.layouts.layouts import city_extras
    from geo.outputs.qgis.project import NAME as PROJECT
    from geo.outputs.qgis.project import city_project
    from geo.outputs.qgis.styles import city_styles
    from geo.outputs.qgis.tables import zipped_project

    layers = gather(plan)
    crs = pyproj.CRS.from_user_input(layers["segments"].crs)
    styles = city_styles(layers, turned=plan.config.tiles.align == "road")
    name = plan.geopackage.name
    told = _told(plan)
    about = _about(plan, crs, layers, told)
    mosaics = _mosaics(plan)
    extras = city_extras(name, layers, styles, told, mosaics, about.layers)
    project = city_project(
        name, plan.config.city, layers, styles, crs, mosaics, extras, _ground(plan, layers)
    )
    write_geopackage(
        folder / name,
        layers,
        crs=crs,
        styles=styles,
        date=FILE_DATE,
        projects={PROJECT: project},
        about=about,
    )
    (folder / plan.project.name).write_bytes(zipped_project(PROJECT, project, FILE_DATE))
    tables = folder / TABLES
    tables.mkdir()
    write_geoparquet(tables, layers, crs)
    # vectors are of no use in a GIS: they are among the layers as GeoParquet alone
    for name in (FINGERPRINTS, OF_TILES, OF_JUNCTIONS, f"{TURN_SCATTER.name}.parquet"):
        file = plan.stage_folder("fingerprints") / name
        if file.exists():
            shutil.copyfile(file, tables / name)
    told_by = plan.stage_folder("concepts") / LEARNED_WORDS
    if told_by.exists():
        shutil.copyfile(told_by, tables / LEARNED_WORDS)
    names = [
        *_unknown_names(plan, layers["clusters"]),
        *_names_of_other_junctions(plan),
        *_unknown_classes(plan, layers.get(CLASSES)),
    ]
    return [Entry("layers", "done", "", len(layers)), *names]


def _mosaics(plan: Plan) -> list[Mosaic]:
    """Describe the imagery that will lie beside the GeoPackage."""
    from geo.imagery.mosaic import plan_mosaics
    from geo.outputs.qgis.project import Mosaic

    if not plan.config.imagery.sources:
        return []
    images = gpd.read_parquet(plan.stage_folder("tiles") / "images.parquet")
    return [
        Mosaic(
            one.file,
            "Imagery" if number == 1 else f"Imagery {number}",
            one.crs,
            one.quick,
            tuple(one.centres(LOOKED_AT)),
        )
        for number, one in enumerate(plan_mosaics(images), start=1)
    ]


def _told(plan: Plan) -> Told:
    """Gather what is printed of the inputs."""
    from geo.outputs.qgis.layouts.pages import Told

    config = plan.config
    licences = {name: getattr(config, name).licence for name in LICENSED}
    made_by = f"roadprint {plan.versions['roadprint']}"
    return Told(config.city, licences, config.collisions.period, made_by)


def _ground(plan: Plan, layers: dict[str, pd.DataFrame]) -> GroundMap | None:
    """Describe the map of classes of ground that will lie beside the GeoPackage; None where there is none."""
    from geo.outputs.qgis.ground import ground_map

    if CLASSES not in layers or not (plan.stage_folder("ground") / MAP).exists():
        return None
    return ground_map(MAP, layers[CLASSES])


def _about(plan: Plan, crs: pyproj.CRS, layers: dict[str, pd.DataFrame], told: Told) -> About:
    """Say what each layer is, and how the file was made: nothing that depends on where the inputs lie."""
    from geo.outputs.qgis.tables import About, layer_metadata

    manifest = {
        "made_by": told.made_by,
        **{
            key: value
            for key, value in layers["run"].itertuples(index=False)
            if key not in {"configuration", "times"}
        },
        "configuration": plan.written,
    }
    metadata = layer_metadata(told.city, crs, told.licences, told.period)
    return About({name: text for name, text in metadata.items() if name in layers}, manifest)


def _unknown_names(plan: Plan, clusters: pd.DataFrame) -> list[Entry]:
    """Say which lines of clusters.csv name a cluster that this run does not have."""
    if plan.typology is not None:
        theirs, kept = f"types are those of {Path(plan.typology).name}", "is kept for types found in the city"
        called = Entry(
            NAMES_OF_TYPES, "skipped", f"{theirs}, and are called as there; {NAMES} {kept}", len(plan.unused)
        )
        corrected = Entry(CORRECTED, "skipped", f"{theirs}; {HANDS} {kept}", plan.unused_corrections)
        return [entry for entry in (called, corrected) if entry.count]
    away = set(clusters["cluster"]) | set(plan.merges)
    unknown = sorted(n for n, one in plan.names.items() if one.edited and n not in away)
    if not unknown:
        return []
    reason = f"{NAMES} names {', '.join(map(str, unknown))}, which this run does not have; kept there for later runs"
    return [Entry(NAMES_OF_TYPES, "skipped", reason, len(unknown))]


def _names_of_other_junctions(plan: Plan) -> list[Entry]:
    """Say which lines of junction_types.csv were of another grouping of the junctions."""
    if not plan.other_junctions:
        return []
    reason = (
        f"{JUNCTION_FILE} names types of another grouping of the junctions; it is put aside beside a new one"
    )
    return [Entry(NAMES_OF_TYPES, "skipped", reason, len(plan.other_junctions))]


def _unknown_classes(plan: Plan, classes: pd.DataFrame | None) -> list[Entry]:
    """Say which lines of ground.csv name a class of ground that this run does not have, or does not find."""
    unknown = plan.ground.unused
    why = f"by ground.method {plan.config.ground.method} no classes are found"
    if not unknown:
        there = set() if classes is None else set(classes["class"])
        away = there | plan.ground.merges.keys()
        unknown = tuple(one.cluster for one in edited(plan.ground.names) if one.cluster not in away)
        why = "this run does not have them"
    if not unknown:
        return []
    reason = f"{GROUND_FILE} names {', '.join(map(str, unknown))}: {why}; kept there for later runs"
    return [Entry(NAMES_OF_CLASSES, "skipped", reason, len(unknown))]


def gather(plan: Plan) -> dict[str, pd.DataFrame]:
    """Bring the layers of a finished run together, as docs/stages.md describes them."""
    from geo.outputs.layers.gather import gather_layers
    from geo.outputs.layers.layers import LAYERS
    from geo.outputs.pictures import pictures_of_file

    declared = _tables(plan)
    tables = {name: table.read(folder) for name, (table, folder) in declared.items() if table.is_in(folder)}
    joined = {
        layer: [name for name, (table, _) in declared.items() if table.joins == layer]
        for layer in ("segments", "junctions")
    }
    as_they_are = {table.layer: name for name, (table, _) in declared.items() if table.layer is not None}
    which = plan.config.output.thumbnails
    pictures = {} if which == "none" else load_pictures(plan)
    picks = pd.concat([tables["clusters/prototypes"], tables["junction_clusters/prototypes"]])
    shown = pictures_of_file(pictures, picks, which)
    found = gather_layers(
        tables, joined, as_they_are, shown, plan.names, plan.junction_names, plan.ground.names
    )
    found |= {"ledger": ledger(plan), "run": _run(plan), "sensitivity": load_sensitivity(plan)}
    return {name: found[name] for name, layer in LAYERS.items() if name in found or not layer.optional}


def _tables(plan: Plan) -> dict[str, tuple[Table, Path]]:
    """Find the tables that layers are made of, with their folders, by stage and name."""
    return {
        f"{stage}/{table.name}": (table, plan.stage_folder(stage))
        for stage in plan.before("package")
        for table in plan.tables[stage]
        if table.gathered
    }


def ledger(plan: Plan) -> pd.DataFrame:
    """Add up the accounts of the stages before this one."""
    by_stage = {name: account_of(plan.stage_folder(name)).entries for name in plan.before("package")}
    return to_frame(by_stage)


def _versions(plan: Plan) -> dict[str, str]:
    """Quote what the stages say that they were made with, and what makes this one and the report."""
    kept = [account_of(plan.stage_folder(name)).made_with for name in plan.before("package")]
    return merged([*kept, plan.versions])


def _run(plan: Plan) -> pd.DataFrame:
    """List what made the file: configuration, encoder, quality, digests and versions."""
    density = Gathered.read(plan.stage_folder("concentration") / FINDINGS).density
    traffic = load_covered(plan).notes
    quality = load_quality(plan)
    values = {
        "city": plan.config.city,
        "configuration": plan.written,
        "encoder": load_encoded_as(plan).encoder,
        "embeddings": quality.model_dump(mode="json", exclude={"typology", "hands"}),
        "times": f"in {plan.summary.name} beside this file, so that the same inputs give the same bytes",
        "reading": "association, not cause; exposure is length x years, and vehicle-km where it says so",
        "density": density.model_dump(mode="json"),
        "traffic": "; ".join(traffic) if traffic else "not known",
        "severity and road users": _recorded(plan),
    }
    flown = load_flights(plan)
    if len(flown.flights) > 1:
        values["flights"] = flown.model_dump(mode="json")
    if quality.typology is not None:
        values["typology"] = quality.typology.model_dump(mode="json")
    if quality.hands is not None:
        values["types by hand"] = quality.hands.model_dump(mode="json")
    merges = {str(n): one.merged_into for n, one in sorted(plan.names.items()) if one.merged_into is not None}
    if merges:
        values[MERGES] = merges
    if plan.ground.merges:
        values[MERGES_OF_CLASSES] = {str(n): into for n, into in sorted(plan.ground.merges.items())}
    matching = load_matching(plan)
    if matching.asked:
        values["imagery match"] = matching.model_dump(mode="json")
    centring = load_centring(plan.stage_folder("fingerprints"))
    if centring.asked:
        values["imagery centre"] = centring.model_dump(mode="json")
    values |= {f"input {place}": found for place, found in plan.inputs.items()}
    values |= {f"version {name}": number for name, number in _versions(plan).items()}
    values |= {
        f"licence of {name}": text for name in LICENSED if (text := getattr(plan.config, name).licence)
    }
    plain = {
        k: v if isinstance(v, str) else json.dumps(v, sort_keys=True, default=str) for k, v in values.items()
    }
    return pd.DataFrame(sorted(plain.items()), columns=["key", "value"])


def _recorded(plan: Plan) -> str:
    """Say what share of the records tells of severity and road users."""
    recorded = load_recorded(plan)
    if not recorded.severities and not recorded.users:
        return "not counted: no records, or too few of them tell"
    return "; ".join(recorded.notes) or "told by all placed collisions that count"


def _version(_: CityConfig) -> str:
    return version("roadprint")


STAGE = Stage(
    "package",
    build,
    counts=("layers",),
    after=ALL_BEFORE,
    settings=(*CityConfig.model_fields, *(f"{section}.licence" for section in LICENSED)),
    also=_version,
)
