"""What the report, the map tips and Python say of junctions."""

from __future__ import annotations

from xml.etree import ElementTree as ET

import numpy as np
import pandas as pd
import pytest

from geo.errors import LayerError
from geo.outputs.qgis.project import city_project
from geo.outputs.qgis.styles import city_styles
from geo.outputs.report.parts.junctions import junction_part
from geo.outputs.thumbnails import thumbnail
from geo.safety.junctions.worst import worst_junctions


@pytest.fixture
def picks(grid_city):
    ids = grid_city.layers["junctions"]["junction_id"].tolist()
    rows = [(cluster, "prototype", rank, ids[3 * cluster + rank]) for cluster in (1, 2) for rank in (1, 2)]
    frame = pd.DataFrame(rows, columns=["cluster", "kind", "rank", "junction_id"])
    return frame.assign(tile_id=frame["junction_id"] + "-00")


@pytest.fixture
def ranked(grid_city):
    junctions = grid_city.layers["junctions"]
    n = len(junctions)
    return junctions.assign(
        expected_rank=np.arange(n, 0.0, -1),
        rank_deviation=2.0,
        rank_of="collisions",
        junction_type="<b>T</b> or Y (3 arms)",
        highest_class=None,
        collisions_per_year_eb_low=1.0,
        collisions_per_year_eb_high=4.0,
    )


def test_a_type_of_junction_claims_only_what_was_found_and_says_why_it_was_not_tested(grid_city, picks):
    layers = grid_city.layers
    part = junction_part(layers["junction_clusters"], layers["junctions"], picks, {})
    first, second = part.cards
    there = "other junctions that have a type in the same part of town"
    assert second.verdicts[0] == f"More collisions per junction and year than {there}: 1.5 to 2.7 times."
    assert first.verdicts[0].startswith(f"No difference from {there} that chance would not make")
    assert second.verdicts[1] == (
        "Not tested against others of its form and arms in the same part of town: fewer than 5 <expected>. "
        "Nothing is claimed."
    )
    assert first.rate == "0.9 per junction and year (interval 0.7 to 1.1)"
    assert first.ksi_rate == ""
    assert part.worst == []


def test_the_worst_junctions_come_by_mean_rank_with_their_interval(grid_city, picks, ranked):
    red = thumbnail(np.zeros((3, 40, 40), dtype=np.uint8))
    part = junction_part(
        grid_city.layers["junction_clusters"], ranked, picks, {picks["tile_id"].iloc[0]: red}
    )
    assert part.outcome == "collisions"
    assert [row["place"] for row in part.worst] == [str(place) for place in range(1, 11)]
    assert part.worst[0]["junction_id"] == ranked["junction_id"].iloc[-1]
    assert part.worst[0]["limits"] == "1 to 4"
    assert part.worst[0]["sure"] == "0.9"
    assert [shot.source is None for shot in part.cards[0].shots] == [False, True]


def test_worst_junctions_are_given_with_what_is_known_of_them(ranked):
    worst = worst_junctions(ranked, 3)
    assert worst["place"].tolist() == [1, 2, 3]
    assert {"junction_id", "n_collisions", "collisions_per_year_eb_low", "p_worst_5_percent"} <= set(
        worst.columns
    )
    with pytest.raises(LayerError, match="no junction has a rank"):
        worst_junctions(ranked.assign(expected_rank=np.nan))


def test_the_project_has_maps_of_junctions_and_the_tile_that_a_tip_shows(grid_city):
    layers = grid_city.layers
    project = city_project("grid.gpkg", "Grid", layers, city_styles(layers), grid_city.crs)
    root = ET.fromstring(project)  # noqa: S314 - our own
    ids = {element.text for element in root.iter("id")}
    assert {"roadprint_junction_tiles", "roadprint_junctions_worst_junctions"} <= ids
    (junctions,) = [one for one in root.iter("maplayer") if one.findtext("id") == "roadprint_junctions"]
    tip = junctions.findtext("mapTip")
    assert "get_feature('roadprint_junction_tiles'" in tip
    assert '"p_worst_5_percent"' in tip
