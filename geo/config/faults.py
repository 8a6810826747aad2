"""What is wrong with a city's file, in words: each fault by its key, what is expected there and what was found."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from geo.config.kinds import NO_KIND, is_of_kinds, of_which_kind
from geo.config.section import leaf_keys, sections
from geo.errors import alike, meant
from geo.faults import MISSING, UNKNOWN_KEY, expected, plainly

_EMPTY = frozenset(
    (
        "string_type",
        "int_type",
        "float_type",
        "bool_type",
        "list_type",
        "tuple_type",
        "dict_type",
        "date_type",
        "dataclass_type",
        "literal_error",
    )
)
"""Types of the faults of a value that is none at all."""
_KEY = "[key]"
"""How pydantic says that it is about a key itself."""
_ALTERNATIVE = re.compile(
    r"str|int|float|bool|date|(literal|list|tuple|dict|set|function-\w+)\[.*\]|constrained-\w+|UserValues"
)
"""How pydantic names what a value may be, where that is one of several."""


def describe(error: ValidationError, root: type[BaseModel], *, within: tuple[str, ...] = ()) -> str:
    """Say all faults of a file, a line each: ``key: what is expected (found ...)``.

    Parameters
    ----------
    error
        What a file was refused with.
    root
        What the file is a section of.
    within
        The section of it that was refused, where it was not the whole.
    """
    faults = [_Fault(fault, _place((*within, *fault["loc"]), root)) for fault in error.errors()]
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
        return expected(self.told)

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
    if kind in UNKNOWN_KEY:
        message = _no_such_key(faults[0].place, root)
    else:
        wanted = list(dict.fromkeys(one.wanted for one in faults if one.wanted is not None))
        message = f"{' or '.join(wanted)} is expected" if wanted else plainly(first)
    if first["loc"][-1:] == (_KEY,):
        message += " as a key"
    if kind == NO_KIND and isinstance(found, Mapping):
        key, found = f"{key}.{first['ctx']['key']}", found.get(first["ctx"]["key"])
    if found is None and kind in _EMPTY:
        message += ": nothing stands there; leave the key out for its default, or put text in 'quotes'"
    message += meant(found, [word for one in faults for word in one.choices])
    shown = "" if kind in {*MISSING, "value_error"} else f" (found {found!r:.80})"
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
        if part == _KEY:
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
    like = alike(name.replace("-", "_"), beside)
    near = [f"{above}.{like[0]}" if above else like[0]] if like else []
    near = elsewhere or near
    return f"no such key; did you mean {' or '.join(near[:3])}?" if near else "no such key"
