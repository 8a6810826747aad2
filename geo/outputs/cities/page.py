"""Several cities beside each other as one page that needs nothing else."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from importlib.resources import files
from typing import Any

import numpy as np
import pandas as pd
from markupsafe import Markup

from geo.outputs.palette import Look
from geo.outputs.templates import templates
from geo.outputs.wording import figure, number
from geo.safety.rates import OUTCOME_NAMES, Outcome

DASH = "–"  # noqa: RUF001 - typography of the page
Row = Mapping[str, Any]
LEFT, WIDTH = 160.0, 590.0
_SAID = {
    "collisions": "Collisions between junctions per km and year, with the exact interval of the count.",
    "ksi": "Collisions in which somebody was killed or seriously injured, between junctions, per km and year, with the "
    "exact interval of the count.",
    "ratio of collisions": "Collisions, as a ratio to other roads in the same part of the same town.",
    "ratio of ksi": "KSI collisions, as a ratio to other roads in the same part of the same town.",
}


def render(
    tables: Mapping[str, pd.DataFrame],
    looks: Mapping[int, tuple[str, Look]],
    *,
    version: int,
    fitted: Sequence[str],
    file: str,
) -> str:
    """Make the page.

    Parameters
    ----------
    tables
        ``cities``, ``types_by_city`` and ``types_together`` (`geo.outputs.cities.layers`).
    looks
        Title and look of each type, by its number.
    version, fitted
        Version of the typology, and the cities that it was found in.
    file
        Name of the GeoPackage beside it.
    """
    cities, types, together = (tables[name] for name in ("cities", "types_by_city", "types_together"))
    names = cities["city"].tolist()
    cells = {(int(row["cluster"]), str(row["city"])): row for row in _rows(types)}
    said = {(int(row["cluster"]), str(row["measure"])): row for row in _rows(together)}
    numbers = sorted(int(one) for one in types["cluster"].unique())
    style = files("geo.outputs.report").joinpath("templates", "report.css").read_text(encoding="utf-8")
    return (
        templates("geo.outputs", "cities")
        .get_template("cities.html.jinja")
        .render(
            style=Markup(style),  # noqa: S704 - our own
            version=version,
            fitted=fitted,
            file=file,
            cities=[
                {
                    "city": row["city"],
                    "length": figure(row["length_km"]),
                    "like_none": figure(row["like_none_km"]),
                    "unseen": figure(row["unseen_km"]),
                }
                for row in _rows(cities)
            ],
            types=[
                {
                    "title": looks[one][0],
                    "colour": looks[one][1].colour,
                    "cells": [{"length": _length(cells[one, name])} for name in names],
                }
                for one in numbers
            ],
            bars=[_bar(place, name, numbers, cells, looks) for place, name in enumerate(names)],
            parts=[part for measure in _SAID if (part := _part(measure, numbers, names, cells, said, looks))],
        )
    )


def _rows(table: pd.DataFrame) -> list[Row]:
    return [{str(name): value for name, value in row.items()} for row in table.to_dict("records")]


def _length(row: Row) -> str:
    return f"{figure(row['length_km'])} ({row['share']:.0%})" if row["length_km"] > 0 else DASH


def _bar(
    place: int,
    name: str,
    numbers: Sequence[int],
    cells: Mapping[tuple[int, str], Row],
    looks: Mapping[int, tuple[str, Look]],
) -> dict[str, Any]:
    """Lay the shares of a city's types along a bar."""
    parts, x = [], LEFT
    for one in numbers:
        share = float(cells[one, name]["share"])
        title, look = looks[one]
        parts.append(
            {
                "x": round(x, 2),
                "width": round(share * WIDTH, 2),
                "colour": look.colour,
                "said": f"{title}: {share:.1%}",
            }
        )
        x += share * WIDTH
    return {"city": name, "y": place * 34 + 5, "parts": [part for part in parts if part["width"]]}


def _part(
    measure: str,
    numbers: Sequence[int],
    names: Sequence[str],
    cells: Mapping[tuple[int, str], Row],
    together: Mapping[tuple[int, str], Row],
    looks: Mapping[int, tuple[str, Look]],
) -> dict[str, Any] | None:
    """Lay one measure out: a row a type; None where nothing is known of it."""
    outcome: Outcome = "ksi" if measure.endswith("ksi") else "collisions"
    rates = measure == outcome
    columns = (
        [f"{outcome}_per_km_year{end}" for end in ("", "_low", "_high")]
        if rates
        else ["rate_ratio", "low", "high"]
    )
    known = {at: row for at, row in cells.items() if rates or row["outcome"] == outcome}
    if all(np.isnan(number(row[columns[0]])) for row in known.values()):
        return None
    rows = []
    for one in numbers:
        said = together.get((one, measure), {})
        rows.append(
            {
                "title": looks[one][0],
                "cells": [_told(known.get((one, name), {}), columns) for name in names],
                "together": _told(said, ["mean", "low", "high"]),
                "another": _range(said),
                "i2": _share(said.get("i2", np.nan)),
            }
        )
    name = OUTCOME_NAMES[outcome]
    heading = f"{name[0].upper()}{name[1:]}" + (" per km and year" if rates else ", against other roads")
    return {"id": measure.replace(" ", "-"), "heading": heading, "said": _SAID[measure], "rows": rows}


def _told(row: Row, columns: Sequence[str]) -> str:
    mean, least, most = (number(row.get(name, np.nan)) for name in columns)
    return DASH if np.isnan(mean) else f"{figure(mean)} ({figure(least)} to {figure(most)})"


def _range(row: Row) -> str:
    least, most = (number(row.get(name, np.nan)) for name in ("predicted_low", "predicted_high"))
    return DASH if np.isnan(least) else f"{figure(least)} to {figure(most)}"


def _share(value: object) -> str:
    share = number(value)
    return DASH if np.isnan(share) else f"{share:.0%}"
