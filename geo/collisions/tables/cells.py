"""Columns of typed tables as text that loses nothing: ids of any length, moments with their offset."""

from __future__ import annotations

import json
from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

EXACT = 2**53
"""Whole numbers beyond this are not all told apart by a float."""


def text_columns(table: pa.Table) -> pd.DataFrame:
    """Write every cell of a table as text; a structure becomes a column each of its parts, ``names.primary``."""
    while any(pa.types.is_struct(kind) for kind in table.schema.types):
        table = table.flatten()
    columns = [text_column(column) for column in table.columns]
    frame = pd.concat(columns, axis=1) if columns else pd.DataFrame(index=range(len(table)))
    return frame.set_axis([str(name) for name in table.column_names], axis=1)


def text_column(column: pa.ChunkedArray) -> pd.Series:
    """Write the cells of a column as text; null stays null."""
    kind = column.type
    if pa.types.is_dictionary(kind):
        return text_column(pc.cast(column, kind.value_type))
    if pa.types.is_floating(kind):
        return float_texts(column.to_numpy())
    if pa.types.is_timestamp(kind):
        return _series(column)
    write = _of_each(kind)
    if write is None:
        return _series(pc.utf8_normalize(pc.cast(column, pa.large_string()), form="NFC"))
    return pd.Series([None if cell is None else write(cell) for cell in column.to_pylist()], dtype="string")


def _series(column: pa.ChunkedArray) -> pd.Series:
    cells: pd.Series = column.to_pandas()
    return cells.astype("string")


def _of_each(kind: pa.DataType) -> Callable[[Any], str] | None:
    """Say how to write a cell of a kind that Arrow makes no text of; None where it does."""
    if pa.types.is_nested(kind):
        return partial(json.dumps, ensure_ascii=False, default=str)
    if pa.types.is_binary(kind) or pa.types.is_large_binary(kind) or pa.types.is_fixed_size_binary(kind):
        return bytes.hex
    return str if pa.types.is_null(kind) else None


def float_texts(values: np.ndarray) -> pd.Series:
    """Write floats as text: whole ones without a point, those whose last digits are not sure with an exponent.

    Parameters
    ----------
    values
        Floats; NaN becomes null.
    """
    values = np.asarray(values)
    with np.errstate(invalid="ignore"):
        whole = np.isfinite(values) & (np.abs(values) < EXACT) & (values == np.rint(values))
    texts = values.astype(str).astype(object)
    texts[whole] = values[whole].astype(np.int64).astype(str)
    return pd.Series(texts, dtype="string").mask(np.isnan(values))
