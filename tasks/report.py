"""Stage 9: the report page."""

from __future__ import annotations

from pathlib import Path

import geopandas as gpd
import pandas as pd

from geo.imagery.reader import TileImage, TileReader
from geo.ledger import Entry
from geo.outputs.report import ReportData, write_report
from geo.outputs.thumbnails import thumbnail
from tasks.package import gather
from tasks.plan import LICENSED, Plan
from tasks.stage import read_json

METHODS = {
    "Types": "k-means on embeddings of the imagery alone; collisions played no part in it",
    "Rates": "collisions placed on segments (not at junctions), over kilometres of road and years of records",
    "Rates per vehicle-km": "AADT x 365 x length x years; counts stand on their segment, or are taken over from the "
    "nearest count on the same road in a straight line",
    "Intervals": "95 %; exact Poisson (Garwood 1936) for rates, exact conditional (Clopper-Pearson) for ratios; they "
    "take collisions as independent, and are too narrow where roads of one type differ much in risk",
    "Rate ratio": "the type's rate over the rate of all other roads that have a type",
    "Shrunk rate": "gamma-Poisson empirical Bayes towards the mean of the road class (Clayton and Kaldor 1987)",
    "p and q values": "not given: the test that respects how roads lie beside each other is not there yet",
}


def build(plan: Plan, folder: Path) -> list[Entry]:
    """Write the report page."""
    config = plan.config
    layers = gather(plan)
    clusters = plan.stage_folder("clusters")
    picks = pd.read_parquet(clusters / "prototypes.parquet")
    pictures = _thumbnails(plan, set(picks["tile_id"]))
    ksi = bool(layers["segments"]["n_ksi"].notna().any())
    data = ReportData(
        city=config.city,
        config=plan.written,
        run=dict(layers["run"].itertuples(index=False)),
        clusters=layers["clusters"],
        segments=layers["segments"],
        choice=pd.read_parquet(clusters / "choice.parquet"),
        quality=read_json(clusters / "quality.json"),
        prototypes=picks,
        thumbnails=pictures,
        ledger=layers["ledger"],
        licences={name: getattr(config, name).licence for name in LICENSED},
        ratio_of="ksi" if ksi else "collisions",
        period=config.collisions.period,
        methods=METHODS,
        places=layers["places"],
        junction_types=layers["junction_types"],
    )
    write_report(folder / plan.report.name, data)
    return [Entry("thumbnails", "done", "", len(pictures))]


def _thumbnails(plan: Plan, wanted: set[str]) -> dict[str, bytes]:
    """Read the tiles to show and shrink them; one whose imagery fails now is shown without a picture."""
    stage = plan.stage_folder("tiles")
    tiles = gpd.read_parquet(stage / "tiles.parquet", filters=[("tile_id", "in", sorted(wanted))])
    images = gpd.read_parquet(stage / "images.parquet")
    with TileReader(images, plan.config.imagery, plan.config.tiles) as reader:
        read = [tile for tile in reader.read(tiles) if isinstance(tile, TileImage)]
    return {tile.tile_id: thumbnail(tile.pixels) for tile in read}
