"""Road types keep their numbers and the analyst's names from run to run."""

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
import shapely

from geo.clusters.found.numbers import keep_numbers
from geo.clusters.likeness.alike import most_alike
from geo.errors import SourceError
from geo.outputs.names import (
    JUNCTION_FILE,
    Named,
    looks_of,
    names_of_grouping,
    read_names,
    with_names,
    write_junction_names,
    write_names,
)
from geo.outputs.palette import look

CLUSTERS = pd.DataFrame({"cluster": [1, 2, 3]})


def streets(labels, *, pieces=1, shift=0.0):
    """Parallel streets of 100 m, cut into pieces, each with the label of its street."""
    lines, clusters = [], []
    for n, label in enumerate(labels):
        for piece in range(pieces):
            ends = 100 * piece / pieces, 100 * (piece + 1) / pieces
            lines.append(shapely.LineString([(x, 100 * n + shift) for x in ends]))
            clusters.append(label)
    frame = gpd.GeoDataFrame({"cluster": pd.array(clusters, dtype="Int64")}, geometry=lines, crs="EPSG:27700")
    return frame.assign(length_m=frame.length)


def test_clusters_that_only_changed_places_keep_their_numbers():
    earlier = streets([1, 1, 1, 2, 2, 3])
    assert keep_numbers(streets([3, 3, 3, 1, 1, 2]), earlier) == {1: 2, 2: 3, 3: 1}


def test_numbers_last_when_roads_are_cut_otherwise_or_moved_a_little():
    earlier = streets([1, 1, 1, 2, 2, 3])
    assert keep_numbers(streets([2, 2, 2, 1, 1, 3], pieces=3, shift=4), earlier) == {1: 2, 2: 1, 3: 3}


def test_a_new_cluster_never_takes_a_number_that_means_something():
    earlier = streets([1, 1, 2, 2, 3, 3])
    found = keep_numbers(streets([1, 1, 2, 2, 3, 4]), earlier, reserved=[3])
    # half of the third street's kind is each of 3 and 4: neither is the same as before
    assert found[1], found[2] == (1, 2)
    assert sorted(found.values()) == [1, 2, 4, 5]
    assert sorted(keep_numbers(streets([1, 1, 2, 2, 3, 4]), earlier).values()) == [1, 2, 3, 4]


def test_a_number_that_means_something_survives_a_trial_with_fewer_clusters():
    before = streets([1, 1, 2, 3, 3, 4])
    # 1 and 2 fell together, and so did 3 and 4: the first is still like 1, the other took a number of its own
    trial = streets([1, 1, 1, 5, 5, 5])
    now = streets([2, 2, 1, 4, 4, 3])
    assert keep_numbers(now, trial, reserved=[1, 2, 3, 4], older=[before]) == {2: 1, 1: 2, 4: 3, 3: 4}
    assert 3 not in keep_numbers(now, trial, reserved=[1, 2, 3, 4]).values()


def test_cities_that_share_no_road_share_no_number():
    elsewhere = streets([1, 2, 3], shift=5000)
    assert keep_numbers(streets([1, 1, 2]), elsewhere, reserved=[1]) == {1: 2, 2: 3}
    nothing = streets([None, None])
    assert keep_numbers(nothing, elsewhere) == {}


def test_look_alikes_are_of_the_same_cluster_and_elsewhere():
    points = np.array([[1.0, 0], [1, 0.01], [1, 0.1], [1, 0.3], [0, 1]])
    points /= np.linalg.norm(points, axis=1, keepdims=True)
    places = np.array([[0.0, 0], [10, 0], [900, 0], [1800, 0], [2700, 0]])
    found = most_alike(points, np.array([1, 1, 1, 1, 2]), places, apart_m=200)
    assert found.tolist() == [[2, 3, -1], [2, 3, -1], [1, 0, 3], [2, 1, 0], [-1, -1, -1]]


def test_what_the_analyst_wrote_is_read_from_any_spreadsheet(tmp_path):
    path = tmp_path / "clusters.csv"
    for text, encoding in (
        ('cluster,name,colour,note\r\n2,Straße im Grünen,#00ff00,"wide, leafy"\r\n', "utf-8-sig"),
        ("Cluster;Name;Colour;Note\n2;Straße im Grünen;#00FF00;wide, leafy\n;;;\n", "cp1252"),
        ("cluster\tname\tcolour\tnote\textra\n2\tStraße im Grünen\t#00ff00\twide, leafy\tx\n", "utf-8"),
    ):
        path.write_bytes(text.encode(encoding))
        expected = Named(cluster=2, name="Straße im Grünen", colour="#00FF00", note="wide, leafy")
        assert {n: one.said for n, one in read_names(path).items()} == {2: expected.said}
    assert read_names(tmp_path / "none.csv") == {}


@pytest.mark.parametrize(
    ("line", "fault"),
    [
        ("1,=cmd|' /C calc'!A0,,", "line 2.*formula"),
        ("1,fine,,@SUM(1)", "line 2.*formula"),
        ("one,fine,,", "line 2.*cluster"),
        ("0,fine,,", "line 2.*cluster"),
        ("1,fine,red,", "line 2.*#RRGGBB"),
        (f"1,{'x' * 10_000},,", "line 2.*80"),
        ("1,a,,\n1,b,,", "line 3.*earlier line"),
        ('1,"two\nlines",,', "line breaks"),
    ],
)
def test_a_line_that_cannot_be_used_is_refused_by_its_number(tmp_path, line, fault):
    path = tmp_path / "clusters.csv"
    path.write_text(f"cluster,name,colour,note\n{line}\n")
    with pytest.raises(SourceError, match=fault):
        read_names(path)


@pytest.mark.parametrize("text", ["", "name,colour\nx,y\n"])
def test_a_table_without_its_key_is_refused(tmp_path, text):
    path = tmp_path / "clusters.csv"
    path.write_text(text)
    with pytest.raises(SourceError, match="column 'cluster' is missing"):
        read_names(path)


def test_the_file_gets_a_line_for_each_cluster_and_loses_none(tmp_path):
    path = tmp_path / "clusters.csv"
    write_names(path, CLUSTERS, {})
    fresh = read_names(path)
    assert sorted(fresh) == [1, 2, 3]
    assert not any(one.edited for one in fresh.values())
    path.write_text("cluster,name,colour,note\n2,<b>Leafy</b>,,\n9,gone for now,,\n")
    before = path.read_bytes()
    write_names(path, CLUSTERS.iloc[1:2], read_names(path))
    assert path.read_bytes() == before
    write_names(path, CLUSTERS, read_names(path))
    after = read_names(path)
    assert (sorted(after), after[2].name, after[9].name) == ([1, 2, 3, 9], "<b>Leafy</b>", "gone for now")


def test_what_the_analyst_wrote_during_the_run_stays_with_columns_of_their_own(tmp_path):
    path = tmp_path / "clusters.csv"
    path.write_text("cluster,name,colour,note\n1,old,,\n")
    at_the_start = read_names(path)
    path.write_text("cluster,name,colour,note,Owner\n1,new,,,Ada\n")
    write_names(path, CLUSTERS, at_the_start)
    assert read_names(path)[1].name == "new"
    lines = path.read_text(encoding="utf-8-sig").splitlines()
    assert lines[0] == "cluster,name,colour,note,merged_into,owner"
    assert lines[1].startswith("1,new,")
    assert lines[1].endswith(",Ada")
    assert len(lines) == 4


def test_names_and_colours_reach_the_table_and_the_legend():
    known = {2: Named(cluster=2, name="leafy", colour="#123456"), 9: Named(cluster=9, name="unknown")}
    table = with_names(CLUSTERS, known)
    assert table["name"].tolist() == ["Type 1", "leafy", "Type 3"]
    assert table["note"].isna().all()
    looks = looks_of(table)
    assert [title for title, _ in looks.values()] == ["Type 1", "Type 2: leafy", "Type 3"]
    assert (looks[2][1].colour, looks[3][1].colour) == ("#123456", look(3).colour)


# types of junction, whose numbers are those of one grouping alone


def test_names_of_junctions_go_with_their_grouping_and_to_no_other(tmp_path):
    path = tmp_path / JUNCTION_FILE
    write_junction_names(path, CLUSTERS, {}, "one")
    path.write_text(path.read_text("utf-8-sig").replace("2,,", "2,Big roundabouts,"))
    mine, others = names_of_grouping(read_names(path), "one")
    assert (mine[2].name, others) == ("Big roundabouts", [])
    assert with_names(CLUSTERS, mine)["name"].tolist() == ["Type 1", "Big roundabouts", "Type 3"]
    before = path.read_bytes()
    write_junction_names(path, CLUSTERS, mine, "one")
    assert path.read_bytes() == before
    # another grouping has another type 2
    mine, others = names_of_grouping(read_names(path), "two")
    assert (mine, others) == ({}, [2])
    write_junction_names(path, CLUSTERS, mine, "two")
    assert (tmp_path / "junction_types-one.csv").read_bytes() == before
    assert not any(one.edited for one in read_names(path).values())
    assert names_of_grouping(read_names(path), "two")[0].keys() == {1, 2, 3}


def test_a_table_of_junctions_that_an_analyst_began_is_of_the_grouping_of_the_next_run(tmp_path):
    path = tmp_path / JUNCTION_FILE
    path.write_text("cluster;name;remark\n1;T junctions;mine\n")
    mine, _ = names_of_grouping(read_names(path), "one")
    assert mine[1].name == "T junctions"
    write_junction_names(path, CLUSTERS, mine, "one")
    written = read_names(path)
    assert (written[1].name, written[1].model_extra) == ("T junctions", {"remark": "mine", "grouping": "one"})
    assert names_of_grouping(written, "two") == ({}, [1])
