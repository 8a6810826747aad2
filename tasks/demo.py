"""The demo town, drawn once and kept."""

from __future__ import annotations

import re
from pathlib import Path

from filelock import FileLock

from geo.demo.plans import NAMES, SEED
from geo.demo.write import make_town
from tasks.store.code import code_digest
from tasks.store.document import digest
from tasks.store.folder import results_folder
from tasks.store.housekeeping import remove_remains
from tasks.store.stage import unfinished

LOCK = ".town.lock"
_REMAINS = re.compile(r"\.town-[0-9a-f]{16}-[A-Za-z0-9_]{8}(-old)?")


def draw_demo(out: Path, *, seed: int = SEED, plan: str = NAMES[0]) -> Path:
    """Draw the demo town, or find it drawn before by the same code.

    One process draws at a time; others wait for it, and find what it has drawn.

    Parameters
    ----------
    out
        Folder for results; the town goes to ``<out>/town-<digest>``.
    seed
        Seed of the town's picture, rates and collisions, and of what a kind of plan leaves open.
    plan
        How its roads lie: one of `geo.demo.plans.NAMES`.

    Returns
    -------
    Path of its city file.
    """
    folder = results_folder(out.resolve()) / f"town-{digest(seed, plan, code_digest('geo.demo.write'))}"
    if not folder.exists():
        with FileLock(folder.with_name(LOCK)):
            remove_remains(folder.parent, _REMAINS)
            if not folder.exists():
                with unfinished(folder) as work:
                    make_town(work, seed=seed, plan=plan, treated=True, mapped=True)
    return folder / "city.yaml"
