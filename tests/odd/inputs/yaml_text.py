"""A city's file as people write it."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import yaml
from forms import RIGHT, Make, Refused, Told, add
from making import cells
from small_town import SmallTown

KIND = "YAML"
CODES = {"fatal": "1", "serious": "2", "slight": "3"}


def said(*changes: tuple[str, str], codes: bool = False) -> Make:
    """Write the right file as text, some of which is replaced; with codes, severities are numbers."""

    def make(town: SmallTown, folder: Path) -> str:
        frame = town.collisions
        if codes:
            frame = cells("severity", lambda s: s.map(CODES))(frame)
        frame.assign(year=frame["date"].str[:4]).to_csv(folder / "collisions.csv", index=False)
        (folder / "town.tif").unlink(missing_ok=True)
        (folder / "town.tif").symlink_to(town.folder / "town.tif")
        (folder / "roads.gpkg").unlink(missing_ok=True)
        (folder / "roads.gpkg").symlink_to(town.folder / "roads.gpkg")
        config = town.config(
            imagery={"sources": ["town.tif"]},
            roads={"source": "roads.gpkg"},
            collisions=town.records("collisions.csv"),
        )
        text = yaml.safe_dump(config, sort_keys=False, allow_unicode=True)
        if codes:
            text = text.replace("- fatal", "- '1'").replace("- serious", "- '2'").replace("- slight", "- '3'")
        for before, after in changes:
            assert before in text, f"{before!r} is not in\n{text}"
            text = text.replace(before, after)
        return text

    return make


def keys(change: Callable[[dict], None]) -> Make:
    """Write the right file with keys that were changed."""

    def make(town: SmallTown, folder: Path) -> dict[str, object]:
        town.collisions.assign(year=town.collisions["date"].str[:4]).to_csv(
            folder / "collisions.csv", index=False
        )
        config = town.config(collisions=town.records("collisions.csv"))
        change(config)
        return config

    return make


CITY = "city: small-town"


def _numbered(config: dict) -> None:
    config["collisions"]["columns"]["severity"] = 7


def _as_json(town: SmallTown, _: Path) -> str:
    return json.dumps(town.config(), indent=2)


add(KIND, "severity codes unquoted", said(("'1'", "1"), ("'2'", "2"), ("'3'", "3"), codes=True))
add(
    KIND,
    "severity codes with leading zeros, unquoted",
    said(("'1'", "01"), ("'2'", "02"), ("'3'", "03"), codes=True),
    RIGHT,
    Refused("severity_values"),
    Told("not mapped", but=("severity",), lost=("severities",)),
)
add(KIND, "severity codes as 1.0", said(("'1'", "1.0"), ("'2'", "2.0"), ("'3'", "3.0"), codes=True))
add(
    KIND,
    "severity codes alone, no list",
    said(("\n    - '1'", " 1"), ("\n    - '2'", " 2"), ("\n    - '3'", " 3"), codes=True),
)
add(
    KIND,
    "lists in brackets",
    said(("\n    - fatal", " [fatal]"), ("\n    - serious", " [serious]"), ("\n    - slight", " [slight]")),
)
add(KIND, "crs as a number", said(("crs: EPSG:27700", "crs: 27700")))
add(KIND, "crs in quotes", said(("crs: EPSG:27700", "crs: 'EPSG:27700'")))
add(KIND, "crs with a space", said(("crs: EPSG:27700", "crs: 'EPSG: 27700'")), RIGHT, Refused("crs"))
add(
    KIND,
    "period unquoted",
    said(("  schema: columns", "  schema: columns\n  period: [2019-01-01, 2023-12-31]")),
)
add(
    KIND,
    "period of years",
    said(("  schema: columns", "  schema: columns\n  period: [2019, 2023]")),
    RIGHT,
    Refused("period"),
)
add(
    KIND,
    "period of one year",
    said(("  schema: columns", "  schema: columns\n  period: 2021")),
    Told("outside the period", but=("collisions", "period", "years", "users", "severities")),
    Refused("period"),
)
add(
    KIND,
    "period of months",
    said(("  schema: columns", "  schema: columns\n  period: [2019-01, 2023-12]")),
    RIGHT,
    Refused("period"),
)
add(
    KIND,
    "period of European dates",
    said(("  schema: columns", "  schema: columns\n  period: [01.01.2019, 31.12.2023]")),
    RIGHT,
    Refused("period"),
)
add(
    KIND,
    "period of British dates",
    said(("  schema: columns", "  schema: columns\n  period: ['01/01/2019', '31/12/2023']")),
    RIGHT,
    Refused("period"),
)
add(
    KIND,
    "period that no calendar has",
    said(("  schema: columns", "  schema: columns\n  period: [2019-01-01, 2023-02-30]")),
    Refused("period"),
)
add(
    KIND,
    "period turned round",
    said(("  schema: columns", "  schema: columns\n  period: [2023-12-31, 2019-01-01]")),
    Refused("period"),
)
add(
    KIND,
    "period of another time",
    said(("  schema: columns", "  schema: columns\n  period: [2009-01-01, 2013-12-31]")),
    Refused("period"),
)
add(KIND, "a city with spaces", said((CITY, "city: Small Town")))
add(KIND, "a city with umlauts", said((CITY, "city: Größenwörth")))
add(KIND, "a city in Japanese", said((CITY, "city: 小さな町")))
add(KIND, "a city with a slash", said((CITY, "city: Small/Town")), RIGHT, Refused("city"))
add(KIND, "a city of dots", said((CITY, "city: ..")), Refused("city"), RIGHT)
add(KIND, "a city that is a number", said((CITY, "city: 2024")))
add(KIND, "a city called No", said((CITY, "city: No")))
add(KIND, "a city called null", said((CITY, "city: null")), RIGHT, Refused("city"))
add(KIND, "no city", said((CITY + "\n", "")), Refused("city"))
add(KIND, "tabs for spaces", said(("\n  source: roads.gpkg", "\n\tsource: roads.gpkg")), Refused("YAML|tab"))
add(KIND, "a key that stands twice", said((CITY, CITY + "\ncity: other")), Refused("twice"))
add(KIND, "a key misspelt", said(("severity_values:", "severity_value:")), Refused("severity_value"))
add(KIND, "a key in capitals", said(("roads:", "Roads:")), RIGHT, Refused("Roads"))
add(
    KIND,
    "a key with dashes",
    said(("severity_values:", "severity-values:")),
    RIGHT,
    Refused("severity-values"),
)
add(
    KIND,
    "a key in the wrong section",
    said(("  source: roads.gpkg", "  source: roads.gpkg\n  tile_m: 100")),
    Refused("tile_m"),
)
add(
    KIND,
    "source in place of sources",
    said(("imagery:\n  sources:\n  - town.tif", "imagery:\n  source: town.tif")),
    Refused("imagery.source"),
    RIGHT,
)
add(KIND, "one source without a list", said(("sources:\n  - town.tif", "sources: town.tif")))
add(KIND, "a column that is a number and is not there", keys(_numbered), Refused("'7'"))
add(KIND, "a column called y", said(("    y: lat", "    y: y")), Refused("'y'"))
add(
    KIND,
    "a column called n",
    keys(lambda c: c["collisions"]["columns"].update(n_casualties="n")),
    Refused("'n'"),
)
add(KIND, "a column called 'No', unquoted", said(("    id: id", "    id: No")), Refused("'No'"))
add(
    KIND, "yes and no in keep", said(("  schema: columns", "  schema: columns\n  keep: {pedestrian: [1, 0]}"))
)
add(
    KIND,
    "keep: no unquoted",
    said(("  schema: columns", "  schema: columns\n  keep: {pedestrian: no}")),
    Refused("keep"),
)
add(
    KIND,
    "keep that matches nothing",
    said(("  schema: columns", "  schema: columns\n  keep: {severity: [Fatal accident]}")),
    Refused("keep"),
)
add(
    KIND,
    "keep with one value that matches nothing",
    said(("  schema: columns", "  schema: columns\n  keep: {severity: [fatal, serious, slight, sleight]}")),
    Told("sleight"),
    Refused("sleight"),
)
add(
    KIND,
    "keep of a column that is not there",
    said(("  schema: columns", "  schema: columns\n  keep: {country: [England]}")),
    Refused("country"),
)
add(
    KIND,
    "keep of a number, unquoted",
    said(("  schema: columns", "  schema: columns\n  keep: {year: [2019, 2020, 2021, 2022, 2023]}")),
)
add(
    KIND,
    "keep of one value, no list",
    said(("  schema: columns", "  schema: columns\n  keep: {at_junction: false}")),
    Told("left out|keep|excluded", but=("collisions", "period", "years")),
)
add(
    KIND,
    "a number with a comma",
    said(("clusters:\n  k: 3", "clusters:\n  k: 3\ntiles:\n  tile_m: 100,0")),
    RIGHT,
    Refused("tile_m"),
)
add(
    KIND,
    "a number with a unit",
    said(("clusters:\n  k: 3", "clusters:\n  k: 3\ntiles:\n  tile_m: 100 m")),
    RIGHT,
    Refused("tile_m"),
)
add(
    KIND,
    "a number with an underscore",
    said(("clusters:\n  k: 3", "clusters:\n  k: 3\ntiles:\n  tile_m: 1_00")),
    RIGHT,
    Refused("tile_m"),
)
add(
    KIND,
    "a number in octal",
    said(("clusters:\n  k: 3", "clusters:\n  k: 3\ntiles:\n  tile_m: 0100")),
    RIGHT,
    Refused("tile_m"),
)
add(
    KIND,
    "times of day as base sixty",
    said(("clusters:\n  k: 3", "clusters:\n  k: 3\ntiles:\n  tile_m: 1:40")),
    Refused("tile_m"),
    RIGHT,
)
add(KIND, "numbers as text", said(("clusters:\n  k: 3", "clusters:\n  k: '3'")), RIGHT, Refused("clusters.k"))
add(
    KIND,
    "empty sections",
    said(("clusters:\n  k: 3", "clusters:\ntiles:\nexposure:")),
    RIGHT,
    Refused("clusters|tiles|exposure"),
)
add(
    KIND,
    "an empty list of collisions' sources",
    said(("  sources:\n  - collisions.csv", "  sources: []")),
    Told("no collision records", but=("collisions", "severities", "users", "period", "years")),
)
add(
    KIND,
    "no collisions at all",
    keys(lambda c: c.pop("collisions")),
    Told("no collision records", but=("collisions", "severities", "users", "period", "years")),
)
add(
    KIND,
    "paths of Windows",
    said(("source: roads.gpkg", "source: .\\roads.gpkg")),
    RIGHT,
    Refused("no such file|backslash|roads.gpkg"),
)
add(
    KIND,
    "paths of Windows in double quotes",
    said(("source: roads.gpkg", 'source: "data\\roads.gpkg"')),
    Refused("YAML|no such file|roads.gpkg|oads.gpkg"),
)
add(
    KIND,
    "paths with a variable that is not set",
    said(("source: roads.gpkg", "source: ${ODD_NOWHERE}/roads.gpkg")),
    Refused("ODD_NOWHERE"),
)
add(KIND, "the mark of utf-8 first", said((CITY, "\ufeff" + CITY)))
add(KIND, "--- and ... about it", said((CITY, "---\n" + CITY)))
add(KIND, "two documents", said((CITY, CITY + "\n---\nother: 1")), Refused("YAML|document"))
add(KIND, "comments with #", said((CITY, CITY + " # a small town")))
add(KIND, "a list at the top", lambda *_: "- city: x\n", Refused("mapping|imagery: it is missing"))
add(KIND, "JSON", _as_json)
add(KIND, "nothing", lambda *_: "", Refused("mapping|imagery: it is missing"))
add(KIND, "anchors and aliases", said(("clusters:\n  k: 3", "clusters: &more\n  k: 3")))
add(KIND, "an alias within itself", lambda *_: "city: &a [*a]\n", Refused("YAML|city"))
add(KIND, "a tag of Python", lambda *_: "city: !!python/object/apply:os.getcwd []\n", Refused("YAML"))
add(
    KIND,
    "severity_values turned inside out",
    said(("    fatal:\n    - fatal", "    fatal:\n      fatal: 1")),
    Refused("severity_values"),
)
add(KIND, "severities in capitals", said(("    fatal:\n", "    Fatal:\n")), RIGHT, Refused("Fatal"))
add(KIND, "the schema misspelt", said(("schema: columns", "schema: column")), Refused("schema"))
add(KIND, "columns without the schema", said(("  schema: columns\n", "")), RIGHT, Refused("schema|columns"))
add(
    KIND,
    "a column named twice",
    said(("    y: lat", "    y: lon")),
    Refused(r"columns\.(x|y)|one column|could be placed"),
    Told("one column"),
)
