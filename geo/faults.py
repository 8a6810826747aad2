"""What pydantic finds wrong with a value, in plain words: what is expected there."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from pydantic import ValidationError
from pydantic_core import ErrorDetails

DAY = "a day as 2024-01-31"
SECTION = "a section of keys and values"
_EXPECTED = {
    "bool_parsing": "true or false",
    "bool_type": "true or false",
    "dataclass_type": SECTION,
    "date_from_datetime_inexact": DAY,
    "date_from_datetime_parsing": DAY,
    "date_parsing": DAY,
    "date_type": DAY,
    "datetime_from_date_parsing": "a time as 2024-01-31T12:00:00Z",
    "datetime_parsing": "a time as 2024-01-31T12:00:00Z",
    "datetime_type": "a time as 2024-01-31T12:00:00Z",
    "dict_type": SECTION,
    "finite_number": "a finite number",
    "float_parsing": "a number",
    "float_type": "a number",
    "greater_than": "a number above {gt}",
    "greater_than_equal": "a number of at least {ge}",
    "int_from_float": "a whole number",
    "int_parsing": "a whole number",
    "int_parsing_size": "a whole number of fewer digits",
    "int_type": "a whole number",
    "json_invalid": "JSON",
    "less_than": "a number below {lt}",
    "less_than_equal": "a number of at most {le}",
    "list_type": "a list",
    "model_attributes_type": SECTION,
    "model_type": SECTION,
    "string_too_long": "text of at most {max_length} letters",
    "string_type": "text",
    "string_unicode": "text in UTF-8",
    "too_long": "a list of at most {max_length}",
    "too_short": "a list of at least {min_length}",
    "tuple_type": "a list",
}
"""What pydantic's types of fault say is expected; numbers stand in for what a fault tells."""
_PATTERNS = {
    r"^[^\x00-\x1f\x7f]*$": "text without line breaks and control characters",
    r"^(tcp|tls|ws|wss)://[^\s]+$": "an address such as tcp://machine:8786",
    r"^#[0-9A-F]{6}$": "a colour as #RRGGBB",
}
"""What patterns of ours mean."""
_BEGINS = re.compile(r"\^(\w+:)\.")
"""A pattern that only says how text begins."""
_OWN = "Value error, "
"""What pydantic writes before a sentence of ours."""
UNKNOWN_KEY = frozenset(("extra_forbidden", "unexpected_keyword_argument"))
MISSING = frozenset(("missing", "missing_argument"))


def expected(fault: ErrorDetails) -> str | None:
    """Say what is expected in the place of a value; None where the fault says so in a sentence of ours.

    Examples
    --------
    >>> expected({"type": "less_than", "loc": ("k",), "msg": "", "input": 9e9, "ctx": {"lt": 2**32}})
    'a number below 4,294,967,296'
    """
    kind, told = fault["type"], fault.get("ctx", {})
    if kind == "literal_error":
        return str(told["expected"]).replace("'", "")
    if kind == "string_too_short":
        least = told["min_length"]
        return "text that is not empty" if least == 1 else f"text of at least {least} letters"
    if kind == "string_pattern_mismatch":
        return _of_pattern(str(told["pattern"]))
    known = _EXPECTED.get(kind)
    return None if known is None else known.format_map(_written(told))


def plainly(fault: ErrorDetails) -> str:
    """Say what is wrong with a value, without its key.

    Examples
    --------
    >>> plainly({"type": "string_too_long", "loc": ("name",), "msg": "", "input": "", "ctx": {"max_length": 80}})
    'text of at most 80 letters is expected'
    """
    if fault["type"] in MISSING:
        return "it is missing"
    if fault["type"] in UNKNOWN_KEY:
        return "no such key"
    wanted = expected(fault)
    return fault["msg"].removeprefix(_OWN) if wanted is None else f"{wanted} is expected"


def reason_of(error: Exception) -> str:
    """Say in one line why something cannot be read: of what pydantic refused, the first fault and its place."""
    if not isinstance(error, ValidationError):
        return str(error).splitlines()[0] if str(error) else type(error).__name__
    fault = error.errors(include_url=False)[0]
    place = ".".join(map(str, fault["loc"]))
    return f"{place}: {plainly(fault)}" if place else plainly(fault)


def _of_pattern(pattern: str) -> str:
    begins = _BEGINS.fullmatch(pattern)
    return f"text that begins with {begins[1]}" if begins else _PATTERNS.get(pattern, "text of another form")


def _written(told: Mapping[str, Any]) -> dict[str, str]:
    """Write limits as people do."""
    return {
        key: f"{value:,}"
        if isinstance(value, int)
        else f"{value:g}"
        if isinstance(value, float)
        else str(value)
        for key, value in told.items()
    }
