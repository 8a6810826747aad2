"""Files of records for tests: how they are written, and how their cells are looked at."""

import zipfile

import geopandas as gpd
import shapely

from geo.collisions.tables.reading import read_rows
from geo.collisions.tables.table import Form

TEXT = """id;when;lng;lat;road
1;2019-03-01;-1,50;52,40;Straße
2;2020-04-02;-1,51;52,41;Weg
3;2021-05-03;-1,52;52,42;Ring
"""
ROWS = [line.split(";") for line in TEXT.splitlines()]


def cells(source, **form):
    """Give the header and the rows of a table, as it was read."""
    frame = read_rows(str(source), Form(**form)).frame.drop(columns="_broken")
    return [list(frame.columns), *frame.to_numpy().tolist()]


def written(folder, name, data):
    path = folder / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(data if isinstance(data, bytes) else data.encode())
    return path


def zipped(path, members):
    with zipfile.ZipFile(path, "w") as archive:
        for name, data in members.items():
            archive.writestr(name, data)
    return path


def points(n=3, **columns):
    places = shapely.points([[-1.5 - i / 100, 52.4] for i in range(n)])
    return gpd.GeoDataFrame({"id": [f"k{i}" for i in range(n)], **columns}, geometry=places, crs=4326)
