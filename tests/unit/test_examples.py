"""What the door hands on is explained by examples, and the examples are true."""

import doctest
import inspect
import sys

import pytest

import roadprint

FINDER = doctest.DocTestFinder(exclude_empty=False, recurse=False)
OPTIONS = doctest.NORMALIZE_WHITESPACE | doctest.ELLIPSIS


def explained():
    """Each function and class that the door hands on."""
    for name in roadprint.__all__:
        offered = getattr(roadprint, name)
        # the flow is the function of its name with Prefect about it
        yield pytest.param(getattr(offered, "fn", offered), id=name)


def examples_of(offered):
    """The examples of a function, or of a class and its methods."""
    module = sys.modules[offered.__module__]
    parts = [offered]
    if inspect.isclass(offered):
        parts += [part for name, part in vars(offered).items() if not name.startswith("_")]
    for part in parts:
        yield from FINDER.find(part, offered.__name__, module=module, globs=dict(vars(module)))


@pytest.mark.parametrize("offered", explained())
def test_examples_give_what_they_say(offered, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    runner = doctest.DocTestRunner(optionflags=OPTIONS)
    for example in examples_of(offered):
        said = []
        runner.run(example, out=said.append)
        assert not said, "".join(said)
