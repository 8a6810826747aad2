"""The report page, and tables for people without a GIS."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import geopandas as gpd
import pandas as pd

from geo.ledger import Entry
from geo.outputs.files.dated import FILE_DATE
from geo.outputs.layers.ground import BESIDE_TYPES, CLASSES, TREE
from tasks.documents import IN_SHORT, InShort
from tasks.ending.publish import notes
from tasks.plan import LICENSED, Plan
from tasks.stages.ground.mapping import MAP
from tasks.stages.imagery.centring import load_centring
from tasks.stages.imagery.features import load_encoded_as
from tasks.stages.imagery.matching import load_matching
from tasks.stages.outputs.backdrop import EDGES, load_backdrop
from tasks.stages.outputs.package import gather
from tasks.stages.outputs.pictures import load_pictures, report_tiles, sheet_tiles
from tasks.stages.records.collisions import load_recorded
from tasks.stages.types.clusters import load_quality
from tasks.stages.types.flights import load_flights
from tasks.store.stage import Stage
from tasks.store.summary import Told

if TYPE_CHECKING:
    from geo.outputs.backdrop import Backdrop
    from geo.outputs.report.page import ReportData
    from geo.outputs.report.parts.ground import GroundTold
    from geo.outputs.tables.sheets import Sheet


def build(plan: Plan, folder: Path) -> list[Entry]:
    """Write the report page, what it says in short, and the tables as a workbook and as CSV."""
    from geo.outputs.report.page import told_in_short, write_report
    from geo.outputs.tables.sheets import sheets_of
    from geo.outputs.tables.workbook import write_tables, write_workbook

    layers = gather(plan)
    data = _data(plan, layers)
    write_report(folder / plan.report.name, data)
    told = [Told(title=one.title, sentence=one.said, sure=one.sure) for one in told_in_short(data)]
    InShort(told=told).write(folder / IN_SHORT)
    sheets = sheets_of(layers)
    write_workbook(folder / plan.workbook.name, sheets, _readme(plan, data, sheets), FILE_DATE)
    write_tables(folder / plan.csv_folder.name, sheets)
    return [Entry("thumbnails", "done", "", len(data.thumbnails))]


def _data(plan: Plan, layers: Mapping[str, pd.DataFrame]) -> ReportData:
    """Bring together what the report tells."""
    from geo.clusters.registry import method_of
    from geo.outputs.report.page import ReportData
    from geo.outputs.report.parts.methods import methods
    from geo.outputs.wording import predictions_only
    from geo.safety.rates import told_outcome

    config = plan.config
    clusters = plan.stage_folder("clusters")
    wanted, drawn = report_tiles(plan), load_pictures(plan)
    pictures = {tile: jpeg for tile, jpeg in drawn.items() if tile in wanted}
    on_sheets = sheet_tiles(plan)
    in_sheets = set(on_sheets["tile_id"].dropna())
    return ReportData(
        city=config.city,
        run_id=plan.run_id,
        config=plan.written,
        run=dict(layers["run"].itertuples(index=False)),
        clusters=layers["clusters"],
        segments=layers["segments"],
        choice=pd.read_parquet(clusters / "choice.parquet"),
        merging=pd.read_parquet(clusters / "merging.parquet"),
        quality=load_quality(plan).model_dump(mode="json"),
        prototypes=pd.read_parquet(clusters / "prototypes.parquet"),
        thumbnails=pictures,
        on_sheets=on_sheets,
        sheet_pictures={tile: jpeg for tile, jpeg in drawn.items() if tile in in_sheets},
        ledger=layers["ledger"],
        licences=_licences(plan),
        ratio_of=told_outcome(layers["segments"]),
        period=config.collisions.period,
        methods=methods(method_of(config.clusters).words, predictions_only(layers["segments"])),
        places=layers["places"],
        junction_types=layers["junction_types"],
        tests=layers["tests"],
        collisions=layers["collisions"],
        look_alikes=layers["look_alikes"],
        interventions=layers.get("interventions_by_kind"),
        tiles=layers["tiles"],
        stretches=layers["stretches"],
        high_injury=layers["high_injury"],
        value=layers["value_of_imagery"],
        windows=layers["windows"],
        backdrop=_backdrop(plan),
        junctions=layers["junctions"],
        junction_clusters=layers["junction_clusters"],
        junction_prototypes=pd.read_parquet(plan.stage_folder("junction_clusters") / "prototypes.parquet"),
        findings=notes(plan),
        untold=load_recorded(plan).notes,
        models=layers["models"],
        sensitivity=layers["sensitivity"],
        flights=load_flights(plan).model_dump(mode="json"),
        corrections=[
            told.model_dump(mode="json")
            for told in (load_matching(plan), load_centring(plan.stage_folder("fingerprints")))
        ],
        ground=_ground(plan, layers, pictures),
        systemic={name: layer for name, layer in layers.items() if name.startswith("systemic_")},
    )


def _backdrop(plan: Plan) -> list[Backdrop]:
    """Read the pictures of the ground beneath the map."""
    from geo.outputs.backdrop import Backdrop

    rows = load_backdrop(plan)
    edges = rows[list(EDGES)].to_numpy(dtype=float).tolist()
    return [
        Backdrop((west, south, east, north), webp)
        for (west, south, east, north), webp in zip(edges, rows["webp"], strict=True)
    ]


def _readme(plan: Plan, data: ReportData, sheets: Sequence[Sheet]) -> list[str]:
    """Say what the workbook is, and how it is to be read."""
    period = "not known" if data.period is None else f"{data.period[0]} to {data.period[1]}"
    return [
        f"Roads of {plan.config.city}: tables of roadprint {plan.versions['roadprint']}",
        f"Collision records: {period}",
        *(f"{sheet.name}: {sheet.says}" for sheet in sheets),
        *READING,
        *(f"{text[:1].upper()}{text[1:].rstrip('.')}." for text in data.findings),
        "All layers, with every column and place, are in the GeoPackage beside this file; report.html says more.",
    ]


def _ground(
    plan: Plan, layers: Mapping[str, pd.DataFrame], pictures: Mapping[str, bytes]
) -> GroundTold | None:
    """Gather what is told of ground, with a picture of each class that has no name yet; None where it is not mapped."""
    from geo.outputs.report.figures.ground_pictures import examples
    from geo.outputs.report.parts.ground import GroundTold

    if CLASSES not in layers:
        return None
    classes, raster = layers[CLASSES], plan.stage_folder("ground") / MAP
    unnamed = classes[classes["name"].fillna("").str.strip() == ""]
    numbers = {
        str(key): (int(number), str(colour))
        for key, number, colour in unnamed[["key", "class", "colour"]].itertuples(index=False)
    }
    shown = examples(numbers, gpd.GeoDataFrame(layers["tiles"]), pictures, raster) if raster.exists() else {}
    return GroundTold(classes, layers[BESIDE_TYPES], layers.get(TREE), shown)


def _licences(plan: Plan) -> dict[str, str]:
    """Quote source and licence of each input that the city has, and of the encoder."""
    config = plan.config
    unused = [
        name for name in ("collisions", "exposure") if getattr(config, name) == type(getattr(config, name))()
    ]
    encoder = load_encoded_as(plan).encoder
    return {name: getattr(config, name).licence or "" for name in LICENSED if name not in unused} | {
        "encoder": f"{encoder['source']}. {encoder['licence']}"
    }


READING = (
    "Association, not cause: that roads of a look have more collisions does not show that the look causes them.",
    "An empty cell is not known; it is not zero. Rates leave traffic out unless they say 'vehicle-km'.",
    "Numbers are rounded. Limits are of 95 % intervals: a rate of 0 has an upper limit that may be high.",
    "Rank by the places given here, not by counts or recorded rates: these favour chance.",
)

STAGE = Stage("report", build, counts=("thumbnails",), after=("package",), documents=(InShort,))
