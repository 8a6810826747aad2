"""The demo town, drawn once and kept."""

from __future__ import annotations

import re
import shutil
from pathlib import Path

from filelock import FileLock

from geo.demo.write import make_town
from tasks.stage import code_digest, digest, results_folder, unfinished

SEED = 1
LOCK = ".town.lock"
_REMAINS = re.compile(r"\.town-[0-9a-f]{16}-[A-Za-z0-9_]{8}(-old)?")


def draw_demo(out: Path, *, seed: int = SEED) -> Path:
    """Draw the demo town, or find it drawn before by the same code.

    One process draws at a time; others wait for it, and find what it has drawn.

    Parameters
    ----------
    out
        Folder for results; the town goes to ``<out>/town-<digest>``.
    seed
        Of the town.

    Returns
    -------
    Path of its city file.
    """
    folder = results_folder(out.resolve()) / f"town-{digest(seed, code_digest('geo/demo', 'geo/roads'))}"
    if not folder.exists():
        with FileLock(folder.with_name(LOCK)):
            _sweep(folder.parent)
            if not folder.exists():
                with unfinished(folder) as work:
                    make_town(work, seed=seed)
    return folder / "city.yaml"


def _sweep(out: Path) -> None:
    """Remove what was half drawn when its process was killed; for whoever holds the lock, as nobody draws then."""
    for left in out.glob(".town-*"):
        if _REMAINS.fullmatch(left.name) and left.is_dir() and not left.is_symlink():
            shutil.rmtree(left)
