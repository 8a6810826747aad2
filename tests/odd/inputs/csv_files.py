"""CSV files, however they are laid out."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
from forms import RIGHT, Refused, Told, add
from making import csv, parted, records
from small_town import SmallTown


def sums(frame: pd.DataFrame, label: str) -> pd.DataFrame:
    """Add a row of sums, as a spreadsheet's."""
    last = {"id": label, "n_casualties": frame["n_casualties"].sum()}
    return pd.concat([frame.astype(object), pd.DataFrame([last]).astype(object)])


def _lacking(town: SmallTown, folder: Path) -> dict[str, object]:
    town.collisions.iloc[:120].to_csv(folder / "a.csv", index=False)
    town.collisions.iloc[120:].drop(columns="severity").to_csv(folder / "b.csv", index=False)
    return town.config(collisions=town.records("*.csv"))


def _turned(town: SmallTown, folder: Path) -> dict[str, object]:
    town.collisions.iloc[:120].to_csv(folder / "a.csv", index=False)
    town.collisions.iloc[120:, ::-1].to_csv(folder / "b.csv", index=False)
    return town.config(collisions=town.records("*.csv"))


def _unlike(town: SmallTown, folder: Path) -> dict[str, object]:
    town.collisions.iloc[:120].to_csv(folder / "a.csv", index=False)
    town.collisions.iloc[120:].to_csv(folder / "b.csv", index=False, sep=";")
    return town.config(collisions=town.records("*.csv"))


KIND = "CSV"


add(KIND, "semicolons", records(write=csv(sep=";")))
add(KIND, "tabs, called .csv", records(write=csv(sep="\t")))
add(KIND, "bars", records(write=csv(sep="|")))
add(
    KIND,
    "semicolons and decimal commas, decimal named",
    records(columns={"decimal": ","}, write=csv(sep=";", decimal=",")),
)
add(
    KIND,
    "semicolons and decimal commas, decimal not named",
    records(write=csv(sep=";", decimal=",")),
    RIGHT,
    Refused("decimal"),
)
add(
    KIND,
    "colons, delimiter named",
    records(lambda f: f.assign(date=f["date"].str[:10]), {"delimiter": ":"}, write=csv(sep=":")),
)
add(KIND, "carets, delimiter not named", records(write=csv(sep="^")), RIGHT, Refused("delimiter"))
add(KIND, "tildes, delimiter named", records(columns={"delimiter": "~"}, write=csv(sep="~")))
add(KIND, "the delimiter named wrongly", records(columns={"delimiter": ";"}), RIGHT, Refused("delimiter"))
add(
    KIND,
    "columns of fixed width",
    records(
        lambda f: f.drop(columns="road_name"),
        {"road_name": None},
        write=lambda f, p: p.write_text(f.to_string(index=False)),
    ),
    Refused("delimiter|column"),
    like="no names",
)
add(KIND, "a line sep=;", records(write=csv(sep=";", before="sep=;\n")))
add(KIND, 'a line "sep=,"', records(write=csv(before='"sep=,"\n')))
add(KIND, "a line sep=; and the mark of UTF-8", records(write=csv(sep=";", before="\ufeffsep=;\n")))
add(
    KIND,
    "three lines before the header",
    records(write=csv(before="Crashes of Smalltown\nSource: police\n\n")),
)
add(
    KIND,
    "three lines before the header, skip_lines",
    records(columns={"skip_lines": 3}, write=csv(before="Crashes of Smalltown\nSource: police\n\n")),
)
add(
    KIND,
    "lines before the header with as many commas",
    records(write=csv(before="Crashes,2019,2023" + "," * 11 + "\n\n")),
    RIGHT,
    Refused("skip_lines|column"),
)
add(KIND, "skip_lines that skip the header", records(columns={"skip_lines": 1}), Refused("skip_lines|column"))
add(KIND, "comments before the header", records(write=csv(before="# made 2024-02-01\n# by police\n")))
add(
    KIND,
    "a second header with units",
    records(lambda f: pd.concat([pd.DataFrame([dict.fromkeys(f, "[text]")]), f.astype(object)])),
    RIGHT,
    Told("cannot be read|no coordinates|not mapped"),
)
add(
    KIND,
    "the header again after each hundred rows",
    records(
        lambda f: pd.concat(
            [f.iloc[:100].astype(object), pd.DataFrame([{c: c for c in f}]), f.iloc[100:].astype(object)]
        )
    ),
    RIGHT,
    Told("cannot be read|no coordinates|header"),
)
add(KIND, "a total at the end", records(lambda f: sums(f, "Total")), Told("total|no coordinates|are no rows"))
add(KIND, "Gesamt at the end", records(lambda f: sums(f, "Gesamt")), Told("total|no coordinates|are no rows"))
add(
    KIND,
    "a total at the end, of one cell",
    records(write=csv(after="240 rows\n")),
    Told("number of fields|total|are no rows"),
)
add(
    KIND,
    "a note at the end",
    records(write=csv(after="\n\nSource: police of Smalltown, licence: open\n")),
    Told("number of fields|are no rows"),
)
add(
    KIND,
    "empty lines between rows",
    records(write=lambda f, p: p.write_text(f.to_csv(index=False).replace("\n", "\n\n"))),
)
add(
    KIND,
    "rows of commas alone at the end",
    records(write=csv(after=("," * 13 + "\n") * 40)),
    RIGHT,
    Told("empty|no coordinates"),
)
add(KIND, "lines that end as on an old Macintosh", records(write=csv(lineterminator="\r")))
add(KIND, "lines that end as on Windows", records(write=csv(lineterminator="\r\n")))
add(KIND, "every cell in quotes", records(write=csv(quoting=1)))
add(KIND, "cells in single quotes", records(lambda f: f.assign(road_name="'" + f["road_name"] + "'")), RIGHT)
add(
    KIND,
    "a comma at the end of each row",
    records(write=lambda f, p: p.write_text(f.to_csv(index=False).replace("\n", ",\n"))),
)
add(
    KIND,
    "a comma at the end of each row but the header's",
    records(
        write=lambda f, p: p.write_text(f.to_csv(index=False).replace("\n", ",\n").replace(",\n", "\n", 1))
    ),
    RIGHT,
    Refused("fields|header"),
)
add(KIND, "cells with line breaks", records(lambda f: f.assign(note="hit a\ncar, then\n\na wall")))
add(KIND, "cells with quotes", records(lambda f: f.assign(note='said "stop"; left')))
add(
    KIND,
    "quotes escaped by a backslash",
    records(lambda f: f.assign(note='said "stop", left'), write=csv(doublequote=False, escapechar="\\")),
    RIGHT,
    Told("number of fields"),
    Refused("number of cells"),
)
add(
    KIND,
    "one stray quote",
    records(
        lambda f: f.assign(note=np.where(f.index == 100, '"', "x")),
        write=lambda f, p: p.write_text(f.to_csv(index=False, quoting=3, quotechar="$")),
    ),
    RIGHT,
)
add(
    KIND,
    "a comma in one unquoted cell",
    records(write=lambda f, p: p.write_text(f.to_csv(index=False).replace("Mill Lane", "Mill, Lane", 1))),
    Told("number of fields", but=("collisions",)),
)
add(
    KIND,
    "spaces after the commas",
    records(write=lambda f, p: p.write_text(f.to_csv(index=False).replace(",", ", "))),
)
add(KIND, "spaces in the header", records(lambda f: f.rename(columns=lambda c: f" {c} ")))
add(KIND, "header in capitals", records(lambda f: f.rename(columns=str.upper)), RIGHT, Refused("column"))
add(KIND, "header in quotes with the mark of UTF-8", records(write=csv(before="\ufeff", quoting=1)))
add(KIND, "the mark of UTF-8 twice", records(write=csv(before="\ufeff\ufeff")), RIGHT, Refused("column"))
add(KIND, "no header", records(write=csv(header=False)), Refused("column"))
add(
    KIND,
    "two columns of one name",
    records(
        lambda f: f.assign(again=f["severity"].iloc[::-1].to_numpy()).rename(columns={"again": "severity"})
    ),
    Refused("more than one|twice"),
)
add(
    KIND,
    "two columns of one name that is not used",
    records(lambda f: f.assign(a=1, b=2).rename(columns={"b": "a"})),
)
add(KIND, "an index without a name first (pandas)", records(lambda f: f.reset_index(names="")))
add(
    KIND,
    "names of columns with line breaks",
    records(
        lambda f: f.rename(columns={"severity": "severity\n(police)"}), {"severity": "severity\n(police)"}
    ),
)
add(KIND, "ending .txt", records(name="collisions.txt", write=csv(sep="\t")))
add(KIND, "ending .CSV", records(name="COLLISIONS.CSV"))
add(KIND, "ending .dat", records(name="collisions.dat"))
add(KIND, "ending .asc", records(name="collisions.asc", write=csv(sep=";")))
add(KIND, "no ending", records(name="collisions"))
add(KIND, "ending .csv.txt", records(name="collisions.csv.txt"))
add(KIND, "of no rows", records(lambda f: f.iloc[:0]), Refused("no rows"))
add(KIND, "of no bytes", records(write=lambda _, p: p.write_bytes(b"")), Refused("no rows|empty"))
add(
    KIND, "of zero bytes alone", records(write=lambda _, p: p.write_bytes(bytes(4000))), Refused("collisions")
)
add(
    KIND,
    "a page of HTML called .csv",
    records(write=lambda f, p: p.write_text(f"<html><body>{f.to_html(index=False)}</body></html>")),
    Refused("column|HTML|web page"),
)
add(
    KIND,
    "a page of HTML called .xls",
    records(
        name="collisions.xls",
        write=lambda f, p: p.write_text(f"<html><body>{f.to_html(index=False)}</body></html>"),
    ),
    RIGHT,
    Refused("xls|HTML|column|read"),
)
add(
    KIND,
    "tabs called .xls",
    records(name="collisions.xls", write=csv(sep="\t")),
    RIGHT,
    Refused("read|column"),
)
add(
    KIND,
    "an error page of the portal",
    records(write=lambda _, p: p.write_text('{"error": true, "message": "Not found"}')),
    Refused("column|read|rows|records"),
)
add(
    KIND,
    "a pointer of Git LFS",
    records(
        write=lambda _, p: p.write_text(
            "version https://git-lfs.github.com/spec/v1\noid sha256:4d7a\nsize 12345\n"
        )
    ),
    Refused("column|LFS|pointer"),
)

KIND = "several files"


add(KIND, "a list", parted("a.csv", "b.csv", source=["a.csv", "b.csv"]))
add(KIND, "a glob", parted("a.csv", "b.csv", "c.csv", source="*.csv"))
add(KIND, "a glob over folders", parted("2019/a.csv", "2020/a.csv", source="*/a.csv"))
add(KIND, "a glob of two stars", parted("2019/a.csv", "2020/b.csv", source="**/*.csv"))
add(KIND, "a list that names one file twice", parted("a.csv", "b.csv", source=["a.csv", "b.csv", "a.csv"]))
add(KIND, "a list and a glob that find one file", parted("a.csv", "b.csv", source=["a.csv", "*.csv"]))
add(
    KIND,
    "a file that is not there",
    parted("a.csv", "b.csv", source=["a.csv", "b.csv", "c.csv"]),
    Refused("no such file"),
)
add(KIND, "a glob that finds nothing", parted("a.csv", source="*.tsv"), Refused("no such file|nothing"))
add(KIND, "a folder", parted("a.csv", source="."), RIGHT, Refused("folder|directory|no such file"))
add(
    KIND,
    "the file of one year lacks a column",
    _lacking,
    Refused("severity"),
)
add(KIND, "columns in another order in each file", _turned)
add(KIND, "one file of semicolons, one of commas", _unlike)
