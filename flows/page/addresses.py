"""At which addresses the files of runs can be reached from a browser, where a web server has them.

Browsers follow no link from a page to a file, so that a page of Prefect's links to results only where somebody serves
them. Where nobody does, it names their paths.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote, urlsplit

from geo.errors import ConfigurationError
from geo.secrets import redact

VARIABLE = "ROADPRINT_RUNS_URL"
"""Of a run's environment: where results are served."""
_SCHEMES = ("http", "https")


@dataclass(frozen=True, slots=True)
class Served:
    """A folder that a web server has.

    Attributes
    ----------
    url
        Its address, without a slash at the end.
    folder
        The folder; None: the folder of results, which holds the folders of cities.
    """

    url: str
    folder: Path | None = None

    @property
    def text(self) -> str:
        """As `served_at` reads it."""
        return self.url if self.folder is None else f"{self.folder}={self.url}"

    def link(self, file: Path, results: Path) -> str | None:
        """Give the address of a file, or of a folder; None where it is not below the folder that is served.

        Parameters
        ----------
        file
            Its path.
        results
            The folder of results.
        """
        base = results if self.folder is None else self.folder
        for path, start in ((plain(file), plain(base)), (file.resolve(), base.resolve())):
            if path.is_relative_to(start):
                return f"{self.url}/{quote(path.relative_to(start).as_posix())}"
        return None


def plain(path: Path) -> Path:
    """Write a path from the root on; one with steps upwards as where it leads to."""
    return path.resolve() if ".." in path.parts else path.absolute()


def served_at(text: str, where: str = VARIABLE) -> Served:
    """Read where results are served.

    Parameters
    ----------
    text
        ``http://maps.example/runs``: the address of the folder of results; or ``/srv/roadprint=http://...``: that of
        another folder, which holds them.
    where
        Who says so.

    Raises
    ------
    ConfigurationError
        When it is neither.

    Examples
    --------
    >>> served_at("https://maps.example/runs/").link(Path("/srv/runs/leeds/1a2b/report.html"), Path("/srv/runs"))
    'https://maps.example/runs/leeds/1a2b/report.html'
    >>> served_at("/srv=https://maps.example").link(Path("/home/ann/runs/leeds"), Path("/home/ann/runs")) is None
    True
    """
    stripped = text.strip()
    cut = stripped.find("=http")
    folder, url = (None, stripped) if cut < 0 else (Path(stripped[:cut]), stripped[cut + 1 :])
    faulty = _fault(folder, url)
    if faulty:
        raise ConfigurationError(
            faulty,
            where=where,
            todo="Write the address at which the folder of results is served, such as https://maps.example/runs, or "
            "FOLDER=ADDRESS where another folder is.",
        )
    return Served(url.rstrip("/"), folder)


def _fault(folder: Path | None, url: str) -> str:
    """Say what is wrong with an address, or the folder that it is of; empty: nothing."""
    try:
        parts = urlsplit(url)
        named = bool(parts.hostname) and parts.port != 0
    except ValueError:
        return "the address cannot be read"
    if parts.scheme not in _SCHEMES or not named or not url.isprintable() or " " in url:
        return f"it is no address of a web server (found {redact(url)!r:.80})"
    if parts.username is not None or parts.query or parts.fragment:
        return "the address has more than a host and a path"
    if folder is not None and not folder.is_absolute():
        return f"the folder's path does not begin at the root (found {str(folder)!r:.80})"
    return ""


def served_here(environment: Mapping[str, str] = os.environ) -> Served | None:
    """Read from the environment where results are served; None: nowhere.

    Raises
    ------
    ConfigurationError
        When what it says is no address.
    """
    text = environment.get(VARIABLE, "").strip()
    return served_at(text) if text else None
