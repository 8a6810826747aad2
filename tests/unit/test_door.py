"""The door for Python users: names of a researcher, light to import, known to editors."""

import ast
import subprocess
import sys
from pathlib import Path

import pytest

import roadprint

TOP = Path(roadprint.__file__).resolve().parents[1]
HEAVY = {"torch", "geopandas", "prefect", "pandas", "numpy", "rasterio", "sklearn", "openvino"}


def test_importing_it_imports_nothing_heavy():
    listed = subprocess.run(
        [sys.executable, "-c", "import roadprint, sys; print(*sys.modules)"],
        cwd=TOP,
        capture_output=True,
        text=True,
        check=True,
    ).stdout.split()
    assert "roadprint" in listed
    assert HEAVY.isdisjoint(listed)


@pytest.mark.parametrize("name", roadprint.__all__)
def test_each_name_is_there_and_says_what_it_is(name):
    offered = getattr(roadprint, name)
    assert len((offered.__doc__ or "").split()) > 3
    assert name in dir(roadprint)


def test_a_name_that_is_not_there_is_an_attribute_error():
    with pytest.raises(AttributeError, match="no attribute 'read_road'"):
        _ = roadprint.read_road


def test_editors_and_type_checkers_are_told_of_the_names_that_there_are():
    """What stands under TYPE_CHECKING is what is imported when it is asked for."""
    tree = ast.parse(Path(roadprint.__file__).read_text(encoding="utf-8"))
    told = {}
    for block in tree.body:
        if isinstance(block, ast.If) and ast.unparse(block.test) == "TYPE_CHECKING":
            for line in block.body:
                assert isinstance(line, ast.ImportFrom)
                told |= {alias.asname or alias.name: f"{line.module}:{alias.name}" for alias in line.names}
    assert sorted(told) == sorted(roadprint.__all__)
    places = {name: place if ":" in place else f"{place}:{name}" for name, place in roadprint._PLACES.items()}
    assert told == places


def test_a_type_checker_tells_a_name_that_is_not_there():
    """To a type checker, a module with a __getattr__ of its own has every name."""
    tree = ast.parse(Path(roadprint.__file__).read_text(encoding="utf-8"))
    seen = [one for one in tree.body if not (isinstance(one, ast.If) and "not TYPE" in ast.unparse(one.test))]
    assert not any(isinstance(one, ast.FunctionDef) and one.name == "__getattr__" for one in seen)
