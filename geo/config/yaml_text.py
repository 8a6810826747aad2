"""YAML in which the type of a key says what stands behind it: text stays as it is written where text is meant.

YAML itself guesses: ``no`` is false, ``01`` is 1, ``1:30`` is 90, and a day is a date. A code of severity, a column's
name or a CRS is none of these. Here a value is a number, or true or false, only where its key takes one; numbers are
decimal.
"""

from __future__ import annotations

import re
import types
from collections.abc import Mapping, Sequence
from typing import Annotated, Any, Literal, Union, get_args, get_origin

import yaml
from pydantic import BaseModel

Meant = Sequence[Any]
"""The types that a value may be of; empty: its key is not known."""
_TAG = "tag:yaml.org,2002:"
_KNOWN = frozenset(
    _TAG + name
    for name in ("str", "int", "float", "bool", "null", "timestamp", "map", "seq", "value", "merge")
)
_WORDS = {"true": True, "yes": True, "on": True, "false": False, "no": False, "off": False}
_INTEGER = re.compile(r"[-+]?\d[\d_]*")
_REAL = re.compile(r"[-+]?(\d[\d_]*(\.[\d_]*)?|\.\d[\d_]*)([eE][-+]?\d+)?")
_ENDLESS = re.compile(r"[-+]?\.(inf|Inf|INF)|\.(nan|NaN|NAN)")


def read_yaml(text: str | bytes, model: type[BaseModel]) -> object:
    """Read YAML as the fields of a model mean it; whether they are valid is not looked at.

    One value stands for a list of one where a list alone is meant, and a list of one for its value where no list is. A
    section with nothing in it is one without keys.

    Parameters
    ----------
    text
        What stands in the file: as bytes, UTF-8 or UTF-16, with or without a byte order mark.
    model
        The model of all of it.

    Raises
    ------
    yaml.YAMLError
        When it is no YAML, or a key stands twice: of these, one would be lost unseen.
    RecursionError
        When it contains itself.

    Examples
    --------
    >>> class Codes(BaseModel):
    ...     fatal: list[str]
    ...     limit_m: float
    >>> read_yaml("{fatal: [01, no], limit_m: 010}", Codes)
    {'fatal': ['01', 'no'], 'limit_m': 10}
    """
    return _value(yaml.compose(text, yaml.SafeLoader), [model])


def read_value(text: str, model: type[BaseModel], key: str) -> object:
    """Read the YAML of one value, by its dotted key, see `read_yaml`."""
    meant: Meant = [model]
    for name in key.split("."):
        meant = _behind(meant, name)
    return _value(yaml.compose(text, yaml.SafeLoader), meant)


def _value(node: yaml.Node | None, meant: Meant) -> object:
    """Build what a node means where values of some types are meant."""
    if node is None:
        return {} if _is_section(meant) else None
    if node.tag not in _KNOWN:
        raise yaml.constructor.ConstructorError(
            None, None, f"the tag {node.tag!r} is not known", node.start_mark
        )
    if isinstance(node, yaml.ScalarNode):
        return _one(node, meant)
    if isinstance(node, yaml.SequenceNode):
        return _list(node.value, meant)
    return {name: _value(below, _behind(meant, name)) for name, below in _pairs(node).items()}


def _one(node: yaml.ScalarNode, meant: Meant) -> object:
    """Read a single value."""
    if node.style is None and node.tag == f"{_TAG}null":
        return {} if _is_section(meant) else None
    if not _is_one(meant) and (elements := _elements(meant, 0)) and not _is_fixed(meant):
        return [_one(node, elements)]
    return node.value if node.style is not None else _plain(node.value, meant)


def _list(nodes: Sequence[yaml.Node], meant: Meant) -> object:
    if len(nodes) == 1 and meant and not _elements(meant, 0):
        return _value(nodes[0], meant)
    return [_value(node, _elements(meant, place)) for place, node in enumerate(nodes)]


def _plain(text: str, meant: Meant) -> object:
    """Read a value without quotes: true, false and numbers where they are meant, else its text."""
    if bool in meant and text.lower() in _WORDS:
        return _WORDS[text.lower()]
    takes_numbers = not meant or {int, float} & {*meant} or any(_is_number(one) for one in meant)
    if not takes_numbers:
        return text
    digits = text.replace("_", "")
    if _INTEGER.fullmatch(text):
        # where text is meant as well, a number is what is written as one
        return int(digits) if str not in meant or str(int(digits)) == text else text
    if str not in meant and _REAL.fullmatch(text):
        return float(digits)
    return float(text.replace(".", "")) if str not in meant and _ENDLESS.fullmatch(text) else text


def _pairs(node: yaml.Node) -> dict[str, yaml.Node]:
    """List the keys of a mapping, as they are written, with what stands behind them; ``<<`` adds those of others."""
    own: dict[str, yaml.Node] = {}
    others: dict[str, yaml.Node] = {}
    for key, below in node.value:
        if key.tag == f"{_TAG}merge":
            for one in below.value if isinstance(below, yaml.SequenceNode) else [below]:
                if isinstance(one, yaml.MappingNode):
                    others = _pairs(one) | others
            continue
        if not isinstance(key, yaml.ScalarNode):
            raise yaml.constructor.ConstructorError(None, None, "a key is no plain word", key.start_mark)
        if key.value in own:
            raise yaml.constructor.ConstructorError(
                None, None, f"the key {key.value!r} stands there twice", key.start_mark
            )
        own[key.value] = below
    return others | own


def _behind(meant: Meant, name: str) -> Meant:
    """Give the types that are meant behind a key of what is meant."""
    found: list[Any] = []
    for one in meant:
        if hasattr(one, "__pydantic_fields__"):
            fields = one.__pydantic_fields__.items()
            found += [
                t for own, field in fields if name in {own, field.alias} for t in _parts(field.annotation)
            ]
        elif _origin(one) in {dict, Mapping}:
            found += _parts(get_args(one)[1])
    return found


def _elements(meant: Meant, place: int) -> Meant:
    """Give the types that are meant at a place of a list."""
    found: list[Any] = []
    for one in meant:
        within = get_args(one)
        if _origin(one) is list or (_origin(one) is tuple and Ellipsis in within):
            found += _parts(within[0])
        elif _origin(one) is tuple:
            found += _parts(within[min(place, len(within) - 1)])
    return found


def _parts(annotation: object) -> list[Any]:
    """List the types that an annotation allows, without what is said of them besides."""
    origin = _origin(annotation)
    if origin is Annotated:
        return _parts(get_args(annotation)[0])
    if origin in {Union, types.UnionType}:
        return [part for one in get_args(annotation) for part in _parts(one)]
    return [annotation]


def _origin(annotation: object) -> Any:  # noqa: ANN401 - a class, or a form of typing that is none
    """Tell what a type is one of: ``list`` of ``list[str]``."""
    return get_origin(annotation)


def _is_model(one: object) -> bool:
    return isinstance(one, type) and issubclass(one, BaseModel)


def _is_section(meant: Meant) -> bool:
    """Tell whether a section is meant, and not perhaps nothing."""
    return any(map(_is_model, meant)) and type(None) not in meant


def _is_one(meant: Meant) -> bool:
    """Tell whether a single value may be meant."""
    return any(
        _origin(one) is Literal or (isinstance(one, type) and not _is_model(one))
        for one in meant
        if one is not type(None)
    )


def _is_fixed(meant: Meant) -> bool:
    """Tell whether a list of a known length is meant."""
    return any(_origin(one) is tuple and Ellipsis not in get_args(one) for one in meant)


def _is_number(one: object) -> bool:
    """Tell whether a choice among numbers is meant."""
    return _origin(one) is Literal and all(isinstance(choice, int) for choice in get_args(one))
