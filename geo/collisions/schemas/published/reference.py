"""The page on records, written from the schemas: ``python -m geo.collisions.schemas.published.reference``."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from typing import NamedTuple

from geo.collisions.schemas.published.known import PRESETS
from geo.collisions.schemas.published.preset import OneOf, Preset


class About(NamedTuple):
    """What the page says of a schema: what its table is called, who published names and codes, and what to know."""

    title: str
    source: str
    note: str


HEAD = """# Collision records

What a row must be, the tables that are read by name, and the keys that read any other. This page is written by
`python -m geo.collisions.schemas.published.reference > docs/records.md`; every key stands in
[a city's file](city-file.md).

## What a row is

A row is a collision. Rows that share id, day and place are brought together to one, with the worst severity and
every road user of them, so that a table of persons or vehicles may be given as it is published: `collisions.rows` says
what its rows are where that stays open. Ids that start anew each year or file are told apart by these; where neither
does, `collisions.repeated_ids` decides, and else the records are refused.

A collision needs a place. Its severity, its day and its road users may be unknown: unknown is not none, and what could
not be read is told with its values, in `check` as in the ledger. What records call involved differs: of STATS19, BAAC,
FARS and New York a road user counts when one was hurt, of the other tables when one took part.

## What a file may be

Delimited text, workbooks (.xlsx, .xls, .xlsb, .ods), JSON (records, GeoJSON, answers of ArcGIS, Socrata and
CKAN), Parquet, and what GDAL reads: GeoPackage, Shapefile, FileGDB, FlatGeobuf; also packed (.gz, .bz2, .xz,
.zip). What a file is, its content says, not its ending. `collisions.sources` takes lists and globs, and what
lies within a file may be named after it: `crashes.zip/2019*.csv`, `crashes.gpkg/points`, `crashes.xlsx/Sheet1`.
Of several layers, sheets or members with rows none is chosen: the refusal lists them, and `collisions.layer` or
`.sheet` names one or several.

UTF-8, and UTF-16 and UTF-32 by their marks, are found out; any other encoding is named in `columns.encoding`,
and what cannot be text in it is refused with what its words would be in others. Titles above a header (or
`columns.skip_lines`), totals, notes and empty lines are left out, and the ledger counts them as `lines`. An
answer that a server cut at its limit is refused unless its other parts are among the sources.

## Columns that are carried

`collisions.carry: [hour, light_conditions, weather_conditions, speed_limit, junction_detail]` takes these columns over
into the layer `collisions` as `src_<column>`, to filter by; nothing is counted or compared anew for another choice.
Cells are what the file says, an empty one is null; a column becomes one of numbers where all its cells are such and
nothing is lost by it (`01` stays text). Case does not matter. A column that no file has is refused with those that
there are; where some files lack it, their rows are null, and told. Where rows of one collision differ, all values stand
there, by semicolons. Of STATS19 codes become the DfT's words (`Darkness - lights lit`; a code that it does
not list stays, and is told), -1 and a speed limit of 99 are null, and `hour` is that of `time`.

## Tables that are read by name

`collisions.schema` names them. Columns are found under all names that they have had, whatever their case; a file that
lacks one is refused with its name, and with the schema that its header is of. `collisions.columns` may set single keys
over those of the schema:

```yaml
collisions:
  sources: [Unfallorte*_LinRef.csv]
  schema: unfallatlas
```
"""
LINKED = {
    "stats19": About(
        title="Great Britain, STATS19",
        source="Department for Transport, 'Road safety open data guide' (2024)",
        note="`casualties` and `vehicles` name the linked tables, which tell road users. Both generations of names are "
        "read, and codes that are spelled out.",
    ),
    "baac": About(
        title="France, Bulletins d'analyse des accidents corporels (BAAC)",
        source="Observatoire national interministériel de la sécurité routière (ONISR), 'Description des bases de "
        "données annuelles des accidents corporels de la circulation routière', data.gouv.fr",
        note="`sources` are the tables `caracteristiques`; `casualties` names `usagers`, without which no severity is "
        "known, `vehicles` `vehicules`, which tell road users, `places` `lieux`, which tell the numbers of roads. "
        "serious is more than 24 hours in hospital, and since 2018 recorded in another way than before.",
    ),
    "fars": About(
        title="United States, Fatality Analysis Reporting System (FARS)",
        source="National Highway Traffic Safety Administration, 'FARS Analytical User's Manual' (DOT HS 812 447)",
        note="`sources` are `accident.csv` of each year, `casualties` `person.csv`, which tells road users. Fatal "
        "collisions alone: KSI is not known.",
    ),
}
"""The schemas with linked tables."""
TAIL = """
## Any other table

`collisions.schema: columns` reads it by a mapping:

```yaml
collisions:
  sources: [crashes.csv]
  schema: columns
  columns: {id: case, date: day, x: lon, y: lat, severity: harm, cyclist: {column: kind, values: [bike]}}
  severity_values: {fatal: [killed], serious: [hospital], slight: [hurt], none: [damage]}
```

| of | keys |
|---|---|
| id | `id`, one column or several that make it together: `[year, number]` |
| time | `date`, `date_format`, `time_zone`; or `year`, `month`, `day` |
| place | `x`, `y`, `crs`, `decimal`; or `point`; or the geometry of the file |
| severity | `severity` with `severity_values` or `severity_scheme`; or `fatal`, `serious`, `slight`: people hurt |
| road users | `pedestrian`, `cyclist`, `motorcyclist`, `car_occupant`: a flag, a count, or `{column, values}` |
| road | `road_name`, `road_ref`, `road_class`: where two roads are equally near, what the record names decides |
| the file | `delimiter`, `encoding`, `skip_lines`; `collisions.layer`, `.sheet` |
"""
USERS = {
    "pedestrian": "pedestrians",
    "cyclist": "cyclists",
    "motorcyclist": "motorcyclists",
    "car_occupant": "cars",
}


def reference() -> str:
    """Write the page, in Markdown."""
    return HEAD + "".join(_linked()) + "".join(_ready()) + TAIL


def _linked() -> Iterator[str]:
    for schema, of in LINKED.items():
        yield f"\n### `{schema}`\n\n{of.title}. {of.note}\nNames and codes: {of.source}.\n"


def _ready() -> Iterator[str]:
    for schema, preset in PRESETS.items():
        yield f"\n### `{schema}`\n\n{preset.title}. {preset.note}\nNames and codes: {preset.source}.\n"
        yield "\n| what | columns |\n|---|---|\n"
        for what, columns in _columns(preset):
            yield f"| {what} | {columns} |\n"


def _columns(preset: Preset) -> Iterator[tuple[str, str]]:
    """Give what a preset reads, and the names of the columns that tell it."""
    for key, names in preset.names.items():
        yield key.replace("_", " "), _named(names, " or ")
    for place in preset.places:
        degrees = ", or in degrees" if place.or_degrees else ""
        yield f"place ({place.crs}{degrees})", f"{_named(place.x, ' or ')}, {_named(place.y, ' or ')}"
    for key, names in preset.sums.items():
        yield key.replace("_", " "), _named(names, " + ")
    for user, of in preset.users.items():
        told = (
            f"{_named(of.column, ' or ')}: {', '.join(of.values)}"
            if isinstance(of, OneOf)
            else _named(of, " + ")
        )
        yield USERS[user], told
    if preset.scheme is not None:
        codes = [f"{name}: {', '.join(values)}" for name, values in preset.scheme.codes.items() if values]
        none = [f"no injury: {', '.join(preset.scheme.no_injury)}"] if preset.scheme.no_injury else []
        yield "codes of severity", "; ".join(codes + none)


def _named(names: tuple[str, ...], between: str) -> str:
    return between.join(f"`{name}`" for name in names)


if __name__ == "__main__":
    sys.stdout.write(reference())
