"""Credentials while a city runs: fetched from Prefect's blocks, and kept out of logs, messages and states."""

from __future__ import annotations

import json
import logging
import traceback
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import yaml

from geo.config import CityConfig
from geo.config.file import read_raw
from geo.errors import ConfigurationError, RoadprintError
from geo.secrets import BLOCK, PLACEHOLDER, hide_all, redact, remember


def without_literals(overrides: Mapping[str, str]) -> dict[str, str]:
    """Replace credentials that overrides hold by names that this process knows: a flow's parameters are recorded."""
    clean = {}
    for key, text in overrides.items():
        try:
            value = yaml.safe_load(text)
        except (yaml.YAMLError, ValueError):
            value = text
        hidden = hide_all(value)
        # a value without credentials stays as it was written
        clean[key] = text if hidden == value else json.dumps(hidden)
    return clean


def unlock(city: Path, overrides: Mapping[str, str] | None) -> None:
    """Fetch the Secret blocks that a city's file names (``${secret:NAME}``), for this process.

    Raises
    ------
    ConfigurationError
        When the server has no such block.
    """
    # as text, whatever the structure: a name counts wherever it stands
    written = json.dumps(read_raw(city, overrides, CityConfig), default=str, skipkeys=True)
    names = {name for name in PLACEHOLDER.findall(written) if name.startswith(BLOCK)}
    if not names:
        return
    # few cities need it, and it takes a second
    from prefect.blocks.system import Secret  # noqa: PLC0415
    from prefect.settings import PREFECT_API_URL  # noqa: PLC0415

    from flows.server import not_there, unanswered  # noqa: PLC0415

    if not PREFECT_API_URL.value():
        raise ConfigurationError(
            f"it names Secret blocks ({', '.join(sorted(names))}), and no Prefect server is configured",
            where=str(city),
            todo="Set PREFECT_API_URL to the server that has them, or write ${NAME} for a variable of the environment.",
        )
    for name in sorted(names):
        block = name.removeprefix(BLOCK)
        try:
            loaded: Any = Secret.load(block)
        except unanswered() as error:
            raise not_there(str(PREFECT_API_URL.value()), error) from error
        except ValueError as error:
            raise ConfigurationError(
                f"there is no Secret block {block!r} in Prefect's server",
                where=str(city),
                todo="Save it in Prefect's page (Blocks > Secret), or mend the name. A run without PREFECT_API_URL has "
                "a server of its own, which has no blocks.",
            ) from error
        remember({name: str(loaded.get())})


@contextmanager
def concealed() -> Iterator[None]:
    """Let no error out of here whose text, or that of what caused it, shows a credential."""
    try:
        yield
    except RoadprintError as error:
        _cleanse(error)
        raise
    except Exception as error:
        _cleanse(error)
        if redact(str(error)) == str(error):
            raise
        raise RuntimeError(f"{type(error).__name__}: {redact(str(error))}") from None


def _cleanse(error: BaseException) -> None:
    """Clean the texts of an error and of those that led to it; these are cut off where that cannot be done."""
    seen: list[BaseException] = []
    link: BaseException | None = error
    while link is not None and link not in seen:
        seen.append(link)
        _clean_text(link)
        for name in ("__cause__", "__context__"):
            below = getattr(link, name)
            if below is not None and not _clean_text(below):
                setattr(link, name, None)
        link = link.__cause__ or link.__context__


def _clean_text(error: BaseException) -> bool:
    """Take credentials out of an error's text; tells whether it shows none now."""
    args = tuple(redact(part) if isinstance(part, str) else part for part in error.args)
    if args != error.args:
        with suppress(AttributeError):
            # GDAL's own errors do not let theirs be replaced
            error.args = args
    shown = f"{error} {error!r}"
    return redact(shown) == shown


def guard_logs() -> None:
    """Take credentials out of every line that this process logs from now on, whoever writes it."""
    make = logging.getLogRecordFactory()
    if getattr(make, "guards", False):
        return

    def guarded(*args: Any, **kwargs: Any) -> logging.LogRecord:  # noqa: ANN401 - a record's own arguments
        record = make(*args, **kwargs)
        try:
            said = record.getMessage()
        except (TypeError, ValueError):
            # a faulty call of somebody else's, which its handler reports
            return record
        clean = redact(said)
        if clean != said:
            record.msg, record.args = clean, None
        if record.exc_info and record.exc_info[0] is not None:
            # with all that led to it, as a handler would write it
            shown = "".join(traceback.format_exception(*record.exc_info))
            if redact(shown) != shown:
                record.exc_text, record.exc_info = redact(shown).rstrip(), None
        return record

    guarded.guards = True  # type: ignore[attr-defined]
    logging.setLogRecordFactory(guarded)
