"""Encodings and archives."""

from __future__ import annotations

import gzip
from pathlib import Path
from zipfile import ZIP_DEFLATED, ZipFile

import pandas as pd
from forms import RIGHT, Refused, Told, add
from making import Write, csv, points, records

BY_POINT: dict[str, object] = {"x": None, "y": None}
SHORT = {"n_casualties": "n_casualti", "motorcyclist": "motorcycli", "car_occupant": "car_occupa"}


def inside(archive: str, *names: str, write: Write | None = None) -> Write:
    """Write the table into a zip, with other files beside it where several names are given."""

    def zipped(frame: pd.DataFrame, path: Path) -> None:
        (write or csv())(frame, path.parent / names[0])
        with ZipFile(path.parent / archive, "w", ZIP_DEFLATED) as file:
            file.write(path.parent / names[0], names[0])
            for other in names[1:]:
                file.writestr(other, "about,these data\n1,2\n")
        (path.parent / names[0]).unlink()

    return zipped


def gzipped(frame: pd.DataFrame, path: Path) -> None:
    path.write_bytes(gzip.compress(frame.to_csv(index=False).encode()))


def _in_folder(frame: pd.DataFrame, path: Path) -> None:
    with ZipFile(path, "w") as file:
        file.writestr("data/2023/collisions.csv", frame.to_csv(index=False))


def _shape_zip(frame: pd.DataFrame, path: Path) -> None:
    folder = path.parent / "shape"
    folder.mkdir(exist_ok=True)
    short = frame.rename(
        columns={"n_casualties": "n_casualti", "motorcyclist": "motorcycli", "car_occupant": "car_occupa"}
    )
    points("ESRI Shapefile", encoding="utf-8")(short.rename(columns={}), folder / "crash.shp")
    with ZipFile(path, "w") as file:
        for part in sorted(folder.iterdir()):
            file.write(part, part.name)


def short(frame: pd.DataFrame) -> pd.DataFrame:
    """Cut names to ten letters, as a dBase file does."""
    return frame.rename(columns={c: c[:10] for c in frame})


KIND = "encodings"
for encoding in ("utf-16", "utf-16-le", "utf-16-be"):
    add(
        KIND,
        f"{encoding} with its mark",
        records(
            write=lambda f, p, e=encoding: p.write_bytes(
                ("" if e == "utf-16" else "\ufeff").encode(e) + f.to_csv(index=False).encode(e)
            )
        ),
    )
add(
    KIND,
    "utf-16 with tabs (Excel's Unicode text)",
    records(name="collisions.txt", write=csv(encoding="utf-16", sep="\t")),
)
add(KIND, "utf-16 without a mark", records(write=csv(encoding="utf-16-le")), RIGHT, Refused("encoding"))
add(KIND, "utf-16, named", records(columns={"encoding": "utf-16"}, write=csv(encoding="utf-16")))
add(KIND, "utf-32", records(write=csv(encoding="utf-32")), RIGHT, Refused("encoding"))
add(KIND, "utf-8 with its mark", records(write=csv(encoding="utf-8-sig")))
add(KIND, "latin-1, named", records(columns={"encoding": "latin-1"}, write=csv(encoding="latin-1")))
add(KIND, "latin-1, not named", records(write=csv(encoding="latin-1")), RIGHT, Refused("encoding"))
add(KIND, "cp1252, named", records(columns={"encoding": "cp1252"}, write=csv(encoding="cp1252")))
add(
    KIND,
    "cp850 of DOS, not named",
    records(write=csv(encoding="cp850", errors="replace")) if False else records(write=csv(encoding="cp850")),
    RIGHT,
    Refused("encoding"),
)
add(
    KIND,
    "utf-8, latin-1 named",
    records(columns={"encoding": "latin-1"}),
    RIGHT,
    Refused("encoding"),
    Told("encoding|utf-8", wrong=("place",)),
)
add(
    KIND,
    "Shift JIS, named",
    records(
        lambda f: f.assign(road_name=None, note="交差点"),
        {"encoding": "shift_jis"},
        write=csv(encoding="shift_jis"),
    ),
    place="japan",
    like="no names",
)
add(
    KIND,
    "Shift JIS, not named",
    records(lambda f: f.assign(road_name=None, note="交差点"), write=csv(encoding="shift_jis")),
    RIGHT,
    Refused("encoding"),
    place="japan",
    like="no names",
)
add(
    KIND,
    "utf-8 read as latin-1 and written again",
    records(lambda f: f.assign(road_name=[n.encode().decode("latin-1") for n in f["road_name"]])),
    RIGHT,
    Told("road name|encoding|Ã", wrong=("place",)),
    Refused("Ã"),
)
add(
    KIND,
    "one byte that is no utf-8",
    records(
        write=lambda f, p: p.write_bytes(
            f.to_csv(index=False).encode().replace("Königstraße".encode(), b"K\xf6nigstra\xdfe", 1)
        )
    ),
    Refused("encoding"),
)
add(KIND, "accents in two pieces", records(lambda f: f.assign(road_name=f["road_name"].str.normalize("NFD"))))
add(KIND, "curly apostrophes", records(lambda f: f.assign(road_name=f["road_name"].str.replace("'", "’"))))
add(
    KIND,
    "zero-width spaces in the header",
    records(lambda f: f.rename(columns={"id": "\u200bid"})),
    RIGHT,
    Refused("column"),
)
add(KIND, "an encoding that is none", records(columns={"encoding": "utf-9"}), Refused("encoding"))

KIND = "archives"
add(KIND, "csv.gz", records(name="collisions.csv.gz", write=gzipped))
add(KIND, "gzip called .csv", records(write=gzipped), RIGHT, Refused("gzip|gz"))
add(KIND, "csv called .gz", records(name="collisions.csv.gz"), RIGHT, Refused("gzip|gz"))
add(
    KIND,
    "gzip cut short",
    records(
        name="collisions.csv.gz",
        write=lambda f, p: p.write_bytes(gzip.compress(f.to_csv(index=False).encode())[:-200]),
    ),
    Refused("cut short|damaged|gz|read"),
)
add(
    KIND, "zip of one table", records(name="collisions.zip", write=inside("collisions.zip", "collisions.csv"))
)
add(KIND, "zip in a folder of the zip", records(name="collisions.zip", write=_in_folder))
add(
    KIND,
    "zip of several tables",
    records(name="collisions.zip", write=inside("collisions.zip", "collisions.csv", "vehicles.csv")),
    Refused("vehicles.csv"),
)
add(
    KIND,
    "zip with a read-me beside",
    records(name="collisions.zip", write=inside("collisions.zip", "collisions.csv", "readme.txt")),
    RIGHT,
    Refused("readme.txt"),
)
add(
    KIND,
    "zip made on a Macintosh",
    records(
        name="collisions.zip", write=inside("collisions.zip", "collisions.csv", "__MACOSX/._collisions.csv")
    ),
    RIGHT,
)
add(
    KIND,
    "zip of a shapefile",
    records(columns=BY_POINT | SHORT, name="crash.zip", write=_shape_zip),
)
add(
    KIND,
    "bz2",
    records(name="collisions.csv.bz2", write=lambda f, p: f.to_csv(p, index=False)),
    RIGHT,
    Refused("bz2|read"),
)
add(
    KIND,
    "xz",
    records(name="collisions.csv.xz", write=lambda f, p: f.to_csv(p, index=False)),
    RIGHT,
    Refused("xz|read"),
)
add(
    KIND,
    "7z",
    records(name="collisions.7z", write=lambda _, p: p.write_bytes(b"7z\xbc\xaf\x27\x1c" + bytes(60))),
    Refused("7z|read"),
)
