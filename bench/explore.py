"""How soon the page of a large run is there, and whether it stays fluent: measured in headless Chromium.

A finished run (``RUN``) is laid beside itself, each time a city's width away, until it has ``--segments`` segments; of
their fingerprints and pictures there is nothing. The page is then opened, moved and zoomed; printed are the seconds
until all roads in view are drawn, and after each step how much of them is seen at once, and how soon all of it is.
``--server`` asks for the tiles without a browser.
"""

from __future__ import annotations

import argparse
import base64
import io
import sys
import tempfile
import time
from contextlib import ExitStack
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import geopandas as gpd
import numpy as np
import pandas as pd
from PIL import Image

from geo.explore.vector_tiles import HALF_M, MERCATOR, bounds_of_tile
from geo.outputs.files.geopackage import write_geopackage
from geo.outputs.files.geoparquet import write_geoparquet
from geo.outputs.layers.arrange import empty_layer
from geo.outputs.layers.layers import ALWAYS
from geo.sources.files import digest_file
from tasks.explore.about import prepare
from tasks.explore.network import network_of
from tasks.explore.opening import open_page
from tasks.results.opened import OpenRun
from tasks.results.opening import open_run
from tasks.store.summary import SUMMARY, RunSummary

TOP = Path(__file__).resolve().parents[1]
RUN_ID = "0123456789ab"
IDS = ("segment_id", "tile_id", "collision_id", "junction_id", "window_id")
LAYERS = ("segments", "tiles", "collisions", "clusters", "windows", "junctions", "look_alikes", "run")
DRAWN = "document.getElementById('map')?.dataset.drawn === 'true'"
VIEWS = (
    *((0, 0, 11), (0.02, 0, 11), (0.06, 0.02, 11), (0.06, 0.02, 13), (0.07, 0.02, 13), (0.07, 0.03, 13)),
    *((0, 0, 15), (0.004, 0.002, 15), (0.01, 0.004, 12), (0.2, 0.1, 10)),
)
"""Where the map goes: degrees from the middle of the roads, and zoom."""


def inflated(run: OpenRun, segments: int, folder: Path) -> Path:
    """Write a run as large as that, of copies of one; gives its folder."""
    out = folder / RUN_ID
    (out / "layers").mkdir(parents=True)
    west, south, east, north = run.segments.total_bounds
    copies = -(-segments // len(run.segments))
    layers = {}
    for name in LAYERS:
        frame = run.layer(name)
        if name not in {"clusters", "run"} and len(frame):
            parts = []
            for copy in range(copies):
                across, up = copy % 3 * (east - west), copy // 3 * (north - south)
                own = frame.assign(**{key: frame[key] + f"-{copy}" for key in IDS if copy and key in frame})
                if isinstance(own, gpd.GeoDataFrame):
                    own = own.set_geometry(own.geometry.translate(across, up))
                parts.append(own)
            frame = pd.concat(parts, ignore_index=True)
        layers[name] = frame
    layers["segments"] = layers["segments"].iloc[:segments].drop(columns=["looks_like"], errors="ignore")
    left = set(layers["segments"]["segment_id"])
    layers["tiles"] = layers["tiles"][layers["tiles"]["segment_id"].isin(left)].assign(thumbnail=None)
    write_geoparquet(out / "layers", layers, run.crs)
    # it is known by its GeoPackage, and read from the files beside it
    empty = {name: empty_layer(name, run.crs) for name in ALWAYS}
    date = datetime(2026, 1, 1, tzinfo=UTC)
    write_geopackage(out / "large.gpkg", empty | {"run": layers["run"]}, crs=run.crs, styles=[], date=date)
    files = {
        file.relative_to(out).as_posix(): digest_file(file)
        for file in sorted(out.rglob("*"))
        if file.is_file()
    }
    told = RunSummary.read((run.folder or Path()) / SUMMARY)
    told.model_copy(update={"run_id": RUN_ID, "files": files}).write(out / SUMMARY)
    return out


def of_server(folder: Path) -> None:
    """Print what the page's server takes to lay a run out, and for all tiles of a zoom: seconds of a processor."""
    began = time.process_time()
    page = open_page(folder, edit=False, kept=folder / "kept")
    drawn = network_of(page).drawn
    print(f"opened, {len(page.segments):,} segments laid out: {time.process_time() - began:.2f} s")
    box = page.segments.to_crs(MERCATOR).total_bounds
    for zoom in (8, 9, 10, 12, 14):
        side = bounds_of_tile(zoom, 0, 0)[2] + HALF_M
        xs = range(int((box[0] + HALF_M) // side), int((box[2] + HALF_M) // side) + 1)
        ys = range(int((HALF_M - box[3]) // side), int((HALF_M - box[1]) // side) + 1)
        seconds, sizes = [], []
        for x in xs:
            for y in ys:
                began = time.process_time()
                sizes.append(len(drawn.tile(zoom, x, y)))
                seconds.append(time.process_time() - began)
        print(
            f"zoom {zoom}: {len(seconds)} tiles, {sum(seconds):.2f} s together, the slowest {max(seconds):.2f} s, "
            f"{max(sizes) / 2**20:.1f} MiB at most"
        )


def of_browser(folder: Path, shots: Path | None) -> None:
    """Print how soon the page is there, and how much of the roads is seen after each step."""
    sys.path[:0] = [str(TOP / "tests" / "clients"), str(TOP / "tests")]
    from browser import DRAWING, Page, attached, chromium  # noqa: PLC0415
    from explore_page import served  # noqa: PLC0415

    with ExitStack() as parts:
        server = parts.enter_context(served(folder, folder / "kept"))
        # as the command does before it says where the page is
        began = time.perf_counter()
        prepare(server.page)
        print(f"read and laid out after {time.perf_counter() - began:.2f} s")
        own = Path(parts.enter_context(tempfile.TemporaryDirectory()))
        tab = Page(parts.enter_context(attached(parts.enter_context(chromium(own, DRAWING)))))
        tab.size(1400, 900)
        for turn in ("the first time", "again"):
            tab.send("Page.navigate", url="about:blank")
            began = time.perf_counter()
            tab.send("Page.navigate", url=server.address)
            tab.wait(DRAWN)
            print(f"{turn}: all roads are drawn after {time.perf_counter() - began:.2f} s")
        if shots is not None:
            tab.picture(shots / "large.png")
        lon, lat = network_of(server.page).middles[["lon", "lat"]].median()
        for number, (across, up, zoom) in enumerate(VIEWS):
            place = f"{lon + across},{lat + up},{zoom}"
            seen, began = [], time.perf_counter()
            tab.run(f"location.hash = 'view={place}'")
            while len(seen) < 2 or not tab.run(DRAWN):
                seen.append((time.perf_counter() - began, roads_in(tab)))
            seen.append((time.perf_counter() - began, whole := roads_in(tab)))
            said = ", ".join(f"{share / whole:.0%} at {at:.1f} s" for at, share in seen)
            print(f"step {number + 1}, zoom {zoom}: {whole:.1%} of the picture are roads; of these {said}")
            if shots is not None:
                tab.picture(shots / f"step-{number + 1}.png")


def roads_in(tab: Any) -> float:  # noqa: ANN401 - a tab of the tests' browser
    """Measure what share of the map is not its ground."""
    shot = tab.send("Page.captureScreenshot", format="png")["data"]
    picture = np.asarray(Image.open(io.BytesIO(base64.b64decode(shot))).convert("RGB")).astype(int)
    sides = "document.querySelector('#map canvas').getBoundingClientRect()"
    box = tab.run(f"(({{x, y, width, height}}) => [x, y, width, height])({sides})")
    x, y, width, height = (round(side) for side in box)
    inner = picture[y + height // 4 : y + 3 * height // 4, x + width // 4 : x + 3 * width // 4]
    ground = np.median(inner.reshape(-1, 3), axis=0)
    return float((np.abs(inner - ground).max(axis=2) > 8).mean())


def main() -> None:
    """Measure."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("run", type=Path, help="folder of a finished run")
    parser.add_argument("--segments", type=int, default=100_000)
    parser.add_argument("--server", action="store_true", help="without a browser")
    parser.add_argument("--kept", type=Path, help="folder that the large run is made in, or found in")
    parser.add_argument("--shots", type=Path, help="folder for pictures of the page")
    asked = parser.parse_args()
    with ExitStack() as parts:
        folder = asked.kept or Path(parts.enter_context(tempfile.TemporaryDirectory()))
        large = folder / RUN_ID
        if not large.exists():
            large = inflated(open_run(asked.run), asked.segments, folder)
        (of_server if asked.server else lambda place: of_browser(place, asked.shots))(large)


if __name__ == "__main__":
    main()
