"""A stage reads no key of the configuration that does not name its kept work."""

from collections import defaultdict

import pytest
from pydantic import BaseModel

from geo.config import CityConfig
from geo.config.section import Section, effective, leaf_keys, marked, sections
from tasks.planning import make_plan
from tasks.stages.order import STAGES
from tasks.store.stage import ALL_BEFORE, run_stage

FAST = {
    "encoder.name": "bands",
    "clusters.k": "4",
    "safety.permutations": "19",
    "safety.concentration.hot_spot_permutations": "99",
}
BY_NAME = {stage.name: stage for stage in STAGES}


def keys_by_section(section, above=""):
    """Name the keys of every section that a configuration holds, by the section itself."""
    found = {}
    for name, field in type(section).model_fields.items():
        key, value = f"{above}{field.alias or name}", getattr(section, name)
        if isinstance(value, BaseModel):
            found |= keys_by_section(value, f"{key}.")
        elif value is not None or not sections(field):
            # that a section is not there is told by each of its keys
            found[id(section), name] = key
    return found


@pytest.fixture
def reading(monkeypatch):
    """Note down which keys of a configuration are read, by the stage at work."""
    read, at_work = defaultdict(set), []

    def note(self, name):
        if at_work and (key := at_work[1].get((id(self), name))):
            read[at_work[0]].add(key)
        return object.__getattribute__(self, name)

    def run(stage, plan):
        at_work[:] = [stage.name, keys_by_section(plan.config)]
        run_stage(stage, plan)
        at_work.clear()

    monkeypatch.setattr(Section, "__getattribute__", note, raising=False)
    return run, read


def names(stage, config):
    """Name the keys that name the kept work of a stage, or of one before it."""
    found = set(effective(config, stage.settings))
    before = [one.name for one in STAGES[: STAGES.index(stage)]]
    for earlier in before if stage.after == ALL_BEFORE else stage.after:
        found |= names(BY_NAME[earlier], config)
    return found


def test_a_stage_reads_no_key_that_does_not_name_its_work(town, tmp_path, reading):
    run, read = reading
    plan = make_plan(town.city, FAST, tmp_path)
    for stage in STAGES:
        run(stage, plan)
    # told by `Stage.also`, by the numbers that types keep, and by the bytes of a file that is an input
    told = {"clusters.keep_numbers", "clusters.typology"}
    elsewhere = {"pictures": {"output.thumbnails"}, "clusters": told}
    for stage in STAGES:
        free = marked(CityConfig) | elsewhere.get(stage.name, set())
        assert read[stage.name] - names(stage, plan.config) - free == set(), stage.name
    # what is noted down is what is read
    assert {"tiles.spacing_m", "tiles.tile_m"} <= read["tiles"]
    assert {"safety.permutations", "safety.seed"} <= read["inference"]
    assert set().union(*read.values()) <= set(leaf_keys(CityConfig))
