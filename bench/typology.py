"""How well the types of a typology fit a town that it was not fitted on.

    .venv/bin/python bench/typology.py [--seeds 2] [--weight city] [--method average] [--out runs]

The four road plans of the demo town, each drawn by several seeds. Each town is given to a typology that was fitted on
the others without any of its plan, which is held against the forms that it was drawn with, the types that are found in
it alone, and those that are found when all towns are fitted together, this one with them, by the adjusted Rand index.
With a number of types given it is that of the forms. The table is printed, and the same as JSON under bench/results/.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import geopandas as gpd
import numpy as np
import pandas as pd
import pyarrow.parquet as pq
from results import save, table
from scenes import run_to_fingerprints
from sklearn.metrics import adjusted_rand_score

from geo.clusters.evidence.choose import choose_k
from geo.clusters.evidence.groupings import NONE
from geo.clusters.fit import cluster
from geo.clusters.graph.ground import same_ground
from geo.clusters.graph.smoothing import smooth
from geo.clusters.registry import KINDS, method_of
from geo.clusters.space import to_space
from geo.clusters.typology.assign import assign
from geo.clusters.typology.fit import CityLooks, fit_typology
from geo.clusters.typology.made_by import made_by
from geo.config import Clusters
from geo.demo.plans import NAMES
from geo.demo.write import DemoTown
from tasks.demo import draw_demo
from tasks.stages.imagery.fingerprints import FILE, load_fingerprints

TILE_M = 100.0


@dataclass(frozen=True)
class Town:
    """A town that was drawn: its plan, what its segments look like, and the form of each."""

    plan: str
    looks: CityLooks
    forms: np.ndarray[Any, Any]


def towns(out: Path, seeds: int) -> Iterator[Town]:
    """Draw towns, and run them up to the fingerprints."""
    for name in NAMES:
        for seed in range(1, seeds + 1):
            city = draw_demo(out, seed=seed, plan=name)
            plan = run_to_fingerprints(city, out, {})
            found = load_fingerprints(plan)
            roads = gpd.read_parquet(plan.stage_folder("roads") / "segments.parquet").set_index("segment_id")
            roads = roads.loc[found.segment_ids].reset_index()
            forms = DemoTown(city.parent).truth().segments.set_index("segment_id")["form"]
            made = made_by(pq.read_schema(plan.stage_folder("fingerprints") / FILE).metadata)
            looks = CityLooks(f"{name} {seed}", found.vectors, roads, made, "")
            yield Town(name, looks, forms[found.segment_ids].to_numpy())


def alone(town: Town, settings: Clusters) -> np.ndarray[Any, Any]:
    """Find types in a town by itself."""
    settings = method_of(settings)
    points = to_space(town.looks.vectors, settings)
    smoothed = smooth(points, settings, same_ground(town.looks.roads, tile_m=TILE_M))
    choice = choose_k(points, settings, smoothed=smoothed)
    k = int(choice.loc[choice["chosen"], "k"].iloc[0])
    return cluster(points, k, settings, smoothed=smoothed).labels


def judge(drawn: Sequence[Town], settings: Clusters, weight: Any) -> Iterator[dict[str, Any]]:  # noqa: ANN401
    """Give each town to a typology that was fitted without any town of its plan."""
    everyone = fit_typology([one.looks for one in drawn], settings, weight=weight)
    together = np.split(everyone.labels, np.cumsum([len(rows) for rows in everyone.kept])[:-1])
    without = {
        plan: fit_typology([one.looks for one in drawn if one.plan != plan], settings, weight=weight).typology
        for plan in dict.fromkeys(one.plan for one in drawn)
    }
    for town, both in zip(drawn, together, strict=True):
        typology = without[town.plan]
        found = assign(typology, town.looks.vectors, same_ground(town.looks.roads, tile_m=TILE_M))
        own = alone(town, settings)
        alike = found.numbers != NONE
        yield {
            "town": town.looks.city,
            "k is": "found" if settings.k == "auto" else "given",
            "k": len(typology.card.types),
            "alone: forms": adjusted_rand_score(town.forms, own),
            "together: forms": adjusted_rand_score(town.forms, both),
            "assigned: forms": adjusted_rand_score(town.forms, found.nearest),
            "assigned: types found alone": adjusted_rand_score(own, found.nearest),
            "assigned: types found together": adjusted_rand_score(both, found.nearest),
            "like none": float(1 - alike.mean()),
            "of these of the wrong form": _wrong(town.forms, found.nearest, alike),
            "of the others": _wrong(town.forms, found.nearest, ~alike),
        }


def _wrong(forms: np.ndarray[Any, Any], types: np.ndarray[Any, Any], left_out: np.ndarray[Any, Any]) -> float:
    """Give the share of segments that are not of the form that most of their type are of."""
    usual = (
        pd.DataFrame({"type": types, "form": forms}).groupby("type")["form"].agg(lambda one: one.mode()[0])
    )
    wrong = usual.loc[types].to_numpy() != forms
    return float(wrong[~left_out].mean()) if not left_out.all() else float("nan")


def main() -> None:
    """Draw the towns once, then measure with the number of types given and found."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--seeds", type=int, default=2)
    parser.add_argument("--weight", choices=("city", "length", "segment"), default="city")
    parser.add_argument("--method", choices=[kind.tag for kind in KINDS], default="average")
    parser.add_argument("--out", type=Path, default=Path("runs"))
    asked = parser.parse_args()
    drawn = list(towns(asked.out, asked.seeds))
    forms = len({form for town in drawn for form in town.forms})
    plain = Clusters(method=asked.method, groupings=2)
    rows = [
        row for k in (forms, "auto") for row in judge(drawn, plain.model_copy(update={"k": k}), asked.weight)
    ]
    numeric = [name for name in rows[0] if name not in {"town", "k is"}]
    rows += [
        {"town": "mean", "k is": k_is}
        | {name: float(np.nanmean([row[name] for row in rows if row["k is"] == k_is])) for name in numeric}
        for k_is in ("given", "found")
    ]
    print(table(rows))
    save("typology", {"weight": asked.weight, "method": asked.method, "seeds": asked.seeds, "towns": rows})


if __name__ == "__main__":
    main()
