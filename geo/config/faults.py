"""What is wrong with a city's file, in words: each fault by its key, what is expected there and what was found."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from difflib import get_close_matches

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from geo.config.kinds import NO_KIND, is_of_kinds, of_which_kind
from geo.config.section import leaf_keys, sections
from geo.errors import meant

_EMPTY = frozenset(
    (
        "string_type",
        "int_type",
        "float_type",
        "bool_type",
        "list_type",
        "tuple_type",
        "dict_type",
        "literal_error",
    )
)
"""Types of the faults of a value that is none at all."""
_WANTED = {
    "bool_parsing": "true or false",
    "bool_type": "true or false",
    "dict_type": "a section of keys and values",
    "finite_number": "a finite number",
    "float_parsing": "a number",
    "float_type": "a number",
    "greater_than": "a number above {gt:g}",
    "greater_than_equal": "a number of at least {ge:g}",
    "int_from_float": "a whole number",
    "int_parsing": "a whole number",
    "int_type": "a whole number",
    "less_than": "a number below {lt:g}",
    "less_than_equal": "a number of at most {le:g}",
    "list_type": "a list",
    "model_attributes_type": "a section of keys and values",
    "model_type": "a section of keys and values",
    "string_type": "text",
    "too_long": "a list of at most {max_length}",
    "too_short": "a list of at least {min_length}",
    "tuple_type": "a list",
}
"""What pydantic's types of fault say is expected."""
_ALTERNATIVE = re.compile(
    r"str|int|float|bool|date|(literal|list|tuple|dict|set|function-\w+)\[.*\]|constrained-\w+"
)
"""How pydantic names what a value may be, where that is one of several."""


def describe(error: ValidationError, root: type[BaseModel]) -> str:
    """Say all faults of a file, a line each: ``key: what is expected (found ...)``.

    Parameters
    ----------
    error
        What a file was refused with.
    root
        What the file is a section of.
    """
    faults = [_Fault(fault, _place(fault["loc"], root)) for fault in error.errors()]
    lines = [_line(together, root) for together in _by_value(faults)]
    count = "one fault" if len(lines) == 1 else f"{len(lines)} faults"
    return f"{count} in the configuration\n  " + "\n  ".join(lines)


@dataclass(frozen=True, slots=True)
class _Fault:
    """A fault as pydantic tells it, and where it is."""

    told: ErrorDetails
    place: _Place

    @property
    def wanted(self) -> str | None:
        """What is expected; None where the fault says so itself, in a sentence."""
        context = self.told.get("ctx", {})
        if self.told["type"] == "literal_error":
            return str(context["expected"]).replace("'", "")
        known = _WANTED.get(self.told["type"])
        return None if known is None else known.format(**context)

    @property
    def choices(self) -> list[str]:
        """The words of which one is expected."""
        if self.told["type"] == "literal_error":
            return re.findall(r"'([^']*)'", str(self.told.get("ctx", {})["expected"]))
        if self.told["type"] == NO_KIND:
            listed = self.told["msg"].removeprefix("one of ").removesuffix(" is expected")
            return [one for one in listed.split(", ") if ":" not in one]
        return []


def _by_value(faults: Sequence[_Fault]) -> list[list[_Fault]]:
    """Bring the faults of one value together, which may be one of several things and is none of them.

    Where it is one of them but for something in it, that is the fault.
    """
    found: dict[str, list[_Fault]] = {}
    for one in faults:
        found.setdefault(one.place.value or one.place.key, []).append(one)
    together: list[list[_Fault]] = []
    for value, some in found.items():
        within = [one for one in some if one.place.key != value]
        by_key: dict[str, list[_Fault]] = {}
        for one in within or some:
            by_key.setdefault(one.place.key, []).append(one)
        together += by_key.values()
    return together


def _line(faults: Sequence[_Fault], root: type[BaseModel]) -> str:
    """Say what is wrong with one value."""
    first = faults[0].told
    key, kind, found = faults[0].place.key, first["type"], first["input"]
    if kind == "extra_forbidden":
        message = _no_such_key(faults[0].place, root)
    elif kind == "missing":
        message = "it is missing"
    else:
        wanted = list(dict.fromkeys(one.wanted for one in faults if one.wanted is not None))
        said = first["msg"].removeprefix("Value error, ")
        message = f"{' or '.join(wanted)} is expected" if wanted else said
    if kind == NO_KIND and isinstance(found, Mapping):
        key, found = f"{key}.{first['ctx']['key']}", found.get(first["ctx"]["key"])
    if found is None and kind in _EMPTY:
        message += ": nothing stands there; leave the key out for its default, or put text in 'quotes'"
    message += meant(found, [word for one in faults for word in one.choices])
    shown = "" if kind in {"missing", "value_error"} else f" (found {found!r:.80})"
    return f"{key or '(top)'}: {message}{shown}"


@dataclass(frozen=True, slots=True)
class _Place:
    """Where a fault is.

    Attributes
    ----------
    key
        The dotted key.
    value
        The key of the value that may be one of several things; empty: no such value.
    kind, others
        Of a section of several kinds, which one it is, and which others have the key.
    sections
        What the key stands in may be.
    """

    key: str
    value: str
    kind: str
    others: list[str]
    sections: tuple[type[BaseModel], ...]


def _place(loc: tuple[str | int, ...], root: type[BaseModel]) -> _Place:
    """Find the key of a fault."""
    key: list[str] = []
    kind, value, others = "", "", list[str]()
    kinds: tuple[type[BaseModel], ...] = (root,)
    within = kinds
    several = False
    for part in loc:
        if several and not kind:
            kind = str(part)
            others = of_which_kind(kinds, str(loc[-1]))
            continue
        if key and not kinds and _ALTERNATIVE.fullmatch(str(part)):
            value = value or ".".join(key)
            continue
        key.append(str(part))
        fields = (f for k in kinds for name, f in k.model_fields.items() if part in {name, f.alias})
        field = next(fields, None)
        within = kinds
        kinds, several = ((), False) if field is None else (sections(field), is_of_kinds(field))
    return _Place(".".join(key), value, kind, others, within)


def _no_such_key(place: _Place, root: type[BaseModel]) -> str:
    """Say that a key is not known, and which one may be meant: a like one beside it, or one of that name elsewhere."""
    if place.others:
        return f"no such key for {place.kind}, only for {' and '.join(place.others)}"
    above, _, name = place.key.rpartition(".")
    elsewhere = [key for key in leaf_keys(root) if key.endswith(f".{name}")]
    beside = [field.alias or own for one in place.sections for own, field in one.model_fields.items()]
    like = get_close_matches(name.casefold().replace("-", "_"), beside, n=1)
    near = [f"{above}.{like[0]}" if above else like[0]] if like else []
    near = elsewhere or near
    return f"no such key; did you mean {' or '.join(near[:3])}?" if near else "no such key"
