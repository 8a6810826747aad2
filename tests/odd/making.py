"""What odd inputs are written with."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from pathlib import Path
from xml.sax.saxutils import escape
from zipfile import ZipFile

import geopandas as gpd
import numpy as np
import pandas as pd
from forms import Make
from small_town import SmallTown

Change = Callable[[pd.DataFrame], pd.DataFrame]
Write = Callable[[pd.DataFrame, Path], None]


def records(
    change: Change | None = None,
    columns: dict[str, object] | None = None,
    *,
    name: str = "collisions.csv",
    write: Write | None = None,
    sources: str | list[str] | None = None,
    people: bool = False,
    section: dict[str, object] | None = None,
    **keys: object,
) -> Make:
    """Make a city whose table of collisions was changed, written otherwise, or is read with other keys.

    Parameters
    ----------
    change
        Turns the right table into the odd one.
    columns
        Columns that are mapped otherwise; None: not mapped.
    name, write
        The file, and how it is written.
    sources
        What the city's file names; default: the file.
    people
        Whether rows are persons.
    section
        Other sections of the city's file.
    keys
        Keys of the section on collisions.
    """

    def make(town: SmallTown, folder: Path) -> dict[str, object]:
        frame = (town.people if people else town.collisions).copy()
        frame = frame if change is None else change(frame)
        (write or csv())(frame, folder / name)
        return town.config(collisions=town.records(sources or name, columns, **keys), **(section or {}))

    return make


def parted(*names: str, source: str | list[str]) -> Make:
    """Write records parted among several CSV files, which `source` names."""

    def make(town: SmallTown, folder: Path) -> dict[str, object]:
        for i, name in enumerate(names):
            part = town.collisions.iloc[i :: len(names)]
            (folder / name).parent.mkdir(exist_ok=True)
            part.to_csv(folder / name, index=False)
        return town.config(collisions=town.records(source))

    return make


def cells(column: str, turn: Callable[[pd.Series], pd.Series], *, into: str | None = None) -> Change:
    """Write the cells of a column otherwise."""
    return lambda frame: frame.assign(**{into or column: turn(frame[column])})


def moments(form: str | Callable[[pd.Timestamp], object]) -> Change:
    """Write the dates otherwise."""
    turn = (lambda moment: moment.strftime(form)) if isinstance(form, str) else form
    return lambda frame: frame.assign(date=[turn(moment) for moment in pd.to_datetime(frame["date"])])


def csv(*, before: str = "", after: str = "", encoding: str = "utf-8", **options: object) -> Write:
    """Write a CSV, with lines before the header and after the last row."""

    def write(frame: pd.DataFrame, path: Path) -> None:
        text = frame.to_csv(index=False, **options)
        path.write_bytes((before + text + after).encode(encoding))

    return write


def points(driver: str, *, crs: int | None = None, layers: tuple[str, ...] = (), **options: object) -> Write:
    """Write points with GDAL, in degrees unless a CRS is given; the rows parted among layers where these are named."""

    def write(frame: pd.DataFrame, path: Path) -> None:
        table = frame.drop(columns=["lon", "lat"])
        located = gpd.GeoDataFrame(table, geometry=gpd.points_from_xy(frame["lon"], frame["lat"]), crs=4326)
        located = located if crs is None else located.to_crs(crs)
        for i, layer in enumerate(layers or (None,)):
            part = located.iloc[np.arange(len(located)) % max(len(layers), 1) == i]
            with warnings.catch_warnings(action="ignore"):
                part.to_file(path, driver=driver, **({"layer": layer} if layer else {}), **options)

    return write


def workbook(sheets: dict[str, pd.DataFrame], path: Path, *, before: tuple[str, ...] = ()) -> None:
    """Write a workbook as spreadsheets do: numbers as numbers, text inline, lines before each header."""
    kinds = "http://schemas.openxmlformats.org"
    main, office = f"{kinds}/spreadsheetml/2006/main", f"{kinds}/officeDocument/2006/relationships"
    parts = "application/vnd.openxmlformats-officedocument.spreadsheetml"
    names = [f"xl/worksheets/sheet{i}.xml" for i in range(1, len(sheets) + 1)]
    types = "".join(f'<Override PartName="/{name}" ContentType="{parts}.worksheet+xml"/>' for name in names)
    with ZipFile(path, "w") as file:
        file.writestr(
            "[Content_Types].xml",
            f'<Types xmlns="{kinds}/package/2006/content-types">'
            '<Default Extension="rels" ContentType="application/vnd.openxmlformats-package.relationships+xml"/>'
            f'<Override PartName="/xl/workbook.xml" ContentType="{parts}.sheet.main+xml"/>{types}</Types>',
        )
        file.writestr("_rels/.rels", _relations(kinds, {"officeDocument": ["xl/workbook.xml"]}))
        file.writestr("xl/_rels/workbook.xml.rels", _relations(kinds, {"worksheet": [n[3:] for n in names]}))
        listed = "".join(
            f'<sheet name="{escape(name)}" sheetId="{i}" r:id="r{i}"/>' for i, name in enumerate(sheets, 1)
        )
        file.writestr(
            "xl/workbook.xml",
            f'<workbook xmlns="{main}" xmlns:r="{office}"><sheets>{listed}</sheets></workbook>',
        )
        for name, frame in zip(names, sheets.values(), strict=True):
            rows = [[line] for line in before] + [list(frame.columns), *frame.to_numpy(dtype=object).tolist()]
            lines = "".join(f'<row r="{r}">{_row(r, row)}</row>' for r, row in enumerate(rows, 1))
            file.writestr(name, f'<worksheet xmlns="{main}"><sheetData>{lines}</sheetData></worksheet>')


def _relations(kinds: str, of: dict[str, list[str]]) -> str:
    listed = "".join(
        f'<Relationship Id="r{i}" Type="{kinds}/officeDocument/2006/relationships/{kind}" Target="{target}"/>'
        for kind, targets in of.items()
        for i, target in enumerate(targets, 1)
    )
    return f'<Relationships xmlns="{kinds}/package/2006/relationships">{listed}</Relationships>'


def _row(number: int, row: list[object]) -> str:
    return "".join(
        f'<c r="{_letters(i)}{number}"><v>{value}</v></c>'
        if isinstance(value, int | float)
        else f'<c r="{_letters(i)}{number}" t="inlineStr"><is><t>{escape(str(value))}</t></is></c>'
        for i, value in enumerate(row)
        if value is not None and value == value  # noqa: PLR0124 - NaN is an empty cell
    )


def _letters(i: int) -> str:
    return chr(65 + i) if i < 26 else chr(64 + i // 26) + chr(65 + i % 26)
