"""What the door hands on is explained by examples, and the examples are true."""

import doctest
import inspect
import sys

import pytest
from made_run import make_run
from pydantic import BaseModel

import roadprint

FINDER = doctest.DocTestFinder(exclude_empty=False, recurse=False)
OPTIONS = doctest.NORMALIZE_WHITESPACE | doctest.ELLIPSIS


def explained():
    """Functions, classes and their methods; the flow stands for the function of its name. Errors explain themselves."""
    for name in roadprint.__all__:
        offered = getattr(roadprint, name)
        offered = getattr(offered, "fn", offered)
        if inspect.isclass(offered) and issubclass(offered, Exception):
            continue
        yield pytest.param(offered, id=name)
        if issubclass(offered if inspect.isclass(offered) else object, BaseModel):
            continue
        for own, part in vars(offered).items() if inspect.isclass(offered) else ():
            if inspect.isfunction(part) and not own.startswith("_"):
                yield pytest.param(part, id=f"{name}.{own}")


@pytest.mark.parametrize("offered", list(explained()))
def test_examples_give_what_they_say(offered, grid_city, tmp_path, monkeypatch):
    """They run beside a run of the grid, ``runs/grid``."""
    monkeypatch.chdir(tmp_path)
    if "runs/grid" in offered.__doc__:
        make_run(grid_city, tmp_path / "runs" / "grid")
    module = sys.modules[offered.__module__]
    (found,) = FINDER.find(offered, offered.__name__, module=module, globs=dict(vars(module)))
    assert found.examples
    said = []
    doctest.DocTestRunner(optionflags=OPTIONS).run(found, out=said.append)
    assert not said, "".join(said)


@pytest.mark.parametrize("offered", list(explained()))
def test_each_parameter_is_explained_and_so_is_what_comes_out(offered):
    """A numpy docstring names every parameter in a line of its own, or in one with others of its kind."""
    lines = [line.strip() for line in inspect.getdoc(offered).splitlines()]
    named = {name for line in lines for name in line.split(", ")}
    if inspect.isclass(offered) and issubclass(offered, BaseModel):
        assert [name for name, field in offered.model_fields.items() if not field.description] == []
        return
    callable_ = offered.__init__ if inspect.isclass(offered) else offered
    asked = [name for name in inspect.signature(callable_).parameters if name != "self"]
    assert [name for name in asked if name not in named] == []
