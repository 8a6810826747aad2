"""Tables on disk: declared columns, held against them when a stage writes one, as Parquet or GeoParquet."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely

from geo.outputs.layers.declare import Column, Geometry, Kind

if TYPE_CHECKING:
    from pandera.pandas import DataFrameSchema

_TYPES = pd.api.types
_INFERRED: dict[Kind, set[str]] = {"text": {"string"}, "blob": {"bytes"}}
"""What pandas finds in columns of objects."""
_EMPTY: dict[Kind, str] = {"text": "string", "integer": "Int64", "real": "float64", "boolean": "boolean"}
COVERING = "bbox"
"""GeoParquet 1.1's covering: the box of each geometry, by which readers pass over rows. A table with geometry may have
it, whatever else is declared, for it says nothing that the geometry does not; geopandas hides it, other readers not."""
_BOX = {"xmin", "ymin", "xmax", "ymax"}


@dataclass(frozen=True, slots=True)
class Table:
    """A table that a stage writes.

    Attributes
    ----------
    name
        Of its file, without the ending.
    meaning
        What its rows are.
    columns
        That it has, in any order; one that is optional may be missing.
    geometry
        Type of the geometry of its rows, flat and in the city's CRS; None: a table without places.
    located
        Whether every row has a geometry, which is not empty.
    key
        Columns whose values name each row once, and are never null.
    more
        What other columns are, where there may be some; empty: there are none.
    layer
        The layer that it is, as it is.
    joins
        The layer that its columns are joined to, by its key.
    part
        Whether it is a part of a layer that is put together of several.
    """

    name: str
    meaning: str
    columns: tuple[Column, ...]
    geometry: Geometry | None = None
    located: bool = True
    key: tuple[str, ...] = ()
    more: str = ""
    layer: str | None = None
    joins: str | None = None
    part: bool = False

    @property
    def gathered(self) -> bool:
        """Whether layers are made of it."""
        return self.layer is not None or self.joins is not None or self.part

    def is_in(self, folder: Path) -> bool:
        """Tell whether a stage has written it: a city without records has none of collisions."""
        return (folder / f"{self.name}.parquet").exists()

    def read(self, folder: Path) -> pd.DataFrame:
        """Read it from the folder of its stage; a GeoDataFrame where it has geometry."""
        file = folder / f"{self.name}.parquet"
        return pd.read_parquet(file) if self.geometry is None else gpd.read_parquet(file)

    def write(self, frame: pd.DataFrame, folder: Path) -> None:
        """Write a frame as ``<name>.parquet``.

        Parameters
        ----------
        frame
            Rows on any index, which is not written.
        folder
            Of the stage.

        Raises
        ------
        pandera.errors.SchemaErrors
            When it is not as declared: a fault of ours, whatever the input.
        """
        self.check(frame).to_parquet(folder / f"{self.name}.parquet", index=False)

    def empty(self) -> pd.DataFrame:
        """Make it without rows, for what the inputs do not have; of a table without places."""
        return pd.DataFrame(
            {column.name: pd.Series(dtype=_EMPTY.get(column.kind, "object")) for column in self.columns}
        )

    def check(self, frame: pd.DataFrame) -> pd.DataFrame:
        """Hold a frame against the declaration, and give it back as it is.

        Raises
        ------
        pandera.errors.SchemaErrors
            Naming all that is not as declared.
        """
        schema_of(self).validate(frame, lazy=True)
        if self.geometry is not None and not isinstance(frame, gpd.GeoDataFrame):
            raise TypeError(f"{self.name} has places: {self.geometry} is expected of each row")
        return frame


@cache
def schema_of(table: Table) -> DataFrameSchema:
    """Make the schema of a table."""
    import pandera.pandas as pa  # noqa: PLC0415 - a run that changes nothing writes no table

    columns: dict[str, Any] = {
        column.name: pa.Column(
            None,
            [
                pa.Check(_of_kind(column.kind), name=column.kind, error=f"{column.name} is no {column.kind}"),
                *([pa.Check.isin(column.allowed)] if column.allowed else []),
            ],
            nullable=column.name not in table.key,
            required=not column.optional,
            description=column.alias,
        )
        for column in table.columns
    }
    if table.geometry is not None:
        columns["geometry"] = pa.Column(None, _of_places(table), nullable=not table.located)
        boxes = pa.Check(lambda one: isinstance(one, dict) and set(one) == _BOX, element_wise=True)
        columns[COVERING] = pa.Column(None, boxes, required=False)
    return pa.DataFrameSchema(
        columns,
        strict=not table.more,
        unique=list(table.key) or None,
        name=table.name,
        description=table.meaning,
    )


def _of_places(table: Table) -> list[Any]:
    """Give the tests of a column of geometry."""
    import pandera.pandas as pa  # noqa: PLC0415 - as above

    def shapes(column: pd.Series) -> Any:  # noqa: ANN401 - an array of geometry
        return column.dropna().to_numpy()

    wanted = shapely.GeometryType[str(table.geometry).upper()]
    tests = {
        f"geometry is not {table.geometry}": lambda column: np.equal(
            shapely.get_type_id(shapes(column)), wanted
        ).all(),
        "geometry states no CRS": lambda column: getattr(column.array, "crs", None) is not None,
        "geometry has Z": lambda column: not shapely.has_z(shapes(column)).any(),
    }
    if table.located:
        tests["geometry is empty"] = lambda column: not shapely.is_empty(shapes(column)).any()
    return [pa.Check(test, name=fault, error=fault) for fault, test in tests.items()]


def _of_kind(kind: Kind) -> Any:  # noqa: ANN401 - pandera takes any function of a column
    """Give the test of whether a column is of a kind; one that is null throughout may be of any."""

    def test(values: pd.Series) -> bool:
        known = values.dropna()
        if known.empty:
            return True
        if kind in _INFERRED:
            return _TYPES.infer_dtype(known, skipna=True) in _INFERRED[kind]
        if kind == "list":
            return bool(known.map(_TYPES.is_list_like).all())
        return bool(_KINDS[kind](known))

    return test


_KINDS: dict[str, Any] = {
    "integer": _TYPES.is_integer_dtype,
    "real": lambda values: _TYPES.is_numeric_dtype(values) and not _TYPES.is_bool_dtype(values),
    "boolean": _TYPES.is_bool_dtype,
    "datetime": _TYPES.is_datetime64_any_dtype,
}
