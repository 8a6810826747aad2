"""Conditions on columns, as analysts write them: ``ground_tree_0_6m > 0.3``."""

from __future__ import annotations

import operator
import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from geo.errors import ConfigurationError, LayerError, alike

WHERE = "where"
FORM = "Write COLUMN < VALUE, with <, <=, >, >=, = or !=; several conditions are given one by one."
LIKE_IT = 3
"""So many names that come nearest are told where one is not known."""
_COMPARED: dict[str, Callable[[Any, Any], Any]] = {
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
    "=": operator.eq,
    "==": operator.eq,
    "!=": operator.ne,
}
_EQUAL = {"=", "==", "!="}
_WRITTEN = re.compile(r"\s*([^<>=!]*[^<>=!\s])\s*(<=|>=|!=|==|=|<|>)\s*(\"[^\"]*\"|'[^']*'|[^<>=!]+?)\s*")
_NUMBER = re.compile(r"[-+]?(\d+\.?\d*|\.\d+)([eE][-+]?\d+)?")
_FLAGS = {"true": True, "yes": True, "1": True, "false": False, "no": False, "0": False}
_TYPES = pd.api.types


@dataclass(frozen=True, slots=True)
class Condition:
    """What a column is asked for.

    Attributes
    ----------
    text
        As it was written.
    column
        Name of a column.
    sign
        ``<``, ``<=``, ``>``, ``>=``, ``=``, ``==`` or ``!=``.
    value
        A number or a word, as written, without quotes.
    """

    text: str
    column: str
    sign: str
    value: str


def read_condition(text: str) -> Condition:
    """Read a condition.

    Raises
    ------
    ConfigurationError
        When it is none.

    Examples
    --------
    >>> found = read_condition("ground_tree_0_6m >= 0.3")
    >>> found.column, found.sign, found.value
    ('ground_tree_0_6m', '>=', '0.3')
    >>> read_condition("name = 'High Street'").value
    'High Street'
    """
    match = _WRITTEN.fullmatch(text)
    if match is None:
        raise ConfigurationError(f"{text!r} is no condition", where=WHERE, todo=FORM)
    value = match[3]
    quoted = value[0] in "\"'" and value[-1] == value[0] and len(value) > 1
    return Condition(text, match[1], match[2], value[1:-1] if quoted else value)


def meets(frame: pd.DataFrame, condition: Condition) -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
    """Tell which rows meet a condition, and of which it is not known.

    Parameters
    ----------
    frame
        Columns of numbers, words, and yes or no. Words that are numbers throughout, as tags of roads may be, are
        compared as numbers.
    condition
        Of words, and of yes or no, it may ask whether they are equal or not.

    Returns
    -------
    Two arrays ``(rows,)``. What is null meets no condition, neither ``=`` nor ``!=``.

    Raises
    ------
    LayerError
        When there is no such column, or it cannot be compared so; of words that are nowhere too.

    Examples
    --------
    >>> frame = pd.DataFrame({"length_m": [40.0, 120.0, None], "surface": ["asphalt", None, "gravel"]})
    >>> met, unknown = meets(frame, read_condition("length_m > 100"))
    >>> met.tolist(), unknown.tolist()
    ([False, True, False], [False, False, True])
    >>> meets(frame, read_condition("surface != gravel"))[0].tolist()
    [True, False, False]
    """
    if condition.column not in frame.columns:
        raise LayerError(
            f"roads have no column {condition.column!r}",
            where=f"{WHERE} {condition.text}",
            todo=_nearest(condition.column, [str(name) for name in frame.columns]),
        )
    column = frame[condition.column]
    unknown = column.isna().to_numpy(dtype=bool)
    known = column[~unknown]
    values, wanted = _comparable(known, condition)
    met = np.zeros(len(frame), dtype=bool)
    met[~unknown] = np.asarray(_COMPARED[condition.sign](values, wanted), dtype=bool)
    return met, unknown


def _comparable(known: pd.Series[Any], condition: Condition) -> tuple[Any, Any]:
    """Give the values of a column, none of which is null, and what they are compared with, as one kind."""
    if _TYPES.is_bool_dtype(known):
        flag = _FLAGS.get(condition.value.casefold())
        if flag is None or condition.sign not in _EQUAL:
            raise _not_so(condition, "holds yes and no", f"Write {condition.column} = yes, or = no.")
        return known.to_numpy(dtype=bool), flag
    if _TYPES.is_numeric_dtype(known):
        return known.to_numpy(dtype=np.float64), _number(condition)
    if not all(isinstance(one, str) for one in known):
        raise _not_so(condition, "holds neither numbers nor words", "Ask for another column.")
    words = known.to_numpy(dtype=object)
    if condition.sign not in _EQUAL:
        odd = next((one for one in words if _NUMBER.fullmatch(one.strip()) is None), None)
        if odd is not None:
            raise _not_so(condition, f"holds words such as {odd!r}", "Of words ask for = or !=.")
        return words.astype(np.float64), _number(condition)
    if len(words) and not (words == condition.value).any():
        there = sorted(set(words.tolist()))
        raise LayerError(
            f"{condition.column} of no road is {condition.value!r}",
            where=f"{WHERE} {condition.text}",
            todo=_nearest(condition.value, there),
        )
    return words, condition.value


def _number(condition: Condition) -> float:
    if _NUMBER.fullmatch(condition.value) is None or not np.isfinite(float(condition.value)):
        raise _not_so(
            condition, f"holds numbers, and {condition.value!r} is none", "Write a number such as 0.3."
        )
    return float(condition.value)


def _not_so(condition: Condition, why: str, todo: str) -> LayerError:
    return LayerError(f"{condition.column} {why}", where=f"{WHERE} {condition.text}", todo=todo)


def _nearest(name: str, there: list[str]) -> str:
    """Say which names come nearest."""
    return f"Nearest are: {', '.join(alike(name, there, first=LIKE_IT, least=0.0)) or 'none'}."
