"""The tables of the report, their rows in words."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd

from geo.outputs.layers.layers import LAYERS
from geo.outputs.wording import (
    NOT_APART,
    chance_words,
    figure,
    interval,
    number,
    ratio_limits,
    shorten,
    untold,
)
from geo.safety.interventions.sentences import WORDS as OUTCOME_WORDS


def places_rows(places: pd.DataFrame | None, junction_types: pd.DataFrame | None) -> list[dict[str, str]]:
    """Lay out the collisions between junctions, at each type of junction, and together."""
    if places is None or junction_types is None or places["n_collisions"].isna().all():
        return []
    apart = places[places["place"] != "at junctions"].assign(unit="km and year", per="km_year")
    types = junction_types.rename(columns={"junction_type": "place"})
    types = types.assign(unit="junction and year", per="junction_year")
    rows = [*apart.to_dict("records")[:1], *types.to_dict("records"), *apart.to_dict("records")[1:]]
    return [
        {
            "place": shorten(str(row["place"])),
            "n_collisions": figure(number(row["n_collisions"])),
            "n_ksi": _with_untold(row),
            "per": str(row["unit"]),
        }
        | {what: _with_interval(row, f"{what}_per_{row['per']}") for what in ("collisions", "ksi")}
        for row in rows
    ]


def _with_untold(row: Mapping[Any, Any]) -> str:
    """Write a count of KSI, and of how many collisions severity is not known."""
    told = untold(number(row.get("n_severity_unknown")), number(row["n_collisions"]))
    return figure(number(row["n_ksi"])) + (f" ({told})" if told else "")


def tests_rows(tests: pd.DataFrame | None, slight: str) -> list[dict[str, str]]:
    """Lay out the tests that were made, those with the smallest q first; `slight` is what slight collisions are."""
    if tests is None:
        return []
    made = tests[tests["p_value_adjusted"].notna()]
    made = made.sort_values(["q_value", "p_value_adjusted", "cluster"], kind="stable")
    return [
        {
            "cluster": str(int(row["cluster"])),
            "outcome": column_title(str(row["outcome"]), slight),
            "comparison": str(row["comparison"]),
            "observed": figure(number(row["observed"])),
            "expected": figure(number(row["expected"])),
            "ratio": figure(number(row["ratio"]), 2),
            "adjusted": figure(number(row["ratio_adjusted"]), 2),
            "limits": ratio_limits(number(row["ratio_adjusted_low"]), number(row["ratio_adjusted_high"])),
            "p_value": chance_words(number(row["p_value_adjusted"])),
            "q_value": chance_words(number(row["q_value"])),
        }
        for row in made.to_dict("records")
    ]


def effects_rows(effects: pd.DataFrame | None) -> list[dict[str, str]] | None:
    """Lay out the effects of treatments by kind; None where the city names no treatments."""
    if effects is None:
        return None
    counts = ("n_sites", "n_before", "n_after", "expected")
    return [
        {
            "kind": shorten(str(row["kind"])),
            "outcome": OUTCOME_WORDS[str(row["outcome"])],
            "q_value": chance_words(number(row["q_value"])),
            "says": str(row["says"]),
        }
        | {name: figure(number(row[name])) for name in counts}
        | {name: _with_interval(row, name) for name in ("index", "naive", "comparison", "look_alike")}
        for row in effects.to_dict("records")
    ]


def column_title(name: str, slight: str) -> str:
    """Give what QGIS shows for a column of segments, without its unit."""
    if name == "n_slight" and slight == NOT_APART:
        return f"Collisions with {NOT_APART}"
    alias = next((one.alias for one in LAYERS["segments"].columns if one.name == name), name)
    return alias.removesuffix(" (number)")


def _with_interval(row: Mapping[Any, Any], name: str) -> str:
    """Write a rate and its interval."""
    value = number(row[name])
    limits = interval(number(row[f"{name}_low"]), number(row[f"{name}_high"]))
    return figure(value, 2) if np.isnan(value) else f"{figure(value, 2)} ({limits})"


def settings_rows(config: Mapping[str, Any], prefix: str = "") -> list[tuple[str, str]]:
    """Lay nested settings out as dotted keys and JSON values."""
    rows: list[tuple[str, str]] = []
    for key, value in sorted(config.items()):
        if isinstance(value, Mapping) and value:
            rows += settings_rows(value, f"{prefix}{key}.")
        else:
            rows.append((f"{prefix}{key}", json.dumps(value, ensure_ascii=False, default=str)))
    return rows


def measures(quality: Mapping[str, Any]) -> list[tuple[str, str, float, float]]:
    """Set the encoder's measures beside those of the baseline: name, what it means, encoder, baseline."""
    names = {
        "effective_rank": ("Effective rank", "how many independent directions the fingerprints really use"),
        "spread": ("Spread", "mean cosine distance of two roads; 0 means all look alike"),
        "silhouette": (
            "Silhouette",
            "how far apart the types are; 1 is best, 0 means they run into each other",
        ),
        "stability": ("Stability", "whether resampled roads give the same types; 1 is always"),
    }
    encoder, baseline = quality.get("encoder") or {}, quality.get("baseline") or {}
    return [
        (title, meaning, number(encoder.get(name)), number(baseline.get(name)))
        for name, (title, meaning) in names.items()
        if name in encoder or name in baseline
    ]
