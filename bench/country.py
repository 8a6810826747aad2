"""What a country takes: a plan for Great Britain, from rates that are measured here.

    .venv/bin/python bench/country.py [--links 3900000] [--km 397800] [--authorities 200]

Four demo towns side by side are run from nothing, their imagery (0.25 m) as cloud-optimised GeoTIFFs behind an HTTP
server on this machine that answers requests for ranges. Measured are seconds by stage, bytes fetched, and bytes on
disk, each by segment or by tile; shards are encoded again from files on disk, and read without being encoded. The
plan multiplies: a country is run as one city an authority, each a run of its own, as many at once as there are workers.

Not measured here is a GPU. What it encodes is taken from the table that timm publishes for an RTX 3090 (in its
repository, results/benchmark-infer-amp-nchw-pt240-cu124-rtx3090.csv: 7,042 images/s of 224 px with
tf_efficientnet_lite0), scaled by pixels, for four turns a tile: the most that may be hoped for. The length of roads is
the DfT's for 2025 (247,200 miles, Road lengths in Great Britain: 2025). A table is printed, and JSON is written under
bench/results/.
"""

from __future__ import annotations

import argparse
import shutil
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import geopandas as gpd
import yaml
from growth import repeat
from rasterio.shutil import copy
from results import save, table
from whole_run import ROADPRINT, timed

from geo.demo.write import make_town
from geo.imagery.reading.reader import TileReader
from tasks.plan import Plan
from tasks.planning import make_plan
from tasks.shards.encode import encode_shard, load_once
from tasks.stages.imagery import features
from tasks.stages.network import roads, tiles
from tasks.store.stage import run_stage
from tasks.store.status import size_on_disk

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "tests"))
from range_server import Sent, serving

TOWNS, TOKEN = 4, "bench"
GPU_IMAGES_S, GPU_PX, OURS_PX, TURNS = 7042.0, 224, 160, 4
HOURS = 3600.0


def behind_http(city: Path, folder: Path, address: str) -> Path:
    """Write the city's file anew, its imagery at an address."""
    settings = yaml.safe_load(city.read_text())
    names = sorted(path.name for path in (folder / "imagery").glob("*.tif"))
    settings["imagery"]["sources"] = [f"{address}/{name}?key={TOKEN}" for name in names]
    remote = city.with_name("remote.yaml")
    remote.write_text(yaml.safe_dump(settings))
    return remote


def as_cogs(city: Path) -> Path:
    """Make cloud-optimised GeoTIFFs of the city's imagery, without overviews: 0.25 m is what is read."""
    folder = city.parent / "cogs"
    (folder / "imagery").mkdir(parents=True)
    for path in sorted((city.parent / "imagery").glob("*.tif")):
        copy(
            str(path),
            str(folder / "imagery" / path.name),
            driver="COG",
            compress="JPEG",
            quality=85,
            overviews="NONE",
        )
    return folder


def prepared(city: Path, out: Path) -> Plan:
    """Run what comes before encoding, and load the encoder."""
    plan = make_plan(city, None, out)
    for stage in (roads.STAGE, tiles.STAGE):
        run_stage(stage, plan)
    load_once(plan.config)
    return plan


def encoding(plan: Plan) -> float:
    """Encode all shards one after the other; gives the seconds."""
    start = time.perf_counter()
    for job in features.plan_shards(plan):
        encode_shard(job)
    return time.perf_counter() - start


def reading(plan: Plan) -> float:
    """Read all tiles and do nothing with them; gives the seconds."""
    frame = gpd.read_parquet(plan.stage_folder("tiles") / "tiles.parquet")
    images = gpd.read_parquet(plan.stage_folder("tiles") / "images.parquet")
    start = time.perf_counter()
    with TileReader(images, plan.config.imagery, plan.config.tiles) as reader:
        for _ in reader.read(frame[frame["coverage"] > 0]):
            pass
    return time.perf_counter() - start


def measure(folder: Path) -> dict[str, float]:
    """Run the towns; gives rates."""
    (folder / "town").mkdir()
    city = repeat(make_town(folder / "town").folder, folder / "towns", TOWNS)
    cogs, log = as_cogs(city), folder / "sent"
    with serving(cogs / "imagery", {TOKEN}, log=log) as (address, _):
        remote = behind_http(city, cogs, address)
        plan = prepared(remote, folder / "remote")
        sent_before = sum(size for size, _ in Sent(log).lines())
        over_http = encoding(plan)
        fetched = sum(size for size, _ in Sent(log).lines()) - sent_before
    n_tiles = sum(job.n_tiles for job in features.plan_shards(plan))
    n_shards = len(features.plan_shards(plan))
    segments = len(gpd.read_parquet(plan.stage_folder("roads") / "segments.parquet"))
    on_disk = encoding(local := prepared(city, folder / "local"))
    read_alone = reading(local)
    shutil.rmtree(folder / "local")
    command = [str(ROADPRINT), "run", str(city), "--out", str(folder / "runs"), "--json"]
    summary, _, memory = timed(command)
    rest = sum(row["seconds"] for row in summary["stages"] if row["name"] != "features")
    return {
        "segments": segments,
        "tiles": n_tiles,
        "tiles a shard": n_tiles / n_shards,
        "encode ms a tile": 1000 * on_disk / n_tiles,
        "encode over HTTP ms a tile": 1000 * over_http / n_tiles,
        "read ms a tile": 1000 * read_alone / n_tiles,
        "other stages ms a segment": 1000 * rest / segments,
        "fetched KB a tile": fetched / n_tiles / 1e3,
        "kept KB a segment": size_on_disk(folder / "runs" / summary["city"]) / segments / 1e3,
        "peak memory MB": memory,
    }


def plan_country(rates: dict[str, float], links: int, km: float, authorities: int) -> dict[str, Any]:
    """Multiply."""
    # one every tiles.spacing_m (50), and one a link at least
    n_tiles = max(links, km / 0.05)
    gpu_tiles_s = GPU_IMAGES_S * (GPU_PX / OURS_PX) ** 2 / TURNS
    encode = n_tiles * rates["encode over HTTP ms a tile"] / 1000
    read = n_tiles * rates["read ms a tile"] / 1000
    rest = links * rates["other stages ms a segment"] / 1000
    return {
        "cities (one an authority)": authorities,
        "segments a city": round(links / authorities),
        "tiles": round(n_tiles),
        "shards": round(n_tiles / rates["tiles a shard"]),
        "worker-hours, encoding, on a CPU of 2 cores": encode / HOURS,
        "worker-hours, reading alone (what a GPU waits for)": read / HOURS,
        "GPU-hours, encoding alone, at the most that may be hoped for": n_tiles / gpu_tiles_s / HOURS,
        "worker-hours, all other stages": rest / HOURS,
        "days on one machine like this": (encode + rest) / HOURS / 24,
        "hours on twenty": (encode + rest) / HOURS / 20,
        "imagery fetched, GB": n_tiles * rates["fetched KB a tile"] / 1e6,
        "disk for results, GB": links * rates["kept KB a segment"] / 1e6,
    }


def main() -> None:
    """Measure, multiply, print."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--links", type=int, default=3_900_000)
    parser.add_argument("--km", type=float, default=397_800)
    parser.add_argument("--authorities", type=int, default=200)
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        rates = measure(Path(name))
    country = plan_country(rates, asked.links, asked.km, asked.authorities)
    for title, found in (("measured", rates), ("plan", country)):
        print(table([{title: what, "": value} for what, value in found.items()]) + "\n")
    save("country", {"measured": rates, "plan": country})


if __name__ == "__main__":
    main()
