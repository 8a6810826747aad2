"""The flow that finds types of road in several cities together, from their files or from runs that ended."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Literal

from prefect import flow
from pydantic import Field

from flows.city import TWO_AT_ONCE, run_one, say_cancelled, stoppable
from flows.page.progress import run_progress
from flows.page.telling import logged
from flows.progress import say
from flows.secrets import concealed, guard_logs, unlock
from geo.clusters.typology.fit import CityLooks
from tasks.planning import make_plan, runs_of
from tasks.store.folder import city_folder
from tasks.store.lock import one_run
from tasks.store.status import usual_seconds
from tasks.typology.fitting import fit_cities, looks_of_folders, read_earlier, settings_of
from tasks.typology.looks import STAGES_OF_LOOKS, is_city_file, looks_of_plan, not_in, spread

CITIES: Any = Field(
    description="Cities' files, folders of finished runs or of cities, and folders that hold these."
)
FILE: Any = Field(description="The typology, a path that ends in .safetensors.")
WEIGHT: Any = Field(default="city", description="What counts alike: cities, metres of road, or segments.")
SETTINGS: Any = Field(default=None, description='Keys of the section clusters: {"clusters.k": "6"}.')
NAMES_FROM: Any = Field(
    default=None, description="A typology whose numbers, names and colours are carried on."
)
RUNS: Any = Field(
    default=None, description="Folder for what is made of cities' files, instead of output.folder."
)
ENOUGH: Any = Field(
    default=0,
    ge=0,
    description="Fit only where so many cities are not in the file yet, and carry its names on.",
)
NO_TYPOLOGY = {"clusters.typology": "null"}
"""Types are found anew: whether the file of before is there makes no difference."""


@flow(
    name="typology-flow",
    description="Types of road found in several cities together, kept in a file.",
    task_runner=TWO_AT_ONCE,
    persist_result=False,
    on_crashed=[say_cancelled],
    on_failure=[say_cancelled],
)
def typology_flow(
    cities: list[str] = CITIES,
    file: str = FILE,
    weight: Literal["city", "length", "segment"] = WEIGHT,
    settings: dict[str, str] | None = SETTINGS,
    names_from: str | None = NAMES_FROM,
    runs: str | None = RUNS,
    enough: int = ENOUGH,
) -> dict[str, Any]:
    """Fit a typology; of a city's file the stages up to the fingerprints are made where they are missing.

    Parameters
    ----------
    cities
        Paths of cities' files, and of folders of finished runs or of cities.
    file
        Path of the typology.
    weight
        See `geo.clusters.typology.fit.fit_typology`.
    settings
        Keys of the section ``clusters``.
    names_from
        Path of the typology whose numbers, names and colours are carried on.
    runs
        Folder for results of cities' files, instead of their ``output.folder``.
    enough
        Number of cities that are not in the file yet from which it is fitted anew, on all of `cities`, with its names
        carried on; 0: it is fitted in any case.

    Returns
    -------
    What the command line prints; with `enough`, ``waiting``: the cities that are too few for it yet.

    Examples
    --------
    >>> sorted(typology_flow.parameters.properties)
    ['cities', 'enough', 'file', 'names_from', 'runs', 'settings', 'weight']
    """
    guard_logs()
    with concealed(), stoppable(), logged():
        asked, there = settings_of(settings or {}), Path(file)
        if enough and names_from is None and there.exists():
            names_from = file
        earlier = read_earlier(there, None if names_from is None else Path(names_from))
        out = None if runs is None else Path(runs)
        looks = [
            _looks(place, out) if is_city_file(place) else looks_of_folders([place])[0]
            for place in spread(map(Path, cities))
        ]
        new = not_in(earlier, looks)
        if enough and len(new) < enough:
            say(f"{len(new)} new cities are fewer than {enough}: the typology stays as it is")
            return {"file": file, "waiting": new}
        say(f"Types of {len(looks)} cities, of which {len(new)} are new")
        return fit_cities(looks, there, asked, weight=weight, earlier=earlier)


def _looks(city: Path, out: Path | None) -> CityLooks:
    """Make the stages behind a city's fingerprints, or find them made."""
    config, folder = runs_of(city, NO_TYPOLOGY, out)
    city_folder(folder, config.city)
    unlock(city, NO_TYPOLOGY)
    with one_run(folder, wait=config.output.when_busy == "wait", tell=say):
        plan = make_plan(city, NO_TYPOLOGY, out)
        usual = usual_seconds(folder)
        say(f"{plan.config.city}: what its roads look like")
        with run_progress(plan.config.city, STAGES_OF_LOOKS, usual) as page:
            for name in STAGES_OF_LOOKS:
                run_one(name, plan, usual.get(name), page)
        return looks_of_plan(plan)
