"""What is printed from the project, in QGIS: one process for all cities."""

import shutil
from datetime import UTC, date, datetime
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from qgis_client import in_qgis, needs_qgis
from rasters import write_raster

from geo.config import Imagery
from geo.imagery.catalogue import open_catalogue
from geo.imagery.mosaic import plan_mosaics, write_mosaic
from geo.outputs.files.geopackage import write_geopackage
from geo.outputs.layers.arrange import empty_layer
from geo.outputs.qgis.layouts.layouts import city_extras
from geo.outputs.qgis.layouts.pages import Told
from geo.outputs.qgis.project import Mosaic, city_project
from geo.outputs.qgis.styles import city_styles
from geo.outputs.qgis.tables import zipped_project

NAME, DATE = "grid & city ü.gpkg", datetime(2024, 1, 2, tzinfo=UTC)
LONG = "Llanfairpwllgwyngyllgogerychwyrndrobwllllantysiliogogogoch" * 4 + " and more words" * 20
TOLD = Told(
    "grid <&> [% 1 + 1 %]",
    {"imagery": "aerial & free", "roads": LONG, "collisions": "open %] [% 'x' %]", "exposure": None},
    (date(2019, 1, 1), date(2023, 12, 31)),
)
SITES, TYPES = "Worst roads (one page each)", "Types of road (one page each)"


def photo(folder, crs):
    """A photo of the whole grid, in 16 shades, and its mosaic in a run's folder beside it."""
    folder.mkdir(parents=True)
    rows, columns = np.mgrid[:600, :400] // 25
    shades = np.stack([(rows + columns) % 16 * 15] * 3).astype(np.uint8)
    write_raster(folder / "photo.tif", shades, west=411950, north=273450, crs="EPSG:27700")
    return open_catalogue(Imagery(sources=[str(folder / "photo.tif")]), crs)


def write(place, city, layers, *, catalogue=None):
    """A run's folder, as far as QGIS reads it: the GeoPackage and the project beside it."""
    place.mkdir(parents=True)
    mosaics = []
    if catalogue is not None:
        (plan,) = plan_mosaics(catalogue.images)
        write_mosaic(place, plan, Imagery(sources=["photo.tif"]), seen_from=place)
        mosaics = [Mosaic(plan.file, "Imagery", plan.crs, plan.quick, tuple(plan.centres(4)))]
    styles = city_styles(layers)
    extras = city_extras(NAME, layers, styles, TOLD, mosaics)
    project = city_project(NAME, TOLD.city, layers, styles, city.crs, mosaics, extras)
    write_geopackage(
        place / NAME, layers, crs=city.crs, styles=styles, date=DATE, projects={"overview": project}
    )
    (place / "overview.qgz").write_bytes(zipped_project("overview", project, DATE))
    return place


def hostile(layers):
    """The same city with names that would break what is not quoted, and that are longer than any line."""
    stretches = layers["stretches"].assign(
        to_street="O'Hara's [% 1 + 1 %] \"Way\" \\n",
        from_street=LONG,
        parts=2,
        part=1,
        n_collisions=3,
        n_ksi=1,
        years=5.0,
    )
    stretches.loc[stretches["rank"] == 1, "name"] = LONG
    stretches.loc[stretches["rank"] == 2, "years"] = 1 / 365
    clusters = layers["clusters"].assign(
        name=["<b>&", "[% now() %] 'x' \\", LONG[:80]], note=LONG, colour="#CC6677", outcome="ksi"
    )
    clusters = clusters.assign(words=LONG)
    segments = layers["segments"].assign(stretch_id=layers["segments"]["segment_id"])
    of_all = layers["tests"].assign(outcome="n_collisions").drop_duplicates("cluster")
    tests = pd.concat([layers["tests"], of_all], ignore_index=True)
    return layers | {"stretches": stretches, "clusters": clusters, "segments": segments, "tests": tests}


def without_anything(city):
    """A city of roads alone."""
    unknown = dict.fromkeys(["cluster", "n_ksi", "ksi_per_km_year_eb", "collisions_per_km_year", "n_tiles"])
    empty = ("collisions", "clusters", "stretches", "tiles")
    return (
        city.layers
        | {name: empty_layer(name, city.crs) for name in empty}
        | {"segments": city.layers["segments"].assign(**unknown)}
    )


@pytest.fixture(scope="module")
def printed(make_grid, tmp_path_factory):
    """What each city prints, by its name."""
    top = tmp_path_factory.mktemp("layouts")
    city = make_grid()
    catalogue = photo(top / "photos", city.crs)
    full = write(top / "runs" / "full", city, hostile(city.layers), catalogue=catalogue)
    moved = Path(shutil.copytree(full, top / "elsewhere" / "deeper" / "left behind ü"))
    lone = top / "lone"
    lone.mkdir()
    shutil.copyfile(full / NAME, lone / NAME)
    few = city.layers | {
        "stretches": city.layers["stretches"].head(2),
        "clusters": city.layers["clusters"].head(1),
    }
    few |= {"tiles": city.layers["tiles"].assign(thumbnail=None)}
    addresses = {
        "full": f"geopackage:{full / NAME}?projectName=overview",
        "file": f"+{full / 'overview.qgz'}",
        "moved": moved / "overview.qgz",
        "lone": f"geopackage:{lone / NAME}?projectName=overview",
        "few": f"+{write(top / 'few', city, few) / 'overview.qgz'}",
        "roads": f"+{write(top / 'roads', city, without_anything(city)) / 'overview.qgz'}",
    }
    probe = Path(__file__).with_name("layouts_probe.py")
    pages = in_qgis(probe, top / "pages", *addresses.values())
    return dict(zip(addresses, pages.values(), strict=True))


def pages(city, layout=None):
    """Pages of a layout of a city; of all of them, where none is named."""
    return [page for name, one in city["layouts"].items() if layout in (None, name) for page in one["pages"]]


@needs_qgis
def test_every_layout_prints_in_every_city_and_no_picture_is_empty(printed):
    for city in printed.values():
        assert len(city["layouts"]) >= 3
        assert all(layout.get("pdf", True) for layout in city["layouts"].values())
        for page in pages(city):
            assert page.get("done", True)
            assert page["beyond"] == []
            drawn = page.get("colours", {})
            # a type has up to six typical tiles
            assert all(colours > 0 for item, colours in drawn.items() if not item.startswith("tile-"))
            assert not any("xpression" in text for text in page["texts"].values())


@needs_qgis
def test_the_worst_twenty_have_a_page_each_and_fewer_where_there_are_fewer(printed):
    assert len(pages(printed["full"], SITES)) == 20
    assert len(pages(printed["few"], SITES)) == 2
    assert [page["texts"]["number"] for page in pages(printed["few"], SITES)] == [
        "Page 1 of 2",
        "Page 2 of 2",
    ]
    assert len(pages(printed["full"], TYPES)) == 3
    first = pages(printed["full"], SITES)[0]["texts"]
    assert first["facts"].startswith("Rank by KSI collisions: 1 of ")
    assert "Probability of being among the worst 5 %: 0.90" in first["facts"]
    assert "Killed or seriously injured (KSI): 1" in first["facts"]
    assert "Collisions in 5 years: 3" in first["facts"]
    assert "Collisions in 1 day: 3" in pages(printed["full"], SITES)[1]["texts"]["facts"]


@needs_qgis
def test_names_are_printed_as_they_are_and_cut_where_they_are_too_long(printed):
    first = pages(printed["full"], SITES)[0]["texts"]
    assert "to O'Hara's [% 1 + 1 %] \"Way\" \\n" in first["where"]
    assert first["title"].replace("\N{ZERO WIDTH SPACE}", "") == f"1. {LONG[:79]}…"
    assert "Collisions: open %] [% 'x' %]" in first["sources"]
    facts = pages(printed["full"], TYPES)[0]["texts"]["facts"]
    # what is claimed of all collisions stands before what is said of those that ratios are of
    assert 0 < facts.index("More collisions per km and year than") < facts.index("More KSI collisions")
    titles = [page["texts"]["title"] for page in pages(printed["full"], TYPES)]
    assert titles[:2] == ["Type 1: <b>&", "Type 2: [% now() %] 'x' \\"]


@needs_qgis
def test_the_file_beside_the_geopackage_prints_what_the_project_in_it_prints(printed):
    assert list(printed["file"]["layouts"]) == list(printed["full"]["layouts"])
    assert pages(printed["file"]) == pages(printed["full"])
    assert printed["full"]["invalid"] == printed["file"]["invalid"] == []
    assert printed["file"]["edge"] == printed["full"]["edge"]


@needs_qgis
def test_imagery_that_was_left_behind_is_told_at_the_edge_of_the_map_and_on_every_page(printed):
    there, gone = printed["full"], printed["moved"]
    assert "left behind" not in there["edge"]
    assert "imagery: aerial & free" in there["edge"]
    told = ("imagery.vrt is here, but not the rasters", "imagery.vrt is not beside")
    for city, said in zip((gone, printed["lone"]), told, strict=True):
        assert said in " ".join(city["edge"].split())
        for page, before in zip(pages(city, SITES), pages(there, SITES), strict=True):
            assert said in page["texts"]["imagery"]
            assert "left behind" not in before["texts"]["imagery"]
        first, before = pages(city, SITES)[0], pages(there, SITES)[0]
        assert first["colours"]["map"] < before["colours"]["map"]
    assert printed["lone"]["invalid"] == ["Imagery"]


@needs_qgis
def test_where_nothing_is_known_a_page_says_why(printed):
    (sites,), (types,) = (pages(printed["roads"], name) for name in (SITES, TYPES))
    assert sites["texts"]["said"].startswith("No road has a rank: there are no collision records")
    assert types["texts"]["said"].startswith("No road has a type: no imagery")
    assert "no pictures of tiles" in pages(printed["few"], TYPES)[0]["texts"]["pictures"]
    first, *_, last = pages(printed["full"], TYPES)
    assert (first["texts"]["pictures"], first["colours"]["tile-0"] > 0) == ("Typical tiles", True)
    assert ("no pictures" in last["texts"]["pictures"], last["colours"]["tile-0"]) == (True, 0)
