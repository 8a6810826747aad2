"""Stage 12: the report page."""

from __future__ import annotations

from pathlib import Path

import pandas as pd

from geo.ledger import Entry
from tasks.plan import LICENSED, Plan
from tasks.publish import notes
from tasks.stages.clusters import load_quality
from tasks.stages.features import load_encoded_as
from tasks.stages.package import gather
from tasks.stages.pictures import load_pictures, report_tiles
from tasks.store.stage import Stage

METHODS = {
    "Types": "k-means on embeddings of the imagery alone; collisions played no part in it",
    "Rates": "collisions placed on segments (not at junctions), over kilometres of road and years of records",
    "Rates per vehicle-km": "AADT x 365 x length x years; counts stand on their segment, or are taken over "
    "from the nearest count on the same road in a straight line",
    "Intervals": "95 %; exact Poisson (Garwood 1936) for rates; those of rate ratios hold the ratios that moved maps "
    "of the types do not reject, so that they respect that neighbouring roads resemble each other; where a type was "
    "not tested, exact conditional (Clopper-Pearson), which takes collisions as independent",
    "Rate ratio": "the type's rate over the rate of all other roads that have a type",
    "Shrunk rate": "empirical Bayes towards the prediction of a negative binomial safety performance function "
    "(Hauer 1997), or towards the road class where none could be fitted; the GeoPackage says which",
    "p and q values": "the whole map of types is turned, mirrored and shifted at random; p is how often it then "
    "differs as much; q corrects for all comparisons made (Benjamini and Hochberg 1995)",
}


def build(plan: Plan, folder: Path) -> list[Entry]:
    """Write the report page."""
    from geo.outputs.report.page import ReportData, write_report

    config = plan.config
    layers = gather(plan)
    clusters = plan.stage_folder("clusters")
    picks = pd.read_parquet(clusters / "prototypes.parquet")
    pictures = _of_report(plan, picks)
    ksi = bool(layers["segments"]["n_ksi"].notna().any())
    data = ReportData(
        city=config.city,
        config=plan.written,
        run=dict(layers["run"].itertuples(index=False)),
        clusters=layers["clusters"],
        segments=layers["segments"],
        choice=pd.read_parquet(clusters / "choice.parquet"),
        quality=load_quality(plan).model_dump(mode="json"),
        prototypes=picks,
        thumbnails=pictures,
        ledger=layers["ledger"],
        licences=_licences(plan),
        ratio_of="ksi" if ksi else "collisions",
        period=config.collisions.period,
        methods=METHODS,
        places=layers["places"],
        junction_types=layers["junction_types"],
        tests=layers["tests"],
        collisions=layers["collisions"],
        look_alikes=layers["look_alikes"],
        tiles=layers["tiles"],
        findings=notes(plan),
    )
    write_report(folder / plan.report.name, data)
    return [Entry("thumbnails", "done", "", len(pictures))]


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


def _of_report(plan: Plan, picks: pd.DataFrame) -> dict[str, bytes]:
    """Take the pictures that the page shows; where all tiles have one, they would be too many."""
    wanted = report_tiles(plan) | set(picks["tile_id"].dropna())
    return {tile: jpeg for tile, jpeg in load_pictures(plan).items() if tile in wanted}


STAGE = Stage("report", build, counts=("thumbnails",), after=("package",))
