"""What holds for all tests; and a grid of forty streets with every kind of value that outputs must carry unharmed."""

import copy
import json
import os
import tempfile
from dataclasses import dataclass, field
from pathlib import Path

# tests run side by side: threads of one that wait for each other would keep the others from the processor
os.environ.setdefault("OMP_NUM_THREADS", "1")
# Prefect keeps to a folder of the tests
os.environ["PREFECT_HOME"] = tempfile.mkdtemp(prefix="prefect-")

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
import shapely
from hypothesis import settings
from once import shared_folder
from pyproj import CRS
from quick import CLOSE, OVERRIDES, chosen
from real_data import EAST_CAMBRIDGE

from geo.outputs.layers.layers import LAYERS
from geo.outputs.thumbnails import thumbnail
from geo.safety.comparison.inference import typed
from geo.safety.expected.estimates import models_table
from geo.safety.expected.performance import fit_performance
from geo.safety.places import junction_types, places

# the same examples in every run; for others: pytest --hypothesis-profile=hunt
settings.register_profile("fixed", derandomize=True, deadline=None)
settings.register_profile("hunt", deadline=None)
settings.load_profile("fixed")

HERE = Path(__file__).parent
MARKS = {"unit": "unit", "odd": "unit", "integration": "pipeline", "clients": "clients"}
"""The mark of all tests of a folder."""
BEGIN = ("test_prefect_faults.py", "test_interruption.py", "test_exit_codes.py")
"""The first takes longest: runs that others share are made meanwhile. The others interrupt their own process, before it
has loaded libraries that look at signals as well."""


def pytest_collection_modifyitems(items):
    """Mark each test by its folder; one that lies elsewhere is an error."""
    for item in items:
        item.add_marker(MARKS[item.path.relative_to(HERE).parts[0]])
    places = {name: place for place, name in enumerate(BEGIN)}
    items.sort(key=lambda item: places.get(item.path.name, len(places)))


@pytest.fixture(scope="session")
def shared(tmp_path_factory):
    """A folder that all processes of the session have; what is made there once is found unchanged at the end."""
    folder = shared_folder(tmp_path_factory)
    yield folder
    assert folder.changed() == []


@pytest.fixture(scope="session")
def town(shared):
    """The demo town at half a metre, for all tests; who changes it makes a copy."""
    from geo.demo.write import DemoTown, make_town

    return DemoTown(shared.once("town", lambda folder: make_town(folder, pixel_m=0.5)))


@pytest.fixture(scope="session")
def demo(shared):
    """What the command line says at the end of the demo: paths of the GeoPackage and the report, and more."""
    return shared.said("demo", "demo")


@pytest.fixture(scope="session")
def real(shared):
    """The same of East Cambridge, on its real imagery, streets and records."""
    return shared.said("real", "run", "data/cities/cambridge-ma.yaml", "--set", f"area={EAST_CAMBRIDGE}")


@pytest.fixture(scope="session")
def one_server():
    """Let all runs of this process report to one server: each would start its own, which takes seconds.

    Gives its address, and the folder of its records.
    """
    from prefect.client.orchestration import get_client
    from prefect.settings import PREFECT_API_URL

    from flows.server import own_server

    with own_server() as wait:
        wait()
        with get_client(sync_client=True) as client:
            folder = client.request("GET", "/admin/settings").json()["home"]
        yield PREFECT_API_URL.value(), Path(folder)


@pytest.fixture(scope="session")
def whole(shared, town, request):
    """The town, run with the default encoder by one process for all; who changes it makes a copy."""
    from flows.city import city_flow

    def make(out):
        request.getfixturevalue("one_server")
        (out / "summary.json").write_text(json.dumps(city_flow(str(town.city), None, str(out))))

    return shared.once("finished", make)


@pytest.fixture(scope="module")
def finished(shared, whole):
    """The same as a file's copy of its folder, and the summary."""
    made = whole
    out = shared.copy(made)
    return out, json.loads((out / "summary.json").read_text().replace(str(made), str(out)))


@pytest.fixture(scope="session")
def quick(shared, town, request):
    """The town, run with `quick.OVERRIDES` by one process for all; who changes it makes a copy."""
    return shared.once("quick", lambda out: _run(town, out, OVERRIDES, request))


@pytest.fixture(scope="session")
def close(shared, town, request):
    """The same with `quick.CLOSE`."""
    return shared.once("close", lambda out: _run(town, out, CLOSE, request))


def _run(town, out, settings, request):
    from flows.cli import main

    request.getfixturevalue("one_server")
    assert main(["run", str(town.city), "--out", str(out), *chosen(settings)]) == 0


AWKWARD_NAMES = ("O'Hara's \"Way\"", "<b>Bold & Sons</b> Road", "Straße 🚲 ул. Мира", None)
YEARS = 5.0
PICTURE = np.full((3, 50, 50), 90, dtype=np.uint8)


@dataclass
class GridCity:
    """The layers of a city of 5 x 5 nodes, 100 m apart, and what the report needs beside them."""

    layers: dict[str, pd.DataFrame]
    choice: pd.DataFrame
    prototypes: pd.DataFrame
    crs: CRS = field(default_factory=lambda: CRS.from_epsg(27700))


def _segments(crs: CRS, rng: np.random.Generator) -> gpd.GeoDataFrame:
    along = [(x, y, x + 100, y) for y in range(0, 500, 100) for x in range(0, 400, 100)]
    along += [(b, a, d, c) for a, b, c, d in along]
    lines = shapely.linestrings([[(a, b), (c, d)] for a, b, c, d in along])
    n = len(lines)
    ksi, slight = rng.poisson(0.6, n), rng.poisson(2.0, n)
    cluster = pd.array([None if i % 10 == 9 else 1 + i % 3 for i in range(n)], dtype="Int64")
    rate = ksi / (0.1 * YEARS)
    return gpd.GeoDataFrame(
        {
            "segment_id": [f"{i:016x}" for i in range(n)],
            "u": [_node(a // 100, b // 100) for a, b, _, _ in along],
            "v": [_node(c // 100, d // 100) for _, _, c, d in along],
            "source_ids": [f"way/{i};way/{i + 100}" for i in range(n)],
            "name": [AWKWARD_NAMES[i % 4] for i in range(n)],
            "road_class": ["residential" if i % 3 else "primary" for i in range(n)],
            "length_m": 100.0,
            "counted_m": 100.0,
            "n_tiles": pd.array([None if i % 10 == 9 else 2 for i in range(n)], dtype="Int64"),
            "coverage": [0.0 if i % 10 == 9 else 1.0 for i in range(n)],
            "cluster": cluster,
            "cluster_margin": [np.nan if i % 10 == 9 else i / n for i in range(n)],
            "years": YEARS,
            "n_collisions": ksi + slight,
            "n_fatal": np.zeros(n, dtype=np.int64),
            "n_serious": ksi,
            "n_slight": slight,
            "n_ksi": ksi,
            "collisions_per_km_year": (ksi + slight) / (0.1 * YEARS),
            "ksi_per_km_year": rate,
            "ksi_per_km_year_low": rate / 2,
            "ksi_per_km_year_high": rate * 2 + 1,
            "ksi_per_km_year_eb": (rate + 1.2) / 2,
            "ksi_per_km_year_potential": (rate - 1.2) / 2,
            "collisions_per_km_year_eb": (ksi + slight + 1) / (0.1 * YEARS),
            "looks_like": [
                None if i % 10 == 9 else f"{(i + 3) % n:016x};{(i + 1) % n:016x}" for i in range(n)
            ],
            "shown_tile": [f"{i:016x}-00" if i < 3 else None for i in range(n)],
            "n_risk_factors": pd.array(np.where(np.arange(n) % 3 == 2, 0, 1), "Int64"),
            "risk_factors": np.array(["bends: <5 & more", "bends: <5 & more", ""], dtype=object)[
                np.arange(n) % 3
            ],
            "systemic_ratio": np.array([1.9, 1.9, 1.0])[np.arange(n) % 3],
            "systemic_ratio_low": np.array([1.2, 1.2, 1.0])[np.arange(n) % 3],
            "systemic_ratio_high": np.array([3.0, 3.0, 1.0])[np.arange(n) % 3],
            "focus_recorded": pd.array(np.arange(n) % 2 == 0, "boolean"),
            "gi_star_spot": np.array(["hot", "cold", "none", None], dtype=object)[np.arange(n) % 4],
            "src_lanes": np.arange(n, dtype=np.uint64),
            "src_tags": [{"surface": "asphalt"}] * n,
        },
        geometry=gpd.GeoSeries(shapely.transform(lines, lambda xy: xy + np.array([412000, 273000])), crs=crs),
    )


def _node(x: int, y: int) -> str:
    """Name a node: at the corners of the grid two segments meet, elsewhere three or four."""
    return f"{'n' if x in (0, 4) and y in (0, 4) else 'j'}{x}{y}"


def _junctions(crs: CRS, rng: np.random.Generator) -> gpd.GeoDataFrame:
    nodes = [(x, y) for x in range(5) for y in range(5) if (x in (0, 4)) + (y in (0, 4)) < 2]
    n = len(nodes)
    return gpd.GeoDataFrame(
        {
            "junction_id": [f"j{x}{y}" for x, y in nodes],
            "arms": [3 if x in (0, 4) or y in (0, 4) else 4 for x, y in nodes],
            "n_collisions": rng.poisson(4, n) + 9,
            "n_ksi": pd.array([None, *range(n - 1)], dtype="Int64"),
            "cluster": pd.array([None, *(1 + i % 2 for i in range(n - 1))], dtype="Int64"),
            "collisions_per_year": np.linspace(1, 3, n),
            "collisions_per_year_eb": np.linspace(1.5, 2.5, n),
            "p_worst_5_percent": np.linspace(0, 0.9, n),
        },
        geometry=gpd.GeoSeries(
            shapely.points([(412000 + 100 * x, 273000 + 100 * y) for x, y in nodes]), crs=crs
        ),
    )


def _tiles(segments: gpd.GeoDataFrame) -> gpd.GeoDataFrame:
    seen = segments[segments["cluster"].notna()].reset_index(drop=True)
    centre = seen.geometry.interpolate(0.5, normalized=True)
    return gpd.GeoDataFrame(
        {
            "tile_id": seen["segment_id"] + "-00",
            "segment_id": seen["segment_id"],
            "position_m": 50.0,
            "bearing": np.where(seen.geometry.bounds.eval("maxx - minx") > 0, 90.0, 0.0),
            "coverage": 1.0,
            "image_id": "west;east",
            "thumbnail": [thumbnail(PICTURE) if i < 3 else None for i in range(len(seen))],
        },
        geometry=centre.buffer(25, cap_style="square"),
    )


def _junction_tiles(junctions: gpd.GeoDataFrame) -> gpd.GeoDataFrame:
    n = len(junctions)
    return gpd.GeoDataFrame(
        {
            "tile_id": junctions["junction_id"] + "-00",
            "junction_id": junctions["junction_id"],
            "bearing": 0.0,
            "coverage": 1.0,
            "image_id": "west",
            "thumbnail": [thumbnail(PICTURE) if i < 2 else None for i in range(n)],
            "encoded": True,
        },
        geometry=junctions.buffer(25, cap_style="square"),
    )


def _junction_looks(junctions: gpd.GeoDataFrame) -> dict[str, pd.DataFrame]:
    """Two types of junction, of which the second was tested and has more collisions, per junction and year."""
    size = junctions.groupby("cluster").size()
    known = {
        "cluster": [1, 2],
        "n_junctions": size.to_numpy(),
        "junction_years": size.to_numpy() * YEARS,
        "forms": ["T or Y (3 arms): 9", "crossroads (4 arms): 8; <T> or Y (3 arms): 4"],
        "n_collisions": [90, 160],
        "n_ksi": [20, 60],
        "collisions_per_junction_year": [0.9, 1.9],
        "collisions_per_junction_year_low": [0.7, 1.6],
        "collisions_per_junction_year_high": [1.1, 2.2],
        "outcome": "collisions",
        "rate_ratio_adjusted": [0.5, 2.0],
        "rate_ratio_adjusted_low": [0.2, 1.5],
        "rate_ratio_adjusted_high": [1.3, 2.7],
        "q_value": [0.3, 0.01],
        "interval": "in the same part of town; in form: not tested: fewer than 5 <expected>",
        "prototype_tiles": ["j01-00;j02-00", "j10-00"],
        "colour": ["#CC6677", "#332288"],
    }
    frames = {"junction_clusters": pd.DataFrame(known), "junction_tests": pd.DataFrame()}
    return {
        name: frame.reindex(columns=[column.name for column in LAYERS[name].columns])
        for name, frame in frames.items()
    }


def _collisions(segments: gpd.GeoDataFrame, rng: np.random.Generator) -> gpd.GeoDataFrame:
    n = 60
    where = segments.geometry.iloc[rng.integers(0, len(segments), n)].interpolate(0.3, normalized=True)
    lost = np.arange(n) % 20 == 19
    return gpd.GeoDataFrame(
        {
            "collision_id": [f"2023{i:04d}" for i in range(n)],
            "date": pd.Series(pd.date_range("2019-03-31T00:30", periods=n, freq="31D", tz="UTC")).where(
                ~lost
            ),
            "severity": [("fatal", "serious", "slight", None)[i % 4] for i in range(n)],
            "n_casualties": pd.array([None if i % 7 == 0 else 1 for i in range(n)], dtype="Int64"),
            "segment_id": None,
            "junction_id": None,
            "snap_distance_m": np.where(lost, np.nan, 2.5),
            "snap_status": np.where(lost, "no_geometry", "matched"),
            "source_row": np.arange(n),
        },
        geometry=gpd.GeoSeries(np.where(lost, None, where.to_numpy()), crs=segments.crs),
    )


CLUSTERS = pd.DataFrame(
    {
        "cluster": [1, 2, 3],
        "n_segments": [12, 12, 12],
        "length_km": [1.2, 1.2, 1.2],
        "n_collisions": [40, 21, 9],
        "n_ksi": [14, 7, 1],
        "ksi_per_km_year": [2.33, 1.17, 0.17],
        "low": [1.28, 0.47, 0.004],
        "high": [3.92, 2.40, 0.93],
        "rate_ratio": [2.1, 0.95, 0.1],
        "rate_ratio_low": [1.3, 0.8, 0.0],
        "rate_ratio_high": [3.4, 1.3, np.inf],
        "p_value": [0.002, 0.7, 0.4],
        "q_value": [0.006, 0.7, 0.6],
        "prototype_tiles": ["0000000000000000-00;0000000000000003-00", None, ""],
        "rate_ratio_adjusted": [2.1, 0.95, 0.1],
        "rate_ratio_adjusted_low": [1.3, 0.8, 0.0],
        "rate_ratio_adjusted_high": [3.4, 1.3, np.inf],
    }
)
LEDGER = pd.DataFrame(
    {
        "stage": ["roads", "roads", "collisions"],
        "item": ["roads", "roads", "collisions"],
        "status": ["done", "rejected", "rejected"],
        "reason": ["", "zero length <0.1 m", "no coordinates"],
        "count": [40, 2, 3],
    }
)
RUN = pd.DataFrame(
    {"key": ["city", "version.roadprint", "digest.roads"], "value": ["grid", "0.1.0", "ab<12>&"]}
)


def _prototypes(tiles: pd.DataFrame, segments: pd.DataFrame) -> pd.DataFrame:
    of = tiles.merge(segments[["segment_id", "cluster"]], on="segment_id")
    picks = [of.groupby("cluster").head(5).assign(kind=kind) for kind in ("prototype", "edge", "random")]
    table = pd.concat(picks, ignore_index=True)
    table["rank"] = table.groupby(["cluster", "kind"]).cumcount() + 1
    return table[["cluster", "kind", "rank", "segment_id", "tile_id"]]


def _tests() -> pd.DataFrame:
    rows = CLUSTERS[["cluster", "p_value", "q_value"]].assign(
        outcome="n_ksi",
        comparison="all clustered roads",
        n=CLUSTERS["n_segments"],
        length_km=CLUSTERS["length_km"],
        observed=CLUSTERS["n_ksi"],
        expected=7.0,
        ratio=CLUSTERS["rate_ratio"],
        low=CLUSTERS["rate_ratio_low"],
        high=CLUSTERS["rate_ratio_high"],
        ratio_adjusted=CLUSTERS["rate_ratio"],
        ratio_adjusted_low=CLUSTERS["rate_ratio_low"],
        ratio_adjusted_high=CLUSTERS["rate_ratio_high"],
        p_value_adjusted=CLUSTERS["p_value"],
        reason=None,
    )
    few = rows.assign(outcome="n_fatal", reason="3 collisions of this kind: fewer than 20")
    few[["p_value", "p_value_adjusted", "q_value", "low", "high"]] = np.nan
    return typed(pd.concat([rows, few], ignore_index=True))


def _value() -> pd.DataFrame:
    names = [column.name for column in LAYERS["value_of_imagery"].columns]
    table = pd.DataFrame(
        {"model": ["nothing", "class", "class and cluster"], "explained": [0.0, 0.1, np.nan]}
    )
    return table.reindex(columns=names).assign(
        n_segments=36, n_events=70, n_blocks=4, reason="too few <blocks>"
    )


def _models() -> pd.DataFrame:
    index = pd.Index([f"{i:016x}" for i in range(40)])
    counts = pd.Series(0, index=index)
    fitted = fit_performance(counts, pd.Series(0.5, index=index), pd.Series("primary", index=index))
    return models_table("ksi", fitted, estimated=False)


def _gathering(segments: gpd.GeoDataFrame) -> dict[str, pd.DataFrame]:
    """Lay out windows and lixels, of which there is one a segment here, and tables of a row or none."""
    lines = segments[["segment_id", "geometry"]]
    n = len(lines)
    windows = lines.rename(columns={"segment_id": "route_id"}).assign(
        window_id=lines["segment_id"] + "-1",
        n_collisions=2.5,
        score_per_km=np.arange(n) / 2,
        in_high_injury_network=pd.array([i % 5 == 0 for i in range(n)], dtype="boolean"),
    )
    density = np.linspace(0, 9, n)
    lixels = lines.assign(
        kernel_collisions_per_km=density, kernel_collisions_per_km_year=density / YEARS, bandwidth_m=100.0
    )
    few = pd.DataFrame({"measure": ["share of <length>"], "share": [0.5], "reason": ["too few"]})
    stretches = lines.rename(columns={"segment_id": "stretch_id"}).assign(
        name="Row <0>",
        from_street="Column & 1",
        rank=pd.array(range(1, n + 1), dtype="Int64"),
        rank_low=1.0,
        rank_high=float(n),
        expected_rank=np.arange(1.0, n + 1),
        rank_of="ksi",
        p_worst_5_percent=np.linspace(0.9, 0, n),
        per_km_year_eb=np.linspace(3, 1, n),
    )
    found: dict[str, pd.DataFrame] = {"stretches": stretches}
    found |= {"windows": windows, "lixels": lixels, "high_injury": few, "look_alikes": pd.DataFrame()}
    found |= dict.fromkeys(("systemic_focus", "systemic_factors", "systemic_held_out"), pd.DataFrame())
    return {
        name: frame.assign(
            **{column.name: None for column in LAYERS[name].columns if column.name not in frame}
        )
        for name, frame in found.items()
    }


@pytest.fixture
def grid_city(make_grid) -> GridCity:
    """Make the city afresh, so that a test may change it."""
    return make_grid()


@pytest.fixture(scope="session")
def make_grid():
    """Give what makes the city, for what is made of it once for many tests."""
    # drawn once, for that takes a quarter of a second
    drawn = _grid()
    return lambda: copy.deepcopy(drawn)


def _grid() -> GridCity:
    rng = np.random.default_rng(7)
    crs = CRS.from_epsg(27700)
    segments = _segments(crs, rng)
    segments["stretch_id"] = segments["segment_id"]
    junctions = _junctions(crs, rng)
    tiles = _tiles(segments)
    layers = {
        "segments": segments,
        "junctions": junctions,
        "tiles": tiles,
        "junction_tiles": _junction_tiles(junctions),
        **_junction_looks(junctions),
        "collisions": _collisions(segments, rng),
        "clusters": CLUSTERS.copy(),
        "junction_types": junction_types(junctions.assign(form="crossing"), YEARS),
        "places": places(segments, junctions.assign(n_fatal=0, n_serious=0, n_slight=0), YEARS),
        "tests": _tests(),
        "value_of_imagery": _value(),
        "models": _models(),
        "sensitivity": pd.DataFrame(columns=[column.name for column in LAYERS["sensitivity"].columns]),
        **_gathering(segments),
        "ledger": LEDGER.copy(),
        "run": RUN.copy(),
    }
    choice = pd.DataFrame(
        {
            "k": [2, 3, 4],
            "silhouette": [0.21, 0.34, np.nan],
            "stability": [0.9, 0.95, 0.4],
            "chosen": [False, True, False],
        }
    )
    return GridCity(layers, choice, _prototypes(tiles, segments), crs)
