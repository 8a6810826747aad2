"""The demo town, drawn once and kept."""

from __future__ import annotations

from pathlib import Path

from geo.demo.write import make_town
from tasks.stage import code_digest, digest, results_folder, unfinished

SEED = 1


def draw_demo(out: Path, *, seed: int = SEED) -> Path:
    """Draw the demo town, or find it drawn before by the same code.

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
        with unfinished(folder) as work:
            make_town(work, seed=seed)
    return folder / "city.yaml"
