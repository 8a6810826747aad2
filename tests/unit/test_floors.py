"""The three floors and the door above them: roadprint imports flows imports tasks imports geo, and never upwards."""

import ast
from pathlib import Path

import pytest

TOP = Path(__file__).resolve().parents[2]
FLOORS = {"geo": 0, "tasks": 1, "flows": 2, "roadprint": 3}
BESIDE = {"bench", "tests"}
"""Folders of the checkout that no wheel holds."""
MODULES = sorted(p for floor in FLOORS for p in (TOP / floor).rglob("*.py"))


def imported(module):
    for node in ast.walk(ast.parse(module.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and not node.level:
            yield node.module


def floor(module):
    return module.relative_to(TOP).parts[0]


@pytest.mark.parametrize(
    "module", [m for m in MODULES if floor(m) != "roadprint"], ids=lambda p: str(p.relative_to(TOP))
)
def test_no_import_runs_upwards(module):
    tops = {name.split(".")[0] for name in imported(module)}
    assert [top for top in tops if FLOORS.get(top, -1) > FLOORS[floor(module)]] == []


@pytest.mark.parametrize("module", MODULES, ids=lambda p: str(p.relative_to(TOP)))
def test_no_floor_needs_what_stands_beside_it(module):
    assert not BESIDE & {name.split(".")[0] for name in imported(module)}


@pytest.mark.parametrize(
    "module", [m for m in MODULES if m.is_relative_to(TOP / "geo")], ids=lambda p: p.name
)
def test_the_science_knows_no_prefect(module):
    assert "prefect" not in {name.split(".")[0] for name in imported(module)}


@pytest.mark.parametrize("module", MODULES, ids=lambda p: str(p.relative_to(TOP)))
def test_a_module_stays_readable(module):
    assert len(module.read_text(encoding="utf-8").splitlines()) <= 500


def test_no_two_files_of_tests_share_a_name():
    # pytest imports a test by the name of its file alone, and stops where another folder has the same
    names = [p.name for p in (TOP / "tests").rglob("test_*.py")]
    assert sorted(names) == sorted(set(names))
