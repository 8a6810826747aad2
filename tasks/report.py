"""Stage 10: the report page."""

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
from tasks.publish import notes
from tasks.stage import read_json

MOST_LOOK_ALIKES = 400
"""Segments of which a picture is embedded because they look like another: some 3 MB."""
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
    config = plan.config
    layers = gather(plan)
    clusters = plan.stage_folder("clusters")
    picks = pd.read_parquet(clusters / "prototypes.parquet")
    wanted = set(picks["tile_id"].dropna()) | set(middle_tiles(layers["tiles"], layers["look_alikes"]))
    pictures = _thumbnails(plan, wanted)
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
        tests=layers["tests"],
        collisions=layers["collisions"],
        look_alikes=layers["look_alikes"],
        tiles=layers["tiles"],
        findings=notes(plan),
    )
    write_report(folder / plan.report.name, data)
    return [Entry("thumbnails", "done", "", len(pictures))]


def middle_tiles(tiles: pd.DataFrame, look_alikes: pd.DataFrame) -> list[str]:
    """Choose the tile in the middle of each segment that looks like another, for at most `MOST_LOOK_ALIKES` of them.

    Parameters
    ----------
    tiles
        ``tile_id, segment_id, position_m``, and whether each was ``encoded``: others have no imagery to show.
    look_alikes
        ``segment_id, similar_segment_id, rank``: the first ranks come first.
    """
    if look_alikes.empty:
        return []
    ranked = look_alikes.sort_values(["rank", "segment_id", "place"])[["segment_id", "similar_segment_id"]]
    segments = pd.unique(ranked.to_numpy().ravel())[:MOST_LOOK_ALIKES]
    seen = tiles[tiles["encoded"] & tiles["segment_id"].isin(list(segments))]
    seen = seen.sort_values(["segment_id", "position_m", "tile_id"])
    by_segment = seen.groupby("segment_id")["tile_id"]
    return [str(ids.iloc[(len(ids) - 1) // 2]) for _, ids in by_segment]


def _thumbnails(plan: Plan, wanted: set[str]) -> dict[str, bytes]:
    """Read the tiles to show and shrink them; one whose imagery fails now is shown without a picture."""
    stage = plan.stage_folder("tiles")
    tiles = gpd.read_parquet(stage / "tiles.parquet", filters=[("tile_id", "in", sorted(wanted))])
    images = gpd.read_parquet(stage / "images.parquet")
    with TileReader(images, plan.config.imagery, plan.config.tiles) as reader:
        read = [tile for tile in reader.read(tiles) if isinstance(tile, TileImage)]
    return {tile.tile_id: thumbnail(tile.pixels) for tile in read}
