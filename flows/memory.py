"""Memory that threads free goes back to all threads."""

from __future__ import annotations

import ctypes
import sys

_M_ARENA_MAX = -8
ARENAS = 2


def share_arenas() -> bool:
    """Have glibc's allocator keep few arenas (mallopt(3), ``M_ARENA_MAX``); elsewhere nothing is done.

    It makes one for each thread, up to eight a core, and each holds on to what its thread freed: with a thread a shard,
    a large city's run would take a third more memory.

    Returns
    -------
    Whether it was done.
    """
    if not sys.platform.startswith("linux"):
        return False
    mallopt = getattr(ctypes.CDLL(None), "mallopt", None)
    return mallopt is not None and mallopt(_M_ARENA_MAX, ARENAS) == 1
