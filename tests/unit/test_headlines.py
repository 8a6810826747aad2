"""What is said of the high-injury network and of look-alikes."""

import numpy as np
import pandas as pd

from geo.safety.along.high_injury import headline_sentences
from geo.safety.picture.lookalikes import plain_pairs

ROW = {
    "measure": "share_of_length_with_50_pct_of_ksi",
    "share": 0.5,
    "value": 0.0434,
    "low": 0.03,
    "high": 0.06,
    "chance": 0.12,
    "held_out": 0.2,
    "held_out_chance": 0.5,
    "held_out_p_value": 0.004,
    "reason": None,
}


def test_a_headline_is_never_said_without_chance_and_a_fresh_look():
    said = headline_sentences(pd.DataFrame([ROW]), "ksi")
    assert said[0].startswith(
        "50 % of KSI collisions lie on 4.3 % of road length (95 % interval 3 % to 6 %); 12 %"
    )
    assert said[0].endswith(
        "12 % if the same number fell on roads at random. If one half of them chooses the roads, 50 % of the other "
        "half lie on 20 % of road length; 50 % at random (more concentrated than chance makes them, p = 0.004)"
    )
    row = ROW | {"measure": "share_of_ksi_on_5_pct_of_length", "share": 0.05, "held_out_chance": 0.05}
    assert headline_sentences(pd.DataFrame([row]), "ksi")[0].endswith(
        "If one half of them chooses the roads, these carry 20 % of the other half; 5 % at random (more concentrated "
        "than chance makes them, p = 0.004)"
    )


def test_a_fresh_look_that_shows_nothing_is_said_to_show_nothing():
    row = ROW | {"held_out": 0.41, "held_out_p_value": 0.3}
    assert (
        "no more concentrated than chance can make them, p = 0.3"
        in headline_sentences(pd.DataFrame([row]), "ksi")[0]
    )


def test_without_an_interval_that_is_said():
    row = ROW | {"low": np.nan, "high": np.nan, "measure": "share_of_ksi_on_5_pct_of_length", "share": 0.05}
    assert headline_sentences(pd.DataFrame([row]), "ksi")[0].startswith(
        "5 % of road length carries 4.3 % of KSI collisions (no interval)"
    )


def test_without_a_number_the_reason_is_said_once():
    rows = pd.DataFrame([ROW | {"value": np.nan, "reason": "fewer than 20 collisions"}] * 2)
    assert headline_sentences(rows, "collisions") == [
        "How concentrated collisions are cannot be told: fewer than 20 collisions"
    ]


def test_columns_of_pairs_are_named_alike_for_every_outcome():
    names = ["n_ksi", "similar_n_ksi", "ksi_per_km_year_eb", "similar_ksi_per_km_year_eb", "distance"]
    found = plain_pairs(pd.DataFrame({name: [1.0] for name in names}), "ksi")
    assert list(found.columns) == [
        "n",
        "similar_n",
        "per_km_year_eb",
        "similar_per_km_year_eb",
        "distance",
        "outcome",
    ]
    assert found["outcome"].tolist() == ["ksi"]
