"""Rasters behind HTTP and in object storage: how GDAL asks for them, and what happens when an answer fails.

GDAL fetches the parts that it needs. It asks again when a server is busy, but takes an answer that was cut off for the
end of the file, and remembers it: such a part is forgotten here, and asked for again.
"""

from __future__ import annotations

import os
import time
from collections import Counter
from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext, suppress
from typing import TypeVar

import rasterio
from rasterio.errors import RasterioError

from geo.addresses import is_url, reveal
from geo.errors import SourceError
from geo.imagery.patience import patience
from geo.secrets import redact

Result = TypeVar("Result")

WAITS_S = (0.5, 1.0, 2.0)
"""Before a part that came back cut off is asked for again."""
MOST_IN_VAIN = 5
"""Parts of one raster that were asked for again in vain, after which no more is waited for it: it is damaged."""
_GONE = ("response code: 404", "response code: 410", "does not exist", "NoSuchKey")
_NO_RASTER = "not recognized as"

_in_vain: Counter[str] = Counter()


def opening(path: str) -> AbstractContextManager[object]:
    """Give the settings to open a raster with: the folder of a remote one is not listed, its sidecars are asked for."""
    if not is_url(path) or "GDAL_DISABLE_READDIR_ON_OPEN" in os.environ:
        return nullcontext()
    settings: AbstractContextManager[object] = rasterio.Env(GDAL_DISABLE_READDIR_ON_OPEN="TRUE")
    return settings


def persistently(path: str, read: Callable[[], Result]) -> Result:
    """Read from a raster; from a remote one again, after a while, when that fails.

    Parameters
    ----------
    path
        Path or URL of the raster, as configured.
    read
        Opens the raster anew: what is open keeps what it has.

    Raises
    ------
    RasterioError
        When it is not there, or its bytes cannot be decoded.
    SourceError
        When it cannot be reached: what is lost then is not the raster's fault, and may be there tomorrow.
    """
    if not is_url(path):
        return read()
    for wait in (*(WAITS_S if _in_vain[path] < MOST_IN_VAIN else ()), None):
        try:
            with rasterio.Env(**patience(os.environ)):
                found = read()
        except RasterioError as error:
            if _is_gone(error):
                raise
            _forget(path)
            if wait is None:
                _check_there(path)
                _in_vain[path] += 1
                raise
            time.sleep(wait)
        else:
            _in_vain.pop(path, None)
            return found
    raise AssertionError("unreachable: the last round returns or raises")


def _is_gone(error: RasterioError) -> bool:
    """Tell whether a server says that it has no such file."""
    return any(mark in str(error) for mark in _GONE)


def _forget(path: str) -> None:
    """Have GDAL forget what it has of a remote file: it does so when one that it shall not keep is closed."""
    with rasterio.Env(CPL_VSIL_CURL_NON_CACHED="/vsi"), suppress(RasterioError):
        rasterio.open(reveal(path)).close()


def _check_there(path: str) -> None:
    try:
        with opening(path):
            rasterio.open(reveal(path)).close()
    except RasterioError as error:
        if _is_gone(error) or _NO_RASTER in str(error):
            return
        raise SourceError(
            f"the imagery cannot be reached ({redact(' '.join(str(error).split()))})",
            where=redact(path),
            todo="Look at its server, the connection and the token, if it needs one. What was finished is kept, the "
            "same command goes on from there.",
        ) from error
