"""What analysts say of types: how it is written, which of it holds, and what becomes of types."""

import sqlite3
from contextlib import closing

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
from shapely import LineString

from geo.clusters.evidence.groupings import NONE, stacked
from geo.clusters.found.numbers import keep_numbers
from geo.clusters.found.road_types import find_types
from geo.clusters.hands.constraints import CONTRADICTS, NO_LOOK
from geo.clusters.hands.corrections import LATER, Correction, corrections_in, read_corrections
from geo.clusters.hands.placing import NO_SEGMENT, NOT_HERE, placed
from geo.clusters.hands.taking_up import NO_TYPE, Hands, take_up
from geo.config import Clusters
from geo.errors import SourceError
from geo.features.fingerprints import fingerprint
from geo.outputs.names import Named, merges_of, read_names

POINTS = np.array([[0.0], [0.2], [0.3], [0.7], [0.72], [2.0], [2.2], [2.3]])
TYPES = np.array([1, 1, 1, 1, 1, 2, 2, 2])
IDS = pd.Index(list("abcdefgh"))


def said(*rows):
    """Make corrections of (segment, says, value), in the order in which they were said."""
    return tuple(Correction(segment_id=a, says=says, value=str(value)) for a, says, value in rows)


def here(corrections):
    """Take every segment for one of this run."""
    two = [one.value if "like" in one.says else None for one in corrections]
    return pd.DataFrame(
        {"segment": [one.segment_id for one in corrections], "other": two, "why": ""}, dtype=object
    )


def taken(*rows, merges=None, points=POINTS, types=TYPES):
    corrections = said(*rows)
    return take_up(points, types, IDS[: len(types)], Hands(corrections, here(corrections), merges or {}))


def by_id(found):
    return dict(zip(IDS, found.labels.tolist(), strict=False))


def test_nothing_said_changes_nothing():
    found = take_up(POINTS, TYPES, IDS, Hands())
    assert found.labels.tolist() == TYPES.tolist()
    assert set(found.source) == {"found"}


def test_a_segment_is_what_it_is_said_to_be_and_others_stay():
    found = taken(("a", "is", 2), ("b", "is", 1))
    assert by_id(found) == dict(zip(IDS, [2, 1, 1, 1, 1, 2, 2, 2], strict=True))
    assert found.source.tolist() == ["corrected", *["found"] * 7]
    assert (found.looked_at, found.stood) == (2, 1)


def test_what_it_is_not_goes_to_the_nearest_that_is_left():
    types = np.array([1, 1, 1, 3, 3, 2, 2, 2])
    assert by_id(taken(("a", "is not", 1), types=types))["a"] == 3
    assert by_id(taken(("a", "is not", 1), ("a", "is not", 3), types=types))["a"] == 2
    none = taken(("a", "is not", 1), ("a", "is not", 3), ("a", "is not", 2), types=types)
    assert NO_TYPE in none.why


def test_segments_that_are_alike_go_together_and_a_fixed_one_leads():
    found = taken(("a", "like", "b"), ("b", "like", "c"), ("c", "is", 2))
    assert {by_id(found)[one] for one in "abc"} == {2}
    apart = taken(("e", "like", "f"))
    assert by_id(apart)["e"] == by_id(apart)["f"]
    assert sum(source == "corrected" for source in apart.source) == 1


def test_the_segment_that_is_unlike_another_gives_way_to_it():
    found = taken(("b", "unlike", "a"))
    assert (by_id(found)["a"], by_id(found)["b"]) == (1, 2)
    other = taken(("a", "unlike", "b"))
    assert (by_id(other)["a"], by_id(other)["b"]) == (2, 1)


def test_three_that_are_unlike_each_other_do_not_fit_two_types_and_it_is_told():
    found = taken(("a", "unlike", "b"), ("b", "unlike", "c"), ("c", "unlike", "a"))
    assert found.why.count(NO_TYPE) == 1
    assert found.why.count("") == 2


def test_a_type_made_by_hand_is_found_elsewhere_by_its_examples():
    found = taken(("d", "is", 7))
    assert by_id(found) == dict(zip(IDS, [1, 1, 1, 7, 7, 2, 2, 2], strict=True))
    assert found.source.tolist()[3:5] == ["made", "made"]
    assert found.made == {7: 1}
    assert (found.looked_at, found.stood) == (1, 0)


def test_words_that_were_said_with_collisions_in_view_are_counted_where_they_hold():
    rows = [
        Correction(segment_id="a", says="is", value=value, collisions_in_view=seen)
        for value, seen in (("2", True), ("1", False), ("2", True))
    ]
    rows.append(Correction(segment_id="b", says="is", value="2"))
    found = take_up(POINTS, TYPES, IDS, Hands(rows, here(rows)))
    assert found.why == [LATER, LATER, "", ""]
    assert found.as_dict()["in_view"] == 1


def test_what_a_made_type_attracts_can_be_sent_back():
    found = taken(("d", "is", 7), ("e", "is not", 7))
    assert by_id(found)["e"] == 1
    assert by_id(found)["d"] == 7


def test_the_later_word_holds():
    found = taken(("a", "is", 2), ("a", "is", 1))
    assert by_id(found)["a"] == 1
    assert found.why == [LATER, ""]
    back = taken(("a", "is", 2), ("a", "is not", 2))
    assert by_id(back)["a"] == 1
    alike = taken(("a", "unlike", "b"), ("b", "like", "a"))
    assert alike.why == [LATER, ""]


def test_words_that_cannot_hold_at_once_are_told():
    assert taken(("a", "is", 1), ("b", "is", 2), ("a", "like", "b")).why == [CONTRADICTS, "", ""]
    chain = (("a", "like", "b"), ("b", "like", "c"), ("a", "unlike", "c"))
    assert taken(*chain).why == [CONTRADICTS, "", ""]
    assert taken(("a", "is", 1), ("b", "is", 1), ("a", "unlike", "b")).why.count(CONTRADICTS) == 1
    assert taken(("a", "is not", 2), ("b", "is", 2), ("a", "like", "b")).why == [CONTRADICTS, "", ""]


def test_a_segment_without_imagery_has_no_type_to_correct():
    corrections = said(("nobody", "is", 1))
    segments = pd.DataFrame({"segment": ["nobody"], "other": [None], "why": [""]})
    assert take_up(POINTS, TYPES, IDS, Hands(corrections, segments)).why == [NO_LOOK]


def test_merged_types_are_one_for_corrections_too():
    merges = merges_of({3: Named(cluster=3, merged_into=4), 4: Named(cluster=4, merged_into=1)})
    assert merges == {3: 1, 4: 1}
    types = np.array([1, 1, 3, 4, 4, 2, 2, 2])
    found = taken(("a", "is not", 4), ("c", "is", 1), merges=merges, types=types)
    assert by_id(found) == dict(zip(IDS, [2, 1, 1, 1, 1, 2, 2, 2], strict=True))
    assert found.source.tolist()[:3] == ["corrected", "merged", "merged"]
    assert found.merged == {1: [1, 3, 4]}
    assert taken(("f", "is", 3), merges={3: 1}).made == {}


@pytest.mark.parametrize("lines", ["3,,,,3", "3,,,,4\n4,,,,5\n5,,,,3"])
def test_merges_in_a_ring_are_refused_with_their_line(lines, tmp_path):
    file = tmp_path / "clusters.csv"
    file.write_text(f"cluster,name,colour,note,merged_into\n{lines}\n")
    with pytest.raises(SourceError, match=r"line 2.*cluster 3"):
        read_names(file)


def test_types_of_junction_are_not_merged(tmp_path):
    file = tmp_path / "junction_types.csv"
    file.write_text("cluster,merged_into\n1,2\n")
    with pytest.raises(SourceError, match="junction"):
        read_names(file)


def test_a_merged_number_is_kept_for_its_type():
    assert Named(cluster=3, merged_into=5).edited
    assert Named.model_validate({"cluster": "3.0", "merged_into": " "}).merged_into is None
    assert Named.model_validate({"cluster": "3", "merged_into": "5,0"}).merged_into == 5


def test_what_the_analyst_said_is_read_from_any_spreadsheet_and_gis(tmp_path):
    path = tmp_path / "corrections.csv"
    for text, encoding in (
        ("segment_id,longitude,latitude,says,value,by,at\r\nab,8.5,47.4,Is Not,3,Müller,\r\n", "utf-8-sig"),
        ("Segment_ID;Longitude;Latitude;Says;Value;By\nab;8,5;47,4;is_not;3,0;Müller\n;;;;;\n", "cp1252"),
        (
            "says\tsegment_id\tvalue\tby\tlongitude\tlatitude\tfid\nis not\tab\t3.0\tMüller\t8.5\t47.4\t1\n",
            "utf-8",
        ),
    ):
        path.write_bytes(text.encode(encoding))
        expected = Correction(
            segment_id="ab", longitude=8.5, latitude=47.4, says="is not", value="3", by="Müller"
        )
        assert read_corrections(path) == (expected,)
    assert read_corrections(tmp_path / "none.csv") == ()


@pytest.mark.parametrize(
    ("line", "fault"),
    [
        ("ab,,,is,=1+1,,,", "line 3.*number"),
        ("ab,,,is,three,,,", "line 3.*number"),
        ("ab,,,is,0,,,", "line 3.*number"),
        ("ab,,,resembles,3,,,", "line 3.*says"),
        ("ab,,,like,,,,", "line 3.*value"),
        ("ab,,,like,=cd,,,", "line 3.*formula"),
        ("ab,8,,is,3,,,", "line 3.*latitude"),
        ("ab,,,like,cd,,,,8,", "line 3.*latitude"),
        ("ab,800,47,is,3,,,", "line 3.*longitude"),
        ("ab,nan,47,is,3,,,", "line 3.*longitude"),
        (",,,is,3,,,", "line 3.*neither"),
        ("ab,,,is,3,=x,,", "line 3.*formula"),
        ("ab,,,is,3,,yesterday,", "line 3.*at"),
        ("ab,,,is,3,,0001-01-01T00:00+05:00,", "line 3.*years"),
        ("ab,,,is,3,,,perhaps", "line 3.*collisions_in_view"),
    ],
)
def test_a_line_that_cannot_be_used_is_refused_with_its_number(line, fault, tmp_path):
    path = tmp_path / "corrections.csv"
    head = "segment_id,longitude,latitude,says,value,by,at,collisions_in_view,other_longitude,other_latitude"
    path.write_text(f"{head}\nok,,,is,1,,2026-01-01,no\n{line}\n")
    with pytest.raises(SourceError, match=fault):
        read_corrections(path)


def test_what_a_run_of_before_was_told_is_read_without_places_of_other_segments(tmp_path):
    file = tmp_path / "then.gpkg"
    columns = "fid, segment_id, longitude, latitude, says, value, by, at, collisions_in_view"
    with closing(sqlite3.connect(file)) as then:
        then.execute(f"CREATE TABLE corrections ({columns})")
        row = (1, "ab", 8.5, 47.4, "like", "cd", "ada", "2026-01-01T10:00:00Z", 0)
        then.execute("INSERT INTO corrections VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)", row)
        then.commit()
    (told,) = corrections_in(file)
    assert (told.says, told.value, told.collisions_in_view, told.other_latitude) == (
        "like",
        "cd",
        False,
        None,
    )


def test_what_cannot_be_read_at_all_is_refused_in_words(tmp_path):
    (tmp_path / "corrections.csv").mkdir()
    with pytest.raises(SourceError, match="cannot be read"):
        read_corrections(tmp_path / "corrections.csv")
    (tmp_path / "broken.csv").write_text("segment_id,value\nab,3\n")
    with pytest.raises(SourceError, match="'says' is missing"):
        read_corrections(tmp_path / "broken.csv")


def test_words_are_in_the_order_in_which_they_were_said(tmp_path):
    path = tmp_path / "corrections.csv"
    rows = ["a,is,3,2026-03-01T12:00+02:00", "b,is,3,", "c,is,3,2026-03-01T09:00Z", "d,is,3,2026-03-01 10:00"]
    path.write_text("\n".join(["segment_id,says,value,at", *rows]))
    assert [one.segment_id for one in read_corrections(path)] == ["c", "a", "b", "d"]


def test_a_segment_of_an_earlier_cut_is_found_by_its_place():
    roads = gpd.GeoDataFrame(
        {"segment_id": ["x", "y"]},
        geometry=[LineString([(0, 0), (100, 0)]), LineString([(0, 500), (100, 500)])],
        crs="EPSG:32632",
    )
    places = gpd.GeoSeries(gpd.points_from_xy([50, 50], [8, 100]), crs=roads.crs).to_crs(4326)
    near, far = ({"longitude": point.x, "latitude": point.y} for point in places)
    rows = [
        Correction(segment_id="old", says="is", value="1", **near),
        Correction(segment_id="y", says="like", value="old"),
        Correction(segment_id="older", says="is", value="1", **far),
        Correction(segment_id="oldest", says="is", value="1"),
        Correction(says="is", value="1", **near),
    ]
    found = placed(rows, roads)
    other = {f"other_{name}": degree for name, degree in near.items()}
    two = placed([Correction(segment_id="y", says="like", value="gone", **other)], roads)
    assert two["other"].tolist() == ["x"]
    assert found["segment"].tolist() == ["x", "y", None, None, "x"]
    assert found["other"].tolist() == [None, "x", None, None, None]
    assert found["why"].tolist() == ["", "", NOT_HERE, NO_SEGMENT, ""]


def streets(n=20):
    """Tiles and lines of streets of two looks, which lie 300 m apart."""
    ids = [f"s{i:02d}" for i in range(n)]
    lines = [LineString([(300 * i, 0), (300 * i + 90, 0)]) for i in range(n)]
    segments = gpd.GeoDataFrame({"segment_id": ids, "length_m": 90.0}, geometry=lines, crs=27700)
    tiles = pd.DataFrame({"tile_id": ids, "segment_id": ids, "position_m": 45.0, "coverage": 1.0})
    tiles["embedding"] = [[1.0, 0.1 * i, 0.0] if i < 12 else [0.0, 0.1 * i, 9.0] for i in range(n)]
    tiles["bands"] = tiles["embedding"]
    return tiles, segments


def types_of(*rows, merges=None, numbering=None, k=2):
    tiles, segments = streets()
    corrections = said(*rows)
    hands = Hands(corrections, placed(corrections, segments), merges or {}, numbering)
    settings = Clusters(method="kmeans", k=k)
    return find_types(fingerprint(tiles), tiles, segments, settings, tile_m=50, hands=hands)


def test_all_that_tells_of_types_tells_of_them_as_they_are_in_the_end():
    plain = types_of().segments.set_index("segment_id")
    found = types_of(("s00", "is", 2), ("s11", "is", 9))
    table = found.segments.set_index("segment_id")
    assert table["cluster_found"].equals(plain["cluster"])
    assert table.loc["s00", ["cluster", "cluster_source"]].tolist() == [2, "corrected"]
    assert table.loc["s11", ["cluster", "cluster_source"]].tolist() == [9, "made"]
    given = table["cluster_source"].isin(["corrected", "made"])
    assert table["cluster_probability"].isna().equals(given)
    assert table.loc[given, "cluster_second"].isna().all()
    assert (
        set(found.picks["cluster"])
        == set(table["cluster"])
        == {
            *found.merging["cluster"],
            *found.merging["other"],
        }
    )
    of = stacked(found.groupings)
    assert (of[0] == 2).all()
    assert (of[(table["cluster"] == 9).to_numpy()] == NONE).all()
    assert found.quality["k"] == 3
    alike = table["looks_like"].dropna().str.split(";").explode()
    assert (table["cluster"][alike].to_numpy() == table["cluster"][alike.index].to_numpy()).all()


def test_merged_types_are_one_everywhere():
    apart, found = types_of(k=3), types_of(k=3, merges={3: 1})
    table = found.segments
    assert set(table["cluster"]) == {1, 2}
    assert set(table.loc[table["cluster"] == 1, "cluster_source"]) == {"merged"}
    assert set(np.unique(stacked(found.groupings))) <= {NONE, 1, 2}
    assert (table["cluster_probability"] >= apart.segments["cluster_probability"]).all()
    assert len(found.merging) == 1


def test_the_next_run_knows_types_again_by_what_was_found():
    _, segments = streets()
    first = types_of(*((f"s{i:02d}", "is", 2) for i in range(10)))
    then = segments.merge(first.segments[["segment_id", "cluster_found"]])
    earlier = then.rename(columns={"cluster_found": "cluster"})

    def numbering(types):
        return keep_numbers(segments.merge(types), earlier, reserved=[2])

    again = types_of(numbering=numbering)
    assert again.segments["cluster"].tolist() == types_of().segments["cluster"].tolist()
