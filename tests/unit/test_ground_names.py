"""Classes of ground that were found keep their numbers, and the analyst's names, from run to run."""

import numpy as np
import pandas as pd
import pyproj
import pytest

from geo.errors import SourceError
from geo.ground.contract import GroundClass
from geo.ground.names import (
    NamedClass,
    call_classes,
    plain_colour,
    read_class_names,
    write_class_names,
)
from geo.ground.numbers import keep_class_numbers, renumbered, shared_ground, with_numbers
from geo.ground.raster import MapGrid, read_on, write_map
from geo.ground.shares import Places

CLASSES = tuple(
    GroundClass(n, str(n), "", plain_colour(n), "found", share=share)
    for n, share in ((1, 0.5), (2, 0.3), (3, 0.2))
)


def ground(*stripes):
    """A map of stripes of 10 m by 100 m, each of one class."""
    return np.repeat(np.array(stripes, dtype=np.uint8), 10)[None].repeat(100, axis=0)


def test_classes_that_only_changed_places_keep_their_numbers():
    before, now = ground(1, 1, 1, 2, 2, 3), ground(3, 3, 3, 1, 1, 2)
    assert keep_class_numbers([1, 2, 3], [shared_ground(now, before)]) == {3: 1, 1: 2, 2: 3}


def test_ground_that_one_of_the_maps_does_not_know_says_nothing():
    before, now = ground(1, 1, 0, 0, 0, 0, 2), ground(2, 2, 2, 2, 2, 2, 1)
    assert keep_class_numbers([1, 2], [shared_ground(now, before)]) == {2: 1, 1: 2}


def test_a_class_of_which_most_is_new_gets_a_number_that_means_nothing_yet():
    before, now = ground(1, 1, 2, 2, 3, 3), ground(1, 1, 2, 2, 4, 3)
    # half of the earlier class 3 is each of 3 and 4: neither is the same as before
    found = keep_class_numbers([1, 2, 3, 4], [shared_ground(now, before)], reserved=[3])
    assert (found[1], found[2]) == (1, 2)
    assert sorted(found.values()) == [1, 2, 4, 5]


def test_a_named_class_survives_a_trial_with_fewer_classes():
    before, trial = ground(1, 1, 2, 3, 3, 4), ground(1, 1, 1, 5, 5, 5)
    now = ground(2, 2, 1, 4, 4, 3)
    shared = [shared_ground(now, one) for one in (trial, before)]
    assert keep_class_numbers([1, 2, 3, 4], shared, reserved=[1, 2, 3, 4]) == {2: 1, 1: 2, 4: 3, 3: 4}


def test_without_an_earlier_run_numbers_are_those_that_were_found():
    assert keep_class_numbers([1, 2, 3], []) == {1: 1, 2: 2, 3: 3}


def test_merged_classes_are_one_on_the_map_and_in_the_table():
    names = {1: NamedClass(cluster=1, merged_into=7), 7: NamedClass(cluster=7, name="paved")}
    table = renumbered({1: 7, 2: 1, 3: 3}, names)
    assert table[ground(1, 2, 3, 0)][0, ::10].tolist() == [7, 7, 3, 0]
    told = with_numbers(CLASSES, table)
    assert [(one.number, one.key, one.share) for one in told] == [(3, "3", 0.2), (7, "7", 0.8)]


def test_names_are_for_classes_that_were_found_alone():
    rows = pd.DataFrame(
        {
            "class": [1, 2, 3],
            "name": ["", "", "tree"],
            "colour": ["#111111", "#222222", "#333333"],
            "source": ["found", "found", "labels"],
            "words": ["", "", "threshold 0.4"],
        }
    )
    names = {
        n: NamedClass(cluster=n, name=f"named {n}", colour="#abcdef", note="seen in the field")
        for n in (1, 3)
    }
    told = call_classes(rows, names)
    assert told["name"].tolist() == ["named 1", "", "tree"]
    assert told["colour"].tolist() == ["#ABCDEF", "#222222", "#333333"]
    assert told["note"].fillna("").tolist() == ["seen in the field", "", ""]
    learned = rows[rows["source"] == "labels"]
    assert call_classes(learned, names).equals(learned)


def test_the_table_is_written_and_read_as_a_spreadsheet_leaves_it(tmp_path):
    path = tmp_path / "ground.csv"
    write_class_names(path, [1, 2], {})
    fresh = read_class_names(path)
    assert path.read_text(encoding="utf-8-sig").splitlines()[0] == "class,name,colour,note,merged_into"
    assert sorted(fresh) == [1, 2]
    assert not any(one.edited for one in fresh.values())
    path.write_bytes("Class;Name;Merged_into\n2;Bäume;1,0\n".encode("cp1252"))
    read = read_class_names(path)
    assert (read[2].name, read[2].merged_into) == ("Bäume", 1)
    write_class_names(path, [1, 2], read)
    assert read_class_names(path)[2].name == "Bäume"


@pytest.mark.parametrize(
    ("line", "fault"),
    [
        ("0,fine,,", "line 2.*class"),
        ("196,fine,,", "line 2.*class.*195"),
        ("1,=cmd|' /C calc'!A0,,", "line 2.*formula"),
        ("1,fine,red,", "line 2.*#RRGGBB"),
        ("1,a,,\n1,b,,", "line 3.*class 1 has an earlier line"),
        ("1,a,,1", "class 1: it is merged into itself"),
    ],
)
def test_a_line_that_cannot_be_used_is_refused_by_its_number(tmp_path, line, fault):
    path = tmp_path / "ground.csv"
    path.write_text(f"class,name,colour,merged_into\n{line}\n")
    with pytest.raises(SourceError, match=fault):
        read_class_names(path)


def test_colours_of_27_classes_differ():
    assert len({plain_colour(number) for number in range(1, 28)}) == 27


def test_an_earlier_map_is_read_on_the_grid_of_this_one(tmp_path):
    """One of places of 2 m, shifted by a place; where it does not reach, nothing is known."""
    before = Places(100.0, 200.0, 4, 4, 2.0)
    numbers = np.arange(1, 17, dtype=np.uint8).reshape(4, 4)
    classes = [GroundClass(n, str(n), "", plain_colour(n), "found") for n in range(1, 17)]
    crs = pyproj.CRS(27700)
    write_map(tmp_path / "ground.tif", MapGrid.about([before]), [(before, numbers)], classes, crs)
    now = Places(102.0, 200.0, 4, 4, 2.0)
    (same,) = read_on(tmp_path / "ground.tif", MapGrid.about([now]), [now], crs)
    assert same[:, :3].tolist() == numbers[:, 1:].tolist()
    assert not same[:, 3].any()
    finer = Places(102.0, 200.0, 8, 8, 1.0)
    (twice,) = read_on(tmp_path / "ground.tif", MapGrid.about([finer]), [finer], crs)
    assert twice[:, :6].tolist() == numbers[:, 1:].repeat(2, axis=0).repeat(2, axis=1).tolist()
    away = Places(9000.0, 9000.0, 4, 4, 2.0)
    (none,) = read_on(tmp_path / "ground.tif", MapGrid.about([away]), [away], crs)
    assert not none.any()
