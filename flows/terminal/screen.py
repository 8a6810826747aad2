"""Whether somebody sits before a screen, and showing a file there."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import webbrowser
from collections.abc import Callable
from pathlib import Path

_SCREENS = ("DISPLAY", "WAYLAND_DISPLAY")
OPENER_S = 3.0
"""An opener that has not failed by then has opened: some stay as long as what they opened."""
_BY_BROWSER = (".html",)
_SHOWN = {".html", ".gpkg", ".qgz", ".xlsx"}
"""Endings of files that are shown by a program; nothing that a system would run is among them."""


def has_screen() -> bool:
    """Tell whether a browser with windows can be opened; one in the terminal would take it over."""
    return sys.platform in {"win32", "darwin"} or any(os.environ.get(name) for name in _SCREENS)


def show(place: Path) -> bool:
    """Show a file or a folder with the program that the system has for it.

    Parameters
    ----------
    place
        A folder, or a file of a kind that is looked at.

    Returns
    -------
    Whether it is shown: not where there is no screen, or no program for it.
    """
    if not has_screen() or not (place.is_dir() or place.suffix.lower() in _SHOWN):
        return False
    opener = _OPENERS.get(sys.platform, _by_desktop)
    # of a path that is whole no part can be taken for an option
    return opener(place.resolve())


def _by_windows(place: Path) -> bool:
    """Show it by the shell of Windows; a folder by the Explorer, which runs nothing in it."""
    if place.is_dir():
        return _started(["explorer.exe", str(place)])
    try:
        os.startfile(place)  # type: ignore[attr-defined,unused-ignore]  # noqa: S606 - a kind that is looked at
    except OSError:
        return False
    return True


def _by_mac(place: Path) -> bool:
    """Show it by macOS; a folder by the Finder, or one called like a program would be run."""
    return _started(["open", "-a", "Finder", str(place)] if place.is_dir() else ["open", str(place)])


def _by_desktop(place: Path) -> bool:
    """Show it by what the desktop has for it, and a page by the browser where it has nothing."""
    opener = shutil.which("xdg-open")
    if opener is not None and _started([opener, str(place)]):
        return True
    return place.suffix.lower() in _BY_BROWSER and webbrowser.open(place.as_uri())


_OPENERS: dict[str, Callable[[Path], bool]] = {"win32": _by_windows, "darwin": _by_mac}


def _started(words: list[str]) -> bool:
    """Start a program that goes on by itself; tells whether it has not failed at once."""
    nothing = subprocess.DEVNULL
    try:
        process = subprocess.Popen(  # noqa: S603 - no shell reads it
            words, stdin=nothing, stdout=nothing, stderr=nothing, start_new_session=True
        )
        return process.wait(OPENER_S) == 0
    except OSError:
        return False
    except subprocess.TimeoutExpired:
        return True
