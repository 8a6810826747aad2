"""What the tables of a city hold: the worst roads and junctions, types, comparisons, and the ledger."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import geopandas as gpd
import pandas as pd

from geo.errors import LayerError
from geo.outputs.layers.layers import LAYERS
from geo.safety.junctions.worst import worst_junctions
from geo.safety.stretches.ranking import worst_stretches

LONGEST = 1000
"""Rows of a list of the worst, at most: the others are in the GeoPackage."""
DIGITS = 4
"""Decimals that numbers are rounded to."""
PLACE = "Place (1 is the worst)"
_ROADS = (
    *("name", "from_street", "to_street", "part", "parts", "road_class", "cluster", "length_m"),
    *("rank_low", "rank_high", "expected_rank", "p_worst_5_percent", "p_worst_20"),
    *("n_collisions", "n_fatal", "n_serious", "n_slight", "n_ksi", "n_severity_unknown"),
    *("n_pedestrian_collisions", "n_cyclist_collisions", "n_motorcyclist_collisions"),
    *("n_collisions_at_junctions", "n_ksi_at_junctions", "rank_of"),
    *("per_km_year", "per_km_year_low", "per_km_year_high"),
    *(
        "per_km_year_eb",
        "per_km_year_eb_low",
        "per_km_year_eb_high",
        "per_km_year_predicted",
        "years",
        "stretch_id",
    ),
)
_TYPES = (
    *(
        "cluster",
        "name",
        "words",
        "n_segments",
        "length_km",
        "n_collisions",
        "n_ksi",
        "ksi_per_km_year",
        "low",
        "high",
    ),
    *("rate_ratio", "rate_ratio_low", "rate_ratio_high"),
    *(
        "rate_ratio_adjusted",
        "rate_ratio_adjusted_low",
        "rate_ratio_adjusted_high",
        "p_value",
        "q_value",
        "note",
    ),
)
_COMPARISONS = (
    *("cluster", "outcome", "comparison", "observed", "expected", "ratio", "low", "high"),
    *("ratio_adjusted", "ratio_adjusted_low", "ratio_adjusted_high", "p_value_adjusted", "q_value", "reason"),
)
_JUNCTIONS = (
    *("junction_type", "arms", "highest_class", "traffic_entering", "cluster"),
    *(
        "expected_rank",
        "rank_deviation",
        "p_worst_5_percent",
        "n_collisions",
        "n_fatal",
        "n_serious",
        "n_slight",
    ),
    *("n_ksi", "rank_of", "ksi_per_year_eb", "ksi_per_year_eb_low", "ksi_per_year_eb_high"),
    *(
        "collisions_per_year_eb",
        "collisions_per_year_eb_low",
        "collisions_per_year_eb_high",
        "years",
        "junction_id",
    ),
)


@dataclass(frozen=True, slots=True)
class Sheet:
    """One table.

    Attributes
    ----------
    name
        What its sheet is called; its file in small letters with ``_`` for blanks.
    says
        What its rows are, in a sentence.
    frame
        The rows: columns are called as people read them, with their units; numbers are rounded.
    """

    name: str
    says: str
    frame: pd.DataFrame

    @property
    def file(self) -> str:
        """Name of the file of the same rows."""
        return self.name.lower().replace(" ", "_") + ".csv"


def sheets_of(layers: Mapping[str, pd.DataFrame]) -> list[Sheet]:
    """Lay out the tables of a city.

    Parameters
    ----------
    layers
        The layers of the GeoPackage.

    Returns
    -------
    The worst roads, types, comparisons, junctions and the ledger; a city without records has lists without rows.
    """
    tests = layers["tests"].sort_values(["q_value", "cluster"], kind="stable")
    return [
        Sheet(
            "Worst roads",
            f"Stretches of road that do not overlap, the worst first, {LONGEST:,} at most. Rates are of the collisions "
            "that ranks are of. Collisions at junctions stand beside, in no rate.",
            _worst(gpd.GeoDataFrame(layers["stretches"]), "stretches", _ROADS, worst_stretches),
        ),
        Sheet("Types", "Types of road by their look.", _titled(layers["clusters"], "clusters", _TYPES)),
        Sheet(
            "Comparisons",
            "Each type against other roads; a difference is claimed where q is 0.05 or less, and nowhere else.",
            _titled(tests, "tests", _COMPARISONS),
        ),
        Sheet(
            "Junctions",
            f"Junctions, the worst first, {LONGEST:,} at most; rates are per year.",
            _worst(gpd.GeoDataFrame(layers["junctions"]), "junctions", _JUNCTIONS, worst_junctions),
        ),
        Sheet("Ledger", "What became of every input row.", _titled(layers["ledger"], "ledger", ())),
    ]


def _worst(
    frame: gpd.GeoDataFrame,
    layer: str,
    names: Sequence[str],
    worst: Callable[[gpd.GeoDataFrame, int], gpd.GeoDataFrame],
) -> pd.DataFrame:
    """List the worst of a layer; no rows where none has a rank."""
    key = LAYERS[layer].key
    try:
        listed = worst(frame, LONGEST)
    except LayerError:
        return _titled(frame.iloc[:0], layer, names).assign(**{PLACE: []})
    rows = frame.set_index(key).loc[listed[key].tolist()].reset_index()
    found = _titled(rows, layer, names)
    found.insert(0, PLACE, range(1, len(found) + 1))
    return found


def _titled(frame: pd.DataFrame, layer: str, names: Sequence[str]) -> pd.DataFrame:
    """Take columns of a layer, all that are there if none are named, under the titles that QGIS shows."""
    titles = {column.name: column.alias for column in LAYERS[layer].columns}
    there = [name for name in names or titles if name in frame and (not names or name in titles)]
    # columns that hold nothing in this city are of no use on paper
    told = [name for name in there if len(frame) == 0 or frame[name].notna().any()]
    table = pd.DataFrame(frame[told]).reset_index(drop=True)
    reals = table.select_dtypes(include="float").columns
    table[reals] = table[reals].round(DIGITS)
    return table.rename(columns=titles)
