"""Commands about types of several cities: fitting them, and showing what a file of them holds."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table

from flows.arguments import read_overrides


def typology(asked: argparse.Namespace) -> dict[str, Any]:
    """Fit a typology, show one, or compare cities that were given to one."""
    if asked.what == "compare":
        from tasks.typology.comparing import compare  # noqa: PLC0415 - each command imports what it needs

        return compare(_places(asked.cities, None), asked.out)
    if asked.what == "show":
        from geo.clusters.typology.file import read_typology  # noqa: PLC0415 - each command imports what it needs
        from tasks.typology.fitting import describe  # noqa: PLC0415

        return {"file": str(asked.file), **describe(read_typology(asked.file))}
    return fit(_places(asked.cities, asked.runs), asked)


def _places(words: Sequence[Path], runs: Path | None) -> list[Path]:
    """Find the files and folders that are meant: those of that path, or the runs of a city of that name."""
    from tasks.results.called import place_called  # noqa: PLC0415 - each command imports what it needs

    return [word if word.exists() else place_called(word, runs) for word in words]


def fit(places: Sequence[Path], asked: argparse.Namespace) -> dict[str, Any]:
    """Fit a typology on cities' files and finished runs."""
    from tasks.typology.fitting import fit_cities, looks_of_folders, read_earlier, settings_of  # noqa: PLC0415
    from tasks.typology.looks import is_city_file  # noqa: PLC0415

    settings = settings_of(read_overrides(asked.set))
    earlier = read_earlier(asked.file, asked.names_from)
    if any(is_city_file(place) for place in places):
        return _with_server(places, asked)
    return fit_cities(looks_of_folders(places), asked.file, settings, weight=asked.weight, earlier=earlier)


def _with_server(places: Sequence[Path], asked: argparse.Namespace) -> dict[str, Any]:
    """Fit a typology on cities' files, whose stages are made where they are missing."""
    from flows.progress import stage_bar  # noqa: PLC0415
    from flows.server import own_server  # noqa: PLC0415

    with own_server() as wait:
        with stage_bar("starting"):
            from flows.typologies import typology_flow  # noqa: PLC0415

            wait()
        return typology_flow(
            [str(place) for place in places],
            str(asked.file),
            weight=asked.weight,
            settings=read_overrides(asked.set),
            names_from=None if asked.names_from is None else str(asked.names_from),
            runs=None if asked.runs is None else str(asked.runs),
        )


def show_typology(found: dict[str, Any]) -> None:
    """Print the types, the cities, and where the file is."""
    if "page" in found:
        _show_compared(found)
        return
    title = (
        f"Typology, version {found['version']}: {len(found['types'])} types of {len(found['cities'])} cities"
    )
    table = Table(title=title, title_justify="left")
    for name in ("type", "name", "colour", "segments", "km"):
        table.add_column(name, justify="left" if name in {"name", "colour"} else "right")
    for one in found["types"]:
        table.add_row(
            str(one["number"]), one["name"], one["colour"], f"{one['segments']:,}", f"{one['length_km']:,.1f}"
        )
    console = Console(soft_wrap=True)
    console.print(table)
    for one in found["cities"]:
        part = "" if one["kept"] == one["segments"] else f", of which {one['kept']:,} took part"
        line = f"{one['city']}: {one['segments']:,} segments, {one['length_km']:,.1f} km{part}"
        again = found.get("own_again", {}).get(one["city"])
        console.print(
            line if again is None else f"{line}; {again:.1%} are given the type that they were found in",
            markup=False,
        )
    sys.stdout.write(f"{found['file']}\n")


def file_of(found: dict[str, Any]) -> str:
    """Give the file that was written, or that is told of."""
    return str(found["geopackage"] if "page" in found else found["file"])


def _show_compared(found: dict[str, Any]) -> None:
    """Print the length of each type in each city, and where the page is."""
    names = [one["city"] for one in found["cities"]]
    table = Table(
        title=f"Length by type and city (km), typology of version {found['version']}", title_justify="left"
    )
    table.add_column("type")
    for name in names:
        table.add_column(name, justify="right")
    for number in dict.fromkeys(one["cluster"] for one in found["types_by_city"]):
        mine = {one["city"]: one for one in found["types_by_city"] if one["cluster"] == number}
        table.add_row(mine[names[0]]["name"], *(f"{mine[name]['length_km']:,.1f}" for name in names))
    table.add_row("like none", *(f"{one['like_none_km']:,.1f}" for one in found["cities"]))
    console = Console(soft_wrap=True)
    console.print(table)
    console.print(f"Page: {found['page']}", markup=False)
    sys.stdout.write(f"{found['geopackage']}\n")
