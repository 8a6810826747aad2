"""How each command ends: 0, 1, 2 or 130, as its help and its page say, and never otherwise."""

import shlex
import signal
import sys

import pytest

from flows import cli
from flows.arguments import COMMANDS
from flows.cli import main
from flows.terminal.guide import ENDINGS, EXAMPLES
from geo.errors import ConfigurationError

DONE, _, REFUSED, INTERRUPTED = ENDINGS
TYPED = {name: shlex.split(EXAMPLES[name][0][0])[1:] for name in COMMANDS} | {
    "completion": ["completion", "bash"]
}


def answering(monkeypatch, name, do):
    monkeypatch.setitem(cli.COMMANDS, name, cli.Command(do, lambda _: sys.stdout.write("shown\n")))


@pytest.mark.parametrize("name", COMMANDS)
def test_a_command_that_is_done_refused_or_interrupted_says_so_by_its_code(name, monkeypatch, capsys):
    def refuse(_):
        raise ConfigurationError("it is blue", where="colour", todo="Paint it.")

    def interrupt(_):
        # to this thread, which is ended at once: a signal to the process may come to it later
        signal.raise_signal(signal.SIGINT)

    def fail(_):
        raise ZeroDivisionError

    answering(monkeypatch, name, lambda _: {})
    assert main(TYPED[name]) == DONE
    assert capsys.readouterr().out == "shown\n"
    answering(monkeypatch, name, refuse)
    assert main(TYPED[name]) == REFUSED
    assert capsys.readouterr().err == "roadprint: colour: it is blue\n  Paint it.\n"
    answering(monkeypatch, name, interrupt)
    assert main(TYPED[name]) == INTERRUPTED
    told = capsys.readouterr()
    assert (told.out, len(told.err.splitlines())) == ("", 1)
    # nothing is kept of what only looks or asks
    assert ("is kept" in told.err) == (name in {"run", "demo", "sensitivity", "typology"})
    if name != "completion":
        assert main(["-q", *TYPED[name]]) == INTERRUPTED
        assert capsys.readouterr().err == told.err
    # Python ends a process with 1 that ends so
    answering(monkeypatch, name, fail)
    with pytest.raises(ZeroDivisionError):
        main(TYPED[name])


@pytest.mark.parametrize(
    "line",
    [
        "run nowhere.yaml",
        "run --from nowhere.gpkg",
        "check nowhere.yaml",
        "sensitivity nowhere.yaml",
        "status nowhere.yaml",
        "clean nowhere.yaml --older-than 90d",
        "clean city.yaml --older-than soon",
        "deploy nowhere.yaml",
        "find nowhere --like a",
        "explore nowhere",
        "open nowhere",
        "name nowhere 1 Lanes",
        "ground suggest nowhere",
        "typology fit nowhere --out a.safetensors",
        "typology show nowhere.safetensors",
        "typology compare nowhere elsewhere --out beside",
    ],
)
def test_what_is_not_there_is_refused_with_2_and_nothing_on_standard_output(
    line, tmp_path, monkeypatch, capsys
):
    monkeypatch.chdir(tmp_path)
    assert main(shlex.split(line)) == REFUSED
    told = capsys.readouterr()
    assert told.out == ""
    assert told.err.startswith("roadprint: ")
    assert "Traceback" not in told.err
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    "line",
    ["run", "demo --plan lattice", "check a.yaml --banana", "name a seven Lanes", "open a -q -v", "banana"],
)
def test_what_cannot_be_read_is_refused_with_2(line, capsys):
    with pytest.raises(SystemExit) as ended:
        main(shlex.split(line))
    assert ended.value.code == REFUSED
    assert capsys.readouterr().out == ""
