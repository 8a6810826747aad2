"""What columns call classes of ground."""

from __future__ import annotations

import re

from hypothesis import given
from hypothesis import strategies as st

from geo.ground.keys import LONGEST, keys_of


@given(st.lists(st.text(), max_size=8))
def test_any_names_give_plain_keys_each_once(names: list[str]) -> None:
    keys = keys_of(names)
    assert len(keys) == len(names) == len(set(keys))
    assert all(re.fullmatch(r"[a-z0-9_]+", key) and len(key) <= LONGEST + 10 for key in keys)
    assert not {"known", "unknown", "vegetation", "other"} & set(keys)
    assert not any(key.isdigit() for key in keys)


def test_names_that_differ_in_what_a_column_cannot_hold_stay_two() -> None:
    assert keys_of(["shop front", "Shop-Front", "=cmd()", "'; DROP TABLE segments"]) == [
        "shop_front",
        "shop_front_2",
        "cmd",
        "drop_table_segments",
    ]
