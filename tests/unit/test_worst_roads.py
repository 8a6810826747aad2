"""The report's list of worst roads: in words, with how sure the ranks are, and as a table that runs nothing."""

import base64
import io

import geopandas as gpd
import pandas as pd
import pytest

from geo.outputs.report.parts.worst import LISTED, where, worst_roads


@pytest.fixture
def stretches(grid_city) -> gpd.GeoDataFrame:
    frame = grid_city.layers["stretches"].copy()
    frame["name"] = frame["name"].astype(object)
    frame.loc[frame.index[0], "name"] = '=HYPERLINK("a")'
    return frame.assign(n_pedestrian_collisions=pd.array([2] * len(frame), "Int64"))


@pytest.fixture
def segments(grid_city) -> pd.DataFrame:
    return grid_city.layers["segments"].assign(stretch_id=grid_city.layers["segments"]["segment_id"])


def test_the_worst_come_first_with_their_streets_ranks_and_the_road_users_that_records_tell(
    stretches, segments
):
    told = worst_roads(stretches, segments, {})
    assert told is not None
    assert len(told.rows) == LISTED
    assert told.n_ranked == len(stretches)
    assert told.outcome == "KSI collisions"
    assert told.users == ("pedestrian",)
    first = told.rows[0]
    assert first["place"] == "1"
    assert first["road"] == '=HYPERLINK("a")'
    assert first["where"] == "from Column & 1"
    assert first["ranks"] == f"1 to {len(stretches)}"
    assert first["segment"] == stretches["stretch_id"].iloc[0]
    chances = [float(row["p_worst"]) for row in told.rows]
    assert chances == sorted(chances, reverse=True)


def test_the_table_runs_nothing_and_holds_what_the_list_says(stretches, segments):
    told = worst_roads(stretches, segments, {})
    raw = base64.b64decode(told.csv)
    table = pd.read_csv(io.BytesIO(raw), encoding="utf-8-sig")
    assert table["name"].iloc[0] == '\'=HYPERLINK("a")'
    assert table["place"].tolist() == list(range(1, LISTED + 1))
    assert not table.astype(str).apply(lambda column: column.str.startswith(("=", "+", "@"))).any(axis=None)


def test_without_ranks_or_stretches_there_is_no_list(stretches, segments):
    assert worst_roads(None, segments, {}) is None
    assert worst_roads(stretches.assign(expected_rank=None), segments, {}) is None


@pytest.mark.parametrize(
    ("start", "end", "said"),
    [
        ("Elm Street", "Oak Road", "from Elm Street to Oak Road"),
        ("Elm Street", None, "part 2 of 3, from Elm Street"),
        (None, None, "part 2 of 3"),
    ],
)
def test_a_stretch_is_placed_by_its_streets_or_by_its_part(start, end, said):
    assert where({"from_street": start, "to_street": end, "part": 2, "parts": 3}) == said
