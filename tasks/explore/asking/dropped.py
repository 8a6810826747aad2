"""Pictures that were dropped on the page, as examples: encoded once, and kept."""

from __future__ import annotations

import base64
import binascii
import hashlib
import tempfile
import threading
from collections import OrderedDict
from dataclasses import replace
from pathlib import Path

from geo.errors import LayerError, RoadprintError
from geo.features.encoder import Encoder
from geo.search.example import Example
from tasks.explore.asking.wishes import Dropped
from tasks.results.encoded import encoder_of, picture_example, tile_side
from tasks.results.opened import OpenRun

MOST_KEPT = 200
"""So many pictures are at hand; the ones asked for least lately go first."""
LETTERS = 80
"""A picture is called by so many letters of its name."""


class Pictures:
    """Pictures as examples of a run.

    Parameters
    ----------
    run
        The run.
    """

    def __init__(self, run: OpenRun) -> None:
        self._run = run
        self._kept: OrderedDict[str, Example] = OrderedDict()
        self._encoder: Encoder | None = None
        self._lock = threading.Lock()

    def example(self, dropped: Dropped) -> tuple[str, Example]:
        """Take a picture as an example, with the key that it is called by from now on.

        Raises
        ------
        LayerError, SourceError, EncoderError
            When it is not at hand any more, or cannot be encoded: see `tasks.results.finding.picture_example`.
        """
        name = "".join(one for one in dropped.name if one.isprintable()).strip()[:LETTERS] or "picture"
        if dropped.data is None:
            return dropped.key or "", self._at_hand(dropped.key, name)
        data = _bytes(dropped.data, name)
        key = hashlib.sha256(data + f" {dropped.pixel_m} {name}".encode(errors="replace")).hexdigest()[:16]
        # one at a time: a picture may take a second, and hundreds of megabytes
        with self._lock:
            if key not in self._kept:
                self._kept[key] = self._encoded(data, name, dropped.pixel_m)
            self._kept.move_to_end(key)
            while len(self._kept) > MOST_KEPT:
                self._kept.popitem(last=False)
            return key, self._kept[key]

    def _at_hand(self, key: str | None, name: str) -> Example:
        found = self._kept.get(key or "")
        if found is None:
            raise LayerError("the picture is not at hand any more", where=name, todo="Drop it once more.")
        return found

    def _encoded(self, data: bytes, name: str, pixel_m: float | None) -> Example:
        """Encode a picture from a file of its own, which is gone afterwards."""
        with tempfile.TemporaryDirectory(prefix="roadprint-") as folder:
            file = Path(folder) / "picture"
            file.write_bytes(data)
            try:
                found = picture_example(self._run, file, tile_side(self._run), pixel_m, self._encoder_at)
            except RoadprintError as error:
                raise type(error)(
                    error.what, where=_without(error.where, file, name), todo=error.todo
                ) from error
        return replace(found, label=name)

    def _encoder_at(self, run: OpenRun, tile_m: float) -> Encoder:
        if self._encoder is None:
            self._encoder = encoder_of(run, tile_m)
        return self._encoder


def _bytes(data: str, name: str) -> bytes:
    """Read base64."""
    try:
        found = base64.b64decode(data, validate=True)
    except (binascii.Error, ValueError) as error:
        raise LayerError("the picture did not arrive whole", where=name, todo="Drop it once more.") from error
    return found


def _without(where: str, file: Path, name: str) -> str:
    """Say the picture's own name in place of that of the file that it was put in."""
    return name if where == str(file) else where
