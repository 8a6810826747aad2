"""roadprint: a visual fingerprint for every road segment of a city, and what is known about collisions on each type.

The code is in three packages beside this one, `geo`, `tasks` and `flows`. Those are names that other people use as
well, for a folder with their own scripts for example. Once this package is imported, the three names mean the packages
that stand beside it, whatever lies in the working folder or on ``PYTHONPATH``. Importing it imports nothing more, and
sets nothing in the environment; what it offers is imported when it is asked for.

Raises
------
ImportError
    When somebody else's package of one of these names is imported already.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from importlib import import_module
from importlib.machinery import ModuleSpec, PathFinder
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from flows.city import city_flow
    from flows.running import run_city
    from geo.errors import ConfigurationError, EncoderError, LayerError, RoadprintError, SourceError
    from tasks.opened import OpenRun
    from tasks.opened import open_run as open  # noqa: A004 - roadprint.open, as gzip.open

__all__ = [
    "ConfigurationError",
    "EncoderError",
    "LayerError",
    "OpenRun",
    "RoadprintError",
    "SourceError",
    "city_flow",
    "open",
    "run_city",
]

_BESIDE = Path(__file__).resolve().parents[1]
_FLOORS = ("geo", "tasks", "flows")
_PLACES = {
    "city_flow": "flows.city",
    "run_city": "flows.running",
    "open": "tasks.opened:open_run",
    "OpenRun": "tasks.opened",
    **dict.fromkeys(
        ("ConfigurationError", "EncoderError", "LayerError", "RoadprintError", "SourceError"), "geo.errors"
    ),
}
"""The module that each name is taken from, and what it is called there where that differs."""


class _Beside:
    """Finds the three packages beside this one, before any of the same name that lies elsewhere."""

    @staticmethod
    def find_spec(
        fullname: str,
        path: Sequence[str] | None = None,  # noqa: ARG004 - the interface's
        target: ModuleType | None = None,
    ) -> ModuleSpec | None:
        """Find one of the three; None for any other name."""
        if fullname not in _FLOORS:
            return None
        found = PathFinder.find_spec(fullname, [str(_BESIDE)], target)
        if found is None or found.origin is None:
            raise ModuleNotFoundError(
                f"roadprint is not whole: {_BESIDE} has no package {fullname!r}", name=fullname
            )
        return found


def _refuse_strangers() -> None:
    """Make sure that what is imported already under one of the three names is ours."""
    for name in _FLOORS:
        module = sys.modules.get(name)
        if module is None:
            continue
        places = [Path(place).resolve() for place in getattr(module, "__path__", ())]
        if _BESIDE / name not in places:
            where = getattr(module, "__file__", None) or ", ".join(map(str, places))
            raise ImportError(
                f"roadprint has a package {name!r}, and another one is imported already: {where}. "
                "Import roadprint before it, or rename the other one.",
                name=name,
                path=where,
            )


def __getattr__(name: str) -> object:
    """Import what is asked for (PEP 562): torch and Prefect take seconds."""
    if name not in _PLACES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    module, _, there = _PLACES[name].partition(":")
    return getattr(import_module(module), there or name)


def __dir__() -> list[str]:
    """List what there is, what is not imported yet included."""
    return sorted({*globals(), *_PLACES})


_refuse_strangers()
sys.meta_path.insert(0, _Beside())
