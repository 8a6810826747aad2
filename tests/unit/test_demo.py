"""The demo town is what it says: same bytes, known forms, known rates, and dirt that can be counted."""

import hashlib
from pathlib import Path

import geopandas as gpd
import numpy as np
import pandas as pd
import pyogrio
import pyproj
import pytest
import rasterio
import shapely

from geo.collisions.assign import place_collisions
from geo.collisions.read import read_collisions
from geo.config import load
from geo.demo.collisions import DIRT, FRAILTY_SHAPE, ORIGIN, RATES, YEARS, Truth, draw_collisions, soil
from geo.demo.layout import FORMS, SIZE_M, Road
from geo.demo.plans.registry import plan_of
from geo.demo.treatments import KINDS, SITES, draw_treatments
from geo.demo.write import DemoTown, make_town
from geo.imagery.catalogue import open_catalogue
from geo.roads.read import read_roads
from geo.roads.segments import build_network
from geo.safety.interventions.reading import read_interventions

YEARS_LONG = YEARS[1] - YEARS[0] + 1
DRAWS = 200
COARSE_M, COARSER_M = 2.0, 4.0


@pytest.fixture(scope="module")
def town(tmp_path_factory) -> DemoTown:
    return make_town(tmp_path_factory.mktemp("town"), seed=1, pixel_m=COARSE_M)


@pytest.fixture(scope="module")
def coarse(tmp_path_factory) -> DemoTown:
    return make_town(tmp_path_factory.mktemp("coarse"), seed=1, pixel_m=COARSER_M)


@pytest.fixture(scope="module")
def truth(town: DemoTown) -> Truth:
    return town.truth()


@pytest.fixture(scope="module")
def planned() -> list[Road]:
    return plan_of().roads


@pytest.fixture(scope="module")
def draws(truth: Truth) -> pd.DataFrame:
    """Give many draws of five years from the same truth, each row with its seed."""
    return pd.concat([draw_collisions(truth, seed=seed).assign(seed=seed) for seed in range(DRAWS)])


def _digests(folder: Path) -> dict[str, str]:
    return {
        str(path.relative_to(folder)): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }


def _on_the_ground(lines) -> np.ndarray:
    """Bring lines of the plan to the National Grid, as map makers round them."""
    return shapely.transform(np.asarray(lines), lambda xy: np.round(xy + ORIGIN, 2))


def _places(rows: pd.DataFrame) -> np.ndarray:
    return shapely.points(
        rows["location_easting_osgr"].astype(float), rows["location_northing_osgr"].astype(float)
    )


def _expected(truth: Truth, per_km_year: str) -> pd.Series:
    """Count what five years bring outside the reach of junctions, by form."""
    s = truth.segments
    return (s[per_km_year] * s["counted_m"] / 1000 * YEARS_LONG).groupby(s["form"]).sum()


def test_the_same_seed_draws_the_same_bytes(town, tmp_path):
    again = make_town(tmp_path, seed=1, pixel_m=COARSE_M)
    assert _digests(again.folder) == _digests(town.folder)


def test_another_seed_keeps_the_plan_and_changes_picture_and_records(coarse, tmp_path):
    other, first = (_digests(t.folder) for t in (make_town(tmp_path, seed=2, pixel_m=COARSER_M), coarse))
    assert first.keys() == other.keys()
    same = {name for name in first if first[name] == other[name]}
    assert same == {"roads.gpkg", "city.yaml", "truth_ground.tif.aux.xml"}


def test_a_coarser_picture_has_the_same_roads_and_truth(town, coarse):
    fine, rough = _digests(town.folder), _digests(coarse.folder)
    pictures = {name for name in fine if name.startswith("imagery")}
    # what is seen of a thing is told by the pixel
    told = {"truth_ground.tif", "truth_things.parquet"}
    assert {name for name in fine if fine[name] != rough[name]} == pictures | told


def test_the_city_file_is_valid_and_names_what_exists(town):
    config = load(town.city)
    assert config.crs == "EPSG:27700"
    assert config.collisions.period is not None
    assert tuple(day.year for day in config.collisions.period) == YEARS
    for source in (config.roads.source, *config.collisions.sources):
        assert Path(source).is_file()
    assert len(open_catalogue(config.imagery, pyproj.CRS(config.crs)).images) == 15


def test_roads_have_unique_ids_a_grid_and_the_usual_dirt(town, planned):
    meta, _, geometry, fields = pyogrio.raw.read(town.folder / "roads.gpkg")
    roads = pd.DataFrame(dict(zip(meta["fields"], fields, strict=True)))
    lines = shapely.from_wkb(geometry)
    assert pyproj.CRS(meta["crs"]) == pyproj.CRS(27700)
    assert list(roads) == ["road_id", "name", "highway", "ref", "oneway", "junction", "bridge", "layer"]
    assert roads["road_id"].is_unique
    assert (shapely.length(lines) == 0).sum() == 1
    assert shapely.has_z(lines).sum() == 1
    assert (shapely.get_num_geometries(lines) == 2).sum() == 1
    merged = shapely.line_merge(lines[shapely.get_num_geometries(lines) == 1])
    (twins,) = [
        (i, j)
        for i, j in zip(*shapely.STRtree(merged).query(merged, predicate="covers"), strict=True)
        if i < j and shapely.length(merged[j]) > 0 and shapely.equals(merged[i], merged[j])
    ]
    first, second = (shapely.get_coordinates(merged[i]) for i in twins)
    assert np.array_equal(first, second[::-1])
    assert len(roads) == len(planned) + 2


def test_the_network_is_as_long_as_the_plan_says(truth, planned):
    """Rings are taken as junctions; everything else that was planned must be there, once."""
    streets = sum(road.line.length for road in planned if road.form != "roundabout")
    assert truth.segments["length_m"].sum() == pytest.approx(streets, rel=0.005)
    assert truth.segments["segment_id"].is_unique


def test_every_segment_has_the_form_of_the_road_it_lies_on(truth, planned):
    """By place, where the truth goes by the ids of the sources."""
    middle = shapely.line_interpolate_point(truth.segments.geometry.to_numpy(), 0.5, normalized=True)
    lines = _on_the_ground([road.line for road in planned])
    nearest = shapely.STRtree(lines).nearest(middle)
    assert shapely.distance(lines[nearest], middle).max() < 0.05
    assert [planned[i].form for i in nearest] == truth.segments["form"].tolist()


def test_every_form_is_a_class_of_its_own_size(truth):
    by_form = truth.segments.groupby("form")["length_m"].agg(["size", "sum"])
    assert set(by_form.index) == set(FORMS)
    assert by_form["size"].min() >= 10
    assert by_form["sum"].min() > 1500


def test_junctions_are_of_every_kind_and_the_bridge_is_none(truth, planned):
    forms = truth.junctions["form"].value_counts()
    assert forms["roundabout"] == 3
    assert forms["signalised_crossroads"] == 4
    assert forms["t_junction"] > 25
    over = [road.line for road in planned if road.bridge]
    (lane,) = [road.line for road in planned if road.name == "Bridge Lane"]
    crossings = _on_the_ground([bridge.intersection(lane) for bridge in over])
    assert len(crossings) == 2
    assert not shapely.is_empty(crossings).any()
    nodes = shapely.multipoints(truth.junctions.geometry.to_numpy())
    assert shapely.distance(crossings, nodes).min() > 25


def test_rates_differ_within_a_form_as_the_frailty_says(truth):
    s = truth.segments
    frailty = s["collisions_per_km_year"] / s["form"].map({form: rate for form, (rate, _) in RATES.items()})
    n = len(s)
    assert frailty.mean() == pytest.approx(1, abs=4 * np.sqrt(1 / FRAILTY_SHAPE / n))
    # the variance of a gamma's sample variance: (kurtosis - 1) / n, with an excess kurtosis of 6 / shape
    spread = np.sqrt((2 + 6 / FRAILTY_SHAPE) / n) / FRAILTY_SHAPE
    assert frailty.var() == pytest.approx(1 / FRAILTY_SHAPE, abs=4 * spread)


def test_the_town_has_collisions_enough_to_tell_its_forms_apart(truth):
    collisions = _expected(truth, "collisions_per_km_year").sum()
    collisions += truth.junctions["collisions_per_year"].sum() * YEARS_LONG
    ksi = _expected(truth, "ksi_per_km_year").sum() + truth.junctions["ksi_per_year"].sum() * YEARS_LONG
    km = truth.segments.groupby("form")["counted_m"].sum() / 1000
    rates = _expected(truth, "ksi_per_km_year") / km / YEARS_LONG
    assert 500 < collisions < 800
    assert 100 < ksi < 160
    assert 4 < rates.max() / rates.min() < 9


@pytest.mark.parametrize("severe", [False, True], ids=["collisions", "killed or seriously injured"])
def test_redrawn_collisions_have_the_true_mean_on_every_form(truth, draws, severe):
    """Each is given to the nearest segment; a few change sides at corners, hence a percent beside the chance error."""
    between = draws[draws["junction_detail"] == 0]
    if severe:
        between = between[between["collision_severity"] < 3]
    segments = truth.segments.geometry.to_numpy()
    form = truth.segments["form"].to_numpy()[shapely.STRtree(segments).nearest(_places(between))]
    found = pd.Series(form).value_counts()
    expected = _expected(truth, "ksi_per_km_year" if severe else "collisions_per_km_year") * DRAWS
    allowed = 4 * np.sqrt(expected) + 0.01 * expected
    assert ((found.reindex(expected.index) - expected).abs() <= allowed).all()


def test_redrawn_junction_collisions_have_the_true_mean(truth, draws):
    at = draws[draws["junction_detail"] != 0]
    expected = truth.junctions[["collisions_per_year", "ksi_per_year"]].sum() * YEARS_LONG * DRAWS
    found = [len(at), int((at["collision_severity"] < 3).sum())]
    assert (np.abs(found - expected) <= 4 * np.sqrt(expected)).all()


def test_draws_vary_as_counts_do(draws):
    """Variance over mean is one for Poisson counts; that of 200 draws strays by sqrt(2 / 199)."""
    totals = draws.groupby("seed").size()
    assert totals.var() / totals.mean() == pytest.approx(1, abs=4 * np.sqrt(2 / (DRAWS - 1)))


def test_a_clean_record_is_in_the_period_and_in_one_place_by_both_coordinates(draws):
    rows = draws[draws["seed"] == 0]
    when = pd.to_datetime(rows["date"], format="%d/%m/%Y")
    assert when.dt.year.between(*YEARS).all()
    assert (when.dt.year == rows["collision_year"]).all()
    assert rows["collision_index"].is_unique
    to_grid = pyproj.Transformer.from_crs(4326, 27700, always_xy=True)
    x, y = to_grid.transform(rows["longitude"].astype(float), rows["latitude"].astype(float))
    assert shapely.distance(shapely.points(x, y), _places(rows)).max() < 0.5


def test_a_collision_lies_on_its_road_or_about_its_junction(truth, draws):
    """Lateral deviation 2.5 m; OSGR in whole metres; at a junction within 20 m of a node or a ring."""
    between = draws[draws["junction_detail"] == 0]
    roads = shapely.union_all(truth.segments.geometry.to_numpy())
    shapely.prepare(roads)
    off = shapely.distance(roads, _places(between))
    assert np.quantile(off, 0.95) == pytest.approx(2.5 * 1.96, rel=0.1)
    assert off.max() < 2.5 * 6
    spots = _places(draws[draws["junction_detail"] != 0])
    nodes = truth.junctions
    reach = shapely.buffer(nodes.geometry.to_numpy(), nodes["radius_m"].to_numpy() + 20.1, quad_segs=32)
    assert shapely.intersects(shapely.union_all(reach), spots).all()


def test_dirt_comes_on_top_and_every_row_meets_its_fate(town, truth):
    config = load(town.city)
    source = read_roads(config.roads, crs=config.crs, area=None)
    network = build_network(source.kept, config.segments)
    records = read_collisions(config.collisions)
    crs = pyproj.CRS(config.crs)
    placed = place_collisions(
        records,
        network.segments,
        network.junctions,
        source.others,
        crs=crs,
        area=None,
        settings=config.collisions,
    ).collisions
    fates = placed["snap_status"].value_counts()
    clean = len(draw_collisions(truth, seed=1))
    assert {kind: fates[kind] for kind in DIRT} == DIRT
    assert fates.drop(list(DIRT)).sum() == clean
    assert len(placed) == clean + sum(DIRT.values())
    # of the clean rows, those that can be placed are: within 30 m of a road, as they were drawn
    assert fates["matched"] >= 0.99 * clean
    assert records.table["severity"].isna().sum() == 1


def test_dirt_leaves_the_clean_rows_as_they_were(truth):
    clean = draw_collisions(truth, seed=5)
    soiled = soil(clean, seed=5).iloc[: len(clean)]
    changed = (soiled.astype(str) != clean.astype(str)).sum()
    assert changed[changed > 0].to_dict() == {"collision_severity": 1}


def test_imagery_has_a_gap_in_the_south_east_and_a_dark_corner_in_the_north_west(town):
    files = sorted((town.folder / "imagery").iterdir())
    assert {path.suffix for path in files} == {".tif"}
    west, south = ORIGIN
    cells, masked = set(), {}
    for path in files:
        with rasterio.open(path) as raster:
            assert raster.crs.to_epsg() == 27700
            assert raster.profile["compress"].lower() == "jpeg"
            assert raster.count == 3
            assert raster.dtypes == ("uint8",) * 3
            valid = raster.dataset_mask() > 0
            cell = (round((raster.bounds.left - west) / 500), round((raster.bounds.bottom - south) / 500))
        cells.add(cell)
        if not valid.all():
            masked[cell] = valid
    assert {(i, j) for i in range(4) for j in range(4)} - cells == {(3, 0)}
    ((cell, valid),) = masked.items()
    assert cell == (0, 3)
    assert not valid[0, 0]
    assert valid[-1, -1]
    assert 0.1 < (~valid).mean() < 0.25


def _colours(town: DemoTown, points: np.ndarray) -> np.ndarray:
    """Look points up in the imagery; without imagery, no number."""
    found = np.full((len(points), 3), np.nan)
    for path in (town.folder / "imagery").iterdir():
        with rasterio.open(path) as raster:
            left, bottom, right, top = raster.bounds
            inside = (points[:, 0] > left) & (points[:, 0] < right)
            inside &= (points[:, 1] > bottom) & (points[:, 1] < top)
            rows = ((top - points[inside, 1]) // raster.res[1]).astype(int)
            columns = ((points[inside, 0] - left) // raster.res[0]).astype(int)
            at = rows, columns
            colours = raster.read().astype(float)[:, *at].T
            colours[raster.dataset_mask()[at] == 0] = np.nan
            found[inside] = colours
    return found


def _greenness(colours: np.ndarray) -> np.ndarray:
    """Excess green, 2G - R - B (Woebbecke and others 1995, Trans. ASAE 38(1), 259-269)."""
    return 2 * colours[:, 1] - colours[:, 0] - colours[:, 2]


def test_the_picture_lies_under_its_roads(town, truth):
    """Asphalt is grey and the verge of a trunk road green: a shift of 20 m, or a flip, would not show that."""
    trunk = truth.segments[truth.segments["form"] == "dual_carriageway"]
    middle = trunk.geometry.interpolate(0.5, normalized=True)
    here = np.column_stack([middle.x, middle.y])
    step = shapely.get_coordinates(trunk.geometry.interpolate(0.52, normalized=True)) - here
    across = np.column_stack([-step[:, 1], step[:, 0]]) / np.hypot(*step.T)[:, None]
    road = _greenness(_colours(town, here))
    verges = [_greenness(_colours(town, here + side * 24 * across)) for side in (1, -1)]
    greener = np.fmax(*verges) > road + 15
    assert np.nanmean(np.where(np.isnan(road), np.nan, greener)) > 0.9


def test_every_form_is_in_the_picture_and_looks_its_own(town, truth):
    """Each form is seen on most of its segments; lanes and closes are greener than terraces and sheds."""
    rng = np.random.default_rng(0)
    middle = truth.segments.geometry.interpolate(0.5, normalized=True)
    around = np.column_stack([middle.x, middle.y])[:, None] + rng.uniform(-45, 45, (len(middle), 300, 2))
    inside = ((around >= ORIGIN) & (around <= ORIGIN + SIZE_M)).all(axis=2)
    green = _greenness(_colours(town, around.reshape(-1, 2))).reshape(inside.shape)
    seen = truth.segments["form"].to_frame().assign(share=(~np.isnan(green)).mean(axis=1))
    assert (seen.groupby("form")["share"].median() > 0.9).all()
    looked = seen["share"] > 0.5
    by_form = (
        pd.Series(np.nanmean(green[looked], axis=1)).groupby(seen.loc[looked, "form"].to_numpy()).median()
    )
    green_forms = by_form[["rural_lane", "cul_de_sac", "dual_carriageway", "distributor_road"]]
    grey_forms = by_form[["terraced_street", "high_street", "industrial_road"]]
    assert green_forms.min() > grey_forms.max() + 10


def test_the_truth_says_where_it_is(truth):
    """In the square of the town, but for a trunk road's carriageways, which run on a metre or so."""
    square = shapely.box(*(ORIGIN - 2), *(ORIGIN + SIZE_M + 2))
    for frame in (truth.segments, truth.junctions):
        assert pyproj.CRS(frame.crs) == pyproj.CRS(27700)
        assert frame.geometry.within(square).all()


def test_a_treated_town_is_the_same_but_for_its_treatments(town, tmp_path):
    treated = make_town(tmp_path, seed=1, pixel_m=COARSE_M, treated=True)
    before, after = _digests(town.folder), _digests(treated.folder)
    assert set(after) - set(before) == {"treatments.csv", "truth_treatments.parquet"}
    assert {name for name in before if before[name] != after[name]} == {"city.yaml"}
    settings = load(treated.city).interventions
    read = read_interventions(settings, pyproj.CRS.from_epsg(27700))
    true = pd.read_parquet(tmp_path / "truth_treatments.parquet")
    assert read.table["fate"].isna().all()
    assert read.table["kind"].value_counts().to_dict() == dict.fromkeys(KINDS, SITES // len(KINDS))
    lines = town.truth().segments.set_index("segment_id").geometry[true["segment_id"]]
    assert (shapely.distance(lines.to_numpy(), shapely.points(true["easting"], true["northing"])) < 0.1).all()
    assert (true["effect"] == 1).all()


def test_sites_chosen_for_their_collisions_have_fewer_afterwards_though_nothing_was_done(truth):
    """Over draws of collisions: far more than their true rates before, and no more than these after."""
    early, late, true = 0, 0, 0.0
    for seed in range(12):
        collisions = draw_collisions(truth, seed=seed)
        sites = draw_treatments(truth.segments, collisions, seed=seed)
        assert sites["segment_id"].is_unique
        day = pd.to_datetime(collisions["date"], format="%d/%m/%Y")
        places = gpd.points_from_xy(
            collisions["location_easting_osgr"].astype(float),
            collisions["location_northing_osgr"].astype(float),
        )
        own = truth.segments.set_index("segment_id").loc[sites["segment_id"]]
        near = np.zeros(len(collisions), dtype=bool)
        away = (collisions["junction_detail"] == 0).to_numpy()
        near[shapely.STRtree(own.geometry.to_numpy()).query(places, "dwithin", 7.5)[0]] = True
        # before the first works begin, and after the last have ended, in equal times
        early += int((near & away & day.between("2019-01-01", "2021-03-31").to_numpy()).sum())
        late += int((near & away & day.between("2021-12-01", "2023-12-31").to_numpy()).sum())
        true += float((own["collisions_per_km_year"] * own["counted_m"]).sum() / 1000)
    per_year = early / (2 + 90 / 365) / true, late / (2 + 31 / 365) / true
    assert per_year[0] > 1.3
    assert per_year[1] == pytest.approx(1.1, abs=0.25)
    assert per_year[1] < per_year[0]
