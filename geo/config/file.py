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
from pydantic import BaseModel

from geo.addresses import is_url
from geo.config.yaml_text import read_value, read_yaml
from geo.errors import ConfigurationError, meant, meant_file
from geo.secrets import BLOCK, HIDDEN, PLACEHOLDER, remember

_QUOTED = "Mend the line that the message names; put text with one of : # * & @ { [ in it in 'single quotes'."
_TODO = {
    "character '\\t'": "Indent with spaces: a tab stands in the line that the message names.",
    "unknown escape character": "Put a path with \\ in it in 'single quotes', or write it with /.",
    "unacceptable character": "Save the file as UTF-8.",
    "codec can't decode": "Save the file as UTF-8.",
}
"""What to do about faults of YAML, by a word of their message."""


def read_raw(path: Path, overrides: Mapping[str, str] | None, model: type[BaseModel]) -> dict[str, Any]:
    """Read a city's file as it was written: variables and relative paths stay what they are.

    Parameters
    ----------
    path
        The YAML file, or a GeoPackage that a run made.
    overrides
        Values, as YAML, that replace or add keys.
    model
        What the keys mean, see `geo.config.yaml_text`.

    Raises
    ------
    ConfigurationError
        When it cannot be read, or is not a mapping of keys.
    """
    try:
        if is_recorded(path):
            return _with(recorded(path), overrides, model)
        raw = read_yaml(path.read_bytes(), model)
    except OSError as error:
        raise ConfigurationError(
            f"the file cannot be read ({error.strerror}){'' if path.exists() else meant_file(path)}",
            where=str(path),
            todo="Give the path of a city's file.",
        ) from error
    except (yaml.YAMLError, ValueError, RecursionError) as error:
        told = " ".join(str(error).replace('in "<byte string>", ', "in ").split())
        if isinstance(error, RecursionError):
            told = "it contains itself"
        raise ConfigurationError(
            f"not valid YAML: {told}",
            where=str(path),
            todo=next((todo for word, todo in _TODO.items() if word in told), _QUOTED),
        ) from error
    if not isinstance(raw, dict) or not raw:
        raise ConfigurationError(
            "a mapping of keys is expected at the top",
            where=str(path),
            todo="Start from a file in data/cities.",
        )
    return _with(raw, overrides, model)


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


def _with(raw: dict[str, Any], overrides: Mapping[str, str] | None, model: type[BaseModel]) -> dict[str, Any]:
    """Replace or add keys."""
    for key, text in (overrides or {}).items():
        _set(raw, key, text, model)
    return raw


def _set(raw: dict[str, Any], key: str, text: str, model: type[BaseModel]) -> None:
    """Set a dotted key to a YAML value."""
    *parents, last = key.split(".")
    meant: Mapping[str, str] = getattr(model, "BARE_WORDS", {})
    if parents and isinstance(word := raw.get(parents[0]), str) and parents[0] in meant:
        raw[parents[0]] = {meant[parents[0]]: word}
    for parent in parents:
        if raw.get(parent) is None:
            raw[parent] = {}
        below = raw[parent]
        if not isinstance(below, dict):
            raise ConfigurationError(
                f"{parent!r} is not a section", where=f"--set {key}", todo="Mend the key."
            )
        raw = below
    try:
        raw[last] = read_value(text, model, key)
    except (yaml.YAMLError, ValueError, RecursionError) as error:
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
                f"the environment variable {name} is not set{meant(name, os.environ)}",
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
