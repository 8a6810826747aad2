"""What stands in a city's file, before it is checked: read as YAML, or from the GeoPackage of an earlier run."""

from __future__ import annotations

import json
import os
import re
import sqlite3
from collections.abc import Mapping
from contextlib import closing
from pathlib import Path
from typing import Any

import yaml

from geo.addresses import is_url
from geo.errors import ConfigurationError
from geo.secrets import BLOCK, HIDDEN, PLACEHOLDER, remember


class _OneOfAKey(yaml.SafeLoader):
    """Reads YAML as `yaml.safe_load` does, but for a key that stands twice: of these, one would be lost unseen."""

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Any, Any]:  # noqa: FBT001, FBT002
        """Build a mapping of distinct keys."""
        keys = [self.construct_object(key, deep=True) for key, _ in node.value]
        twice = next((key for i, key in enumerate(keys) if key in keys[:i]), None)
        if twice is not None:
            raise yaml.constructor.ConstructorError(
                None, None, f"the key {twice!r} stands there twice", node.start_mark
            )
        return super().construct_mapping(node, deep)


def read_raw(path: Path, overrides: Mapping[str, str] | None = None) -> dict[str, Any]:
    """Read a city's file as it was written: variables and relative paths stay what they are.

    Raises
    ------
    ConfigurationError
        When it cannot be read, or is not a mapping of keys.
    """
    try:
        if is_recorded(path):
            return _with(recorded(path), overrides)
        raw = yaml.load(path.read_text(encoding="utf-8"), _OneOfAKey)  # noqa: S506 - a safe loader
        json.dumps(raw, default=str, skipkeys=True)  # what contains itself has no end
    except OSError as error:
        raise ConfigurationError(
            f"the file cannot be read ({error.strerror})",
            where=str(path),
            todo="Give the path of a city's file.",
        ) from error
    except (yaml.YAMLError, ValueError, RecursionError) as error:
        raise ConfigurationError(
            f"not valid YAML: {' '.join(str(error).split())}",
            where=str(path),
            todo="Mend the line that the message names.",
        ) from error
    if not isinstance(raw, dict):
        raise ConfigurationError(
            "a mapping of keys is expected at the top",
            where=str(path),
            todo="Start from a file in data/cities.",
        )
    return _with(raw, overrides)


def is_recorded(path: Path) -> bool:
    """Tell whether a configuration is to be taken from the GeoPackage of a run."""
    return path.suffix.lower() == ".gpkg"


def recorded(path: Path) -> dict[str, Any]:
    """Read the configuration that a run's GeoPackage holds.

    Raises
    ------
    ConfigurationError
        When it holds none.
    """
    try:
        with closing(sqlite3.connect(f"{path.resolve().as_uri()}?mode=ro", uri=True)) as connection:
            (text,) = connection.execute("SELECT value FROM run WHERE key = 'configuration'").fetchone()
        return dict(json.loads(text))
    except (sqlite3.Error, ValueError, TypeError) as error:
        raise ConfigurationError(
            f"the file holds no configuration of a run ({error})",
            where=str(path),
            todo="Give a GeoPackage that 'roadprint run' wrote.",
        ) from error


def _with(raw: dict[str, Any], overrides: Mapping[str, str] | None) -> dict[str, Any]:
    """Replace or add keys."""
    for key, text in (overrides or {}).items():
        _set(raw, key, text)
    return raw


def _set(raw: dict[str, Any], key: str, text: str) -> None:
    """Set a dotted key to a YAML value."""
    *parents, last = key.split(".")
    for parent in parents:
        below = raw.setdefault(parent, {})
        if not isinstance(below, dict):
            raise ConfigurationError(
                f"{parent!r} is not a section", where=f"--set {key}", todo="Mend the key."
            )
        raw = below
    try:
        raw[last] = yaml.safe_load(text)
    except (yaml.YAMLError, ValueError) as error:
        raise ConfigurationError(
            f"{text!r} is not a YAML value", where=f"--set {key}", todo="Quote the value."
        ) from error


def expand(value: object, where: str) -> object:
    """Replace ``${NAME}`` by the environment's value, everywhere but in addresses, which may hold credentials.

    Parameters
    ----------
    value
        What was read: mappings, lists and plain values.
    where
        Path of the file, for messages.

    Raises
    ------
    ConfigurationError
        When a variable is not set, or a secret stands where none may.
    """
    if isinstance(value, dict):
        return {key: expand(below, where) for key, below in value.items()}
    if isinstance(value, list):
        return [expand(below, where) for below in value]
    if not isinstance(value, str):
        return value

    used: dict[str, str] = {}

    def look_up(match: re.Match[str]) -> str:
        name = match.group(1)
        if name.startswith((BLOCK, HIDDEN)):
            return match.group()
        if name not in os.environ:
            raise ConfigurationError(
                f"the environment variable {name} is not set",
                where=where,
                todo=f"Set it first: export {name}=..., or write the value in the file.",
            )
        used[name] = os.environ[name]
        return used[name]

    expanded = PLACEHOLDER.sub(look_up, value)
    if is_url(expanded) and not any(map(str.isspace, value)):
        remember(used)
        return value
    if f"${{{BLOCK}" in expanded:
        raise ConfigurationError(
            f"a secret stands in what is no address: {value}",
            where=where,
            todo="Secrets are for URLs alone; take other values from the environment.",
        )
    return expanded
