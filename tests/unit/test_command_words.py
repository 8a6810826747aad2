"""What the command line says of words that it does not know, and where none is given."""

from importlib.metadata import version

import pytest

from flows.arguments import COMMANDS, parse


def said(capsys, *words):
    """Give the exit code, and what is said."""
    with pytest.raises(SystemExit) as ended:
        parse(words)
    told = capsys.readouterr()
    return ended.value.code, told.out + told.err


@pytest.mark.parametrize(
    ("words", "meant"),
    [
        (["rnu", "city.yaml"], "there is no 'rnu'; did you mean run?"),
        (["find", "runs", "--tpo", "3"], "there is no '--tpo'; did you mean --top?"),
        (["run", "city.yaml", "--jason"], "there is no '--jason'; did you mean --json?"),
        (["ground", "sugest", "city.yaml"], "there is no 'sugest'; did you mean suggest?"),
        (["demo", "--plan", "grdi"], "there is no 'grdi'; did you mean grid?"),
        (["run", "--helpp"], "there is no '--helpp'; did you mean --help?"),
        (["clean", "city.yaml", "--older-then=3d"], "there is no '--older-then'; did you mean --older-than?"),
        (["find", "runs", "--top", "three"], "--top: a whole number is expected, found 'three'"),
        (["--versoin"], "there is no '--versoin'; did you mean --version?"),
        (["status", "city.yaml", "other.yaml"], "'other.yaml' is one too many"),
    ],
)
def test_a_word_that_is_not_known_is_told_with_the_one_that_is_like_it(capsys, words, meant):
    code, told = said(capsys, *words)
    assert code == 2
    assert told.splitlines()[-1].endswith(f"error: {meant}")


def test_a_word_that_is_like_none_is_told_with_all_that_there_are(capsys):
    code, told = said(capsys, "zzz")
    assert code == 2
    assert f"there is no 'zzz', only {', '.join(COMMANDS)}" in told


def test_how_much_is_told_may_stand_before_the_command():
    assert parse(["-q", "status", "city.yaml"]).quiet
    assert parse(["--verbose", "typology", "show", "a.safetensors"]).verbose


@pytest.mark.parametrize("words", [["help"], ["help", "run"]])
def test_help_may_be_called_as_a_command_is(capsys, words):
    code, told = said(capsys, *words)
    assert code == 0
    assert (code, told) == said(capsys, *words[1:], "--help")


def test_the_version_is_that_of_the_package(capsys):
    assert said(capsys, "--version") == (0, f"roadprint {version('roadprint')}\n")


def test_without_a_word_four_examples_are_shown_that_can_be_typed(capsys):
    code, told = said(capsys)
    examples = [line.split("  ")[0].split() for line in told.splitlines()[:4]]
    assert code == 0
    for _, *words in examples:
        assert parse(words).name == words[0]
