"""What layouts of the QGIS project say on paper, as far as it is told without QGIS."""

from xml.etree import ElementTree as ET

import numpy as np
import pandas as pd
import pytest

from geo.outputs.qgis.layouts.expressions import WORD, breakable, literal
from geo.outputs.qgis.layouts.layouts import city_extras
from geo.outputs.qgis.layouts.legend import entries, fitting
from geo.outputs.qgis.layouts.pages import Told, fitted, scale_step
from geo.outputs.qgis.layouts.yearly import UNDATED, UNHURT, UNTOLD, by_year
from geo.outputs.qgis.project import city_project
from geo.outputs.qgis.styles import city_styles

TOLD = Told(
    "a & b [% 1 %]", {"imagery": "<photo> [%@user_account_name%]", "roads": "ODbL", "collisions": None}
)


def records(years, severities, segments, status="matched"):
    return pd.DataFrame(
        {
            "date": pd.to_datetime([None if y is None else f"{y}-05-01" for y in years], utc=True),
            "severity": severities,
            "segment_id": segments,
            "snap_status": status,
        }
    )


SEGMENTS = pd.DataFrame({"segment_id": ["a", "b", "c"], "stretch_id": ["one", "one", "two"]})


def test_collisions_of_a_road_are_those_of_its_segments_by_year_and_severity():
    found = records([2019, 2020, 2020, None], ["fatal", "slight", None, "slight"], ["a", "b", "c", "b"])
    left_out = records([2020], ["fatal"], ["a"], "out_of_period")
    at_junctions = records([2021], ["fatal"], [None])
    table = by_year(["one", "two"], SEGMENTS, pd.concat([found, left_out, at_junctions]))
    assert table.to_numpy().sum() == len(found)
    assert table.loc["one"].index.tolist() == ["2019", "2020", "2021", UNDATED]
    assert table.loc[("one", "2019"), "fatal"] == 1
    assert table.loc[("one", "2020"), "slight"] == 1
    assert table.loc[("one", UNDATED), "slight"] == 1
    assert table.loc["two"].sum().to_dict() == {"fatal": 0, "serious": 0, "slight": 0, UNHURT: 0, UNTOLD: 1}


def test_many_years_are_told_by_their_newest_and_no_collision_is_lost():
    years = list(range(2000, 2020))
    table = by_year(["one"], SEGMENTS, records(years, ["slight"] * 20, ["a"] * 20))
    assert table.loc["one", "slight"].to_dict() == {"before 2012": 12} | {
        str(y): 1 for y in range(2012, 2020)
    }


def test_where_the_records_tell_a_year_alone_it_counts():
    told = records([None], ["slight"], ["a"]).assign(source_year=pd.array([2018], dtype="Int64"))
    assert by_year(["one"], SEGMENTS, told).loc[("one", "2018"), "slight"] == 1


def test_that_nobody_was_hurt_is_not_called_unknown():
    found = records([2019, 2019], [None, None], ["a", "b"]).assign(severity_known=[True, False])
    table = by_year(["one"], SEGMENTS, found)
    assert table.loc[("one", "2019"), [UNHURT, UNTOLD]].tolist() == [1, 1]


def test_a_road_without_a_collision_has_noughts_for_the_years_of_the_records():
    table = by_year(["two"], SEGMENTS, records([2019], ["slight"], ["a"]))
    assert table.loc[("two", "2019")].tolist() == [0, 0, 0, 0, 0]


@pytest.mark.parametrize("bounds", [(0, 0, 1000, 10), (0, 0, 10, 1000), (5, 5, 5, 5)])
def test_a_map_holds_what_it_is_to_show_in_the_shape_of_its_box(bounds):
    west, south, east, north = fitted(bounds, (10, 27, 305, 245))
    assert west <= bounds[0] <= bounds[2] <= east
    assert south <= bounds[1] <= bounds[3] <= north
    assert (east - west) / (north - south) == pytest.approx(305 / 245)
    unit, step = scale_step((west, south, east, north), (10, 27, 305, 245))
    metres = step * {"m": 1, "km": 1000}[unit]
    assert 10 <= metres / (east - west) * 305 <= 28
    assert np.isclose(np.log10(metres) % 1, np.log10([1, 2, 5])).any()


def test_words_that_are_too_long_can_be_cut_and_others_are_left_alone():
    assert breakable("High Street") == "High Street"
    parts = breakable("x" * 100).split("\N{ZERO WIDTH SPACE}")
    assert "".join(parts) == "x" * 100
    assert max(map(len, parts)) == WORD


def test_a_legend_of_many_types_gets_smaller_and_holds_all_of_them():
    def qml(n):
        return (
            "<qgis><renderer-v2><categories>"
            + "".join(f'<category label="Type {i}: {"long words " * 6}"/>' for i in range(n))
            + "</categories></renderer-v2><labeling><rule label='not of the legend'/></labeling></qgis>"
        )

    few, many = fitting(qml(4)), fitting(qml(60))
    assert len(entries(qml(4))) == len(few.labels) == 4
    assert many.size < few.size
    assert [n for n, _ in many.labels] == list(range(60))
    assert " ".join(many.labels[59][1].split()) == entries(qml(60))[59].strip()


def test_texts_of_the_data_are_no_expressions():
    assert literal("[% 'a' %] \\ %]") == "'[% ''a'' %' || '] \\\\ %' || ']'"


def test_the_project_is_xml_whatever_names_hold_and_the_same_each_time(grid_city):
    layers = grid_city.layers
    layers["clusters"] = layers["clusters"].assign(
        name=["a]]>&<b> [% now() %]", "\x01\ufffe", "w" * 80], note="'\"\\n", words="% ]", colour="#112233"
    )
    styles = city_styles(layers)

    def written():
        extras = city_extras("g.gpkg", layers, styles, TOLD)
        return city_project("g.gpkg", TOLD.city, layers, styles, grid_city.crs, (), extras)

    texts = [written(), written()]
    assert texts[0] == texts[1]
    found = ET.fromstring(texts[0])  # noqa: S314 - our own
    layouts = found.findall("./Layouts/Layout")
    assert len({layout.get("name") for layout in layouts}) == len(layouts) == 4
    for layout in layouts:
        ids = [item.get("uuid") for item in layout.iter("LayoutItem")]
        assert len(set(ids)) == len(ids)
