"""What can go wrong, by the level at which it went wrong.

Errors are raised where the cause is known and caught once, at the edge (the command line or the flow).
Every message says what was found, where, and what to do about it, and shows no credential.
"""

from __future__ import annotations

from collections.abc import Iterable
from difflib import get_close_matches
from pathlib import Path

from geo.secrets import redact

ALIKE = 0.6
"""From which likeness on (`difflib`, 0 to 1) one word may be meant by another."""


def alike(word: object, known: Iterable[object], *, first: int = 1, least: float = ALIKE) -> list[str]:
    """Find the words that are known which are most like one that is not, whatever their case; the likest first.

    Examples
    --------
    >>> alike("Tile_m", ["tile_px", "tile_m", "k"], first=2)
    ['tile_m', 'tile_px']
    """
    own = {str(one).casefold(): str(one) for one in reversed(list(known))}
    return [own[one] for one in get_close_matches(str(word).casefold(), own, n=first, cutoff=least)]


def meant(word: object, known: Iterable[object]) -> str:
    """Say which of the words that are known is like one that is not; empty where none is.

    Examples
    --------
    >>> meant("higway", ["highway", "name"]), meant("x", ["highway", "name"])
    ('; did you mean highway?', '')
    """
    like = alike(word, known)
    return f"; did you mean {like[0]}?" if like else ""


def meant_file(path: Path) -> str:
    """Say which of the files and folders beside one that is not there is called like it; empty where none is."""
    try:
        beside = sorted(one.name for one in path.parent.iterdir())
    except OSError:
        return ""
    return meant(path.name, beside)


class RoadprintError(Exception):
    """An input or a configuration that cannot be run.

    Parameters
    ----------
    what
        What was found, in one sentence, naming the key, column or value.
    where
        The file, layer or key concerned.
    todo
        What the user can do about it.
    """

    def __init__(self, what: str, *, where: str = "", todo: str = "") -> None:
        self.what, self.where, self.todo = map(redact, (what, where, todo))
        lead = f"{self.where}: {self.what}" if where else self.what
        super().__init__(f"{lead}\n  {self.todo}" if todo else lead)

    def __reduce__(self) -> tuple[object, ...]:
        return (_rebuild, (type(self), self.what, self.where, self.todo))


def _rebuild(kind: type[RoadprintError], what: str, where: str, todo: str) -> RoadprintError:
    """Make an error again after it crossed a process boundary."""
    return kind(what, where=where, todo=todo)


class ConfigurationError(RoadprintError):
    """A key, type, unit or path in the city's file."""


class SourceError(RoadprintError):
    """A file or URL that cannot be read at all."""


class FullDiskError(RoadprintError):
    """A disk, or the share of it that the user may fill, has no room left."""


class ServerError(RoadprintError):
    """A Prefect server that is not there, or refuses what it is asked for."""


class BusyError(RoadprintError):
    """A folder of results that another run holds."""


class LayerError(RoadprintError):
    """A source that can be read but lacks what is needed (column, CRS, rows, overlap)."""


class EncoderError(RoadprintError):
    """An encoder that cannot be used: unknown, without weights, or without normalisation."""


class NoMapsError(EncoderError):
    """An encoder that can be used, but not to tell what lies on the ground."""


class WordError(RoadprintError):
    """What an analyst says of types that cannot hold: a type that is not there, a contradiction."""


class ChangedError(RoadprintError):
    """What was to be changed is not any more what it was: somebody else has said something meanwhile."""


class BlindError(RoadprintError):
    """Collisions that are asked for while types are corrected, by a page that does not say so."""
