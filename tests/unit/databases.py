"""Databases for tests, and a program that keeps one open, as QGIS does.

It is another process: within one, the SQLite of Python and that of GDAL do not see each other's locks.
"""

import sqlite3
import subprocess
import sys
from contextlib import closing

import geopandas as gpd
import pyogrio
import shapely
from rasters import CITY

HOLDING = []
_PROGRAM = """
import os, sqlite3, sys
connection = sqlite3.connect(sys.argv[1], isolation_level=None)
for line in sys.stdin:
    if line.strip() == "crash":
        os._exit(0)
    connection.execute(line).fetchall()
    print("done", flush=True)
connection.close()
"""


class Holder:
    """Holds a database in WAL mode; what it commits stays in the log until it lets go."""

    def __init__(self, path, *statements):
        command = [sys.executable, "-c", _PROGRAM, path]
        self._process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        HOLDING.append(self)
        self.run(
            "PRAGMA journal_mode=WAL", "PRAGMA wal_autocheckpoint=0", "SELECT count(*) FROM sqlite_master"
        )
        self.run(*statements)

    def run(self, *statements):
        for statement in statements:
            print(statement, file=self._process.stdin, flush=True)
            assert self._process.stdout.readline() == "done\n"

    def crash(self):
        """End without closing the database."""
        print("crash", file=self._process.stdin, flush=True)
        self._process.wait()

    def let_go(self):
        """Close the database: whoever does so last brings the log into the file."""
        self._process.stdin.close()
        self._process.wait()
        self._process.stdout.close()


def let_go():
    """End all that hold a database."""
    while HOLDING:
        HOLDING.pop().let_go()


def without_triggers(path):
    """Drop the triggers of a GeoPackage, which call functions that only GDAL and QGIS have."""
    with closing(sqlite3.connect(path)) as connection:
        for (name,) in connection.execute("SELECT name FROM sqlite_master WHERE type = 'trigger'").fetchall():
            connection.execute(f'DROP TRIGGER "{name}"')
        connection.commit()
    return path


def write_roads(folder):
    """Write four roads to a GeoPackage of a city's folder."""
    folder.mkdir(exist_ok=True)
    lines = [shapely.LineString([(i, 0), (i, 10)]) for i in range(4)]
    path = folder / "roads.gpkg"
    pyogrio.write_dataframe(gpd.GeoDataFrame({"name": list("abcd")}, geometry=lines, crs=CITY), path)
    return without_triggers(path)
