"""What makes a run short, where it matters that there is one, and not what it finds; and stages without a run."""

import shutil

from tasks.planning import make_plan
from tasks.stages.order import STAGES
from tasks.store.stage import run_stage

FEW = {
    "clusters.resamples": "2",
    "clusters.groupings": "3",
    "safety.permutations": "99",
    "safety.rank_draws": "1000",
    "safety.block_m": "50000",
    "safety.concentration.hot_spot_permutations": "99",
}
"""Fewer draws behind p-values, ranks and intervals, and no parts of town to predict from others: both take most of the
time that a run takes after its tiles."""
OVERRIDES = {"encoder.name": "bands", "clusters.k": "4"} | FEW
CLOSE = OVERRIDES | {"tiles.spacing_m": "20"}
"""With tiles so close to each other that they make many shards."""


def chosen(settings):
    """Lay settings out for the command line."""
    return [word for key, value in settings.items() for word in ("--set", f"{key}={value}")]


QUICK = chosen(OVERRIDES)


def run_stages(city, settings, out, *, last):
    """Run the stages up to one, in this process and without Prefect; gives their plan."""
    plan = make_plan(city, settings, out)
    names = [stage.name for stage in STAGES]
    for stage in STAGES[: names.index(last) + 1]:
        run_stage(stage, plan)
    return plan


def lay_stages(made, out, *, but=("tiles", "features")):
    """Lay stages of a run out where another one is to be, which makes the others itself, and its results."""
    for folder in sorted((made / "demo-town" / "stages").glob("*-*")):
        if folder.name.rpartition("-")[0] not in but:
            shutil.copytree(folder, out / "demo-town" / "stages" / folder.name)
