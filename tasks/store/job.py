"""A piece of a stage's work that is done by itself, on this machine or on another, and kept under its own digest."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, Self

from tasks.store.stage import read_account

if TYPE_CHECKING:
    from geo.config import CityConfig
    from geo.ledger import Entry


@dataclass(frozen=True, kw_only=True)
class Job(ABC):
    """The work of one shard: paths and settings, no frames.

    Attributes
    ----------
    shard
        Name of the shard (`geo.tiles.shards.assign_shards`).
    out
        Path of the Parquet file to write.
    n_tiles
        How many tiles, or chips of ground, the shard holds.
    config
        The city's configuration, paths absolute.
    code
        Digest of the code that does it and of the libraries that it uses, on the machine that runs the city.
    """

    READS: ClassVar[tuple[str, ...]] = ()
    """Which of its attributes are paths of files that it reads, or None."""

    shard: str
    out: Path
    n_tiles: int
    config: CityConfig
    code: str

    @abstractmethod
    def work(self) -> tuple[Entry, ...]:
        """Write `out` with its account, unless it is there; gives what became of its items."""

    @property
    def account(self) -> Path:
        """What became of its items; it is there when the shard is whole."""
        return self.out.with_suffix(".json")

    @property
    def reads(self) -> list[Path]:
        """The files that it reads."""
        return [path for name in self.READS if (path := getattr(self, name)) is not None]

    def elsewhere(self, places: Mapping[Path, Path], out: Path) -> Self:
        """Give the same work where its files lie in other places, by those that they have now."""
        moved: dict[str, Any] = {
            name: places[path] for name in self.READS if (path := getattr(self, name)) is not None
        }
        return replace(self, out=out, **moved)

    def is_done(self) -> bool:
        """Tell whether the shard is there as it was left; one that is damaged is told, and is not there any more."""
        return read_account(self.account) is not None
