"""What the command line says of itself: help in groups, examples that parse, a page that is not stale, completion."""

import json
import logging
import re
import shlex
import shutil
import subprocess
from pathlib import Path

import pytest

from flows import cli
from flows.arguments import COMMANDS, command_line, parse
from flows.cli import main
from flows.terminal.completing import script
from flows.terminal.guide import ENDINGS, EXAMPLES, FIRST, GROUPS
from flows.terminal.reference import reference
from geo.config import CityConfig
from geo.config.section import leaf_keys
from geo.errors import ConfigurationError

TOP = Path(__file__).resolve().parents[2]
SHELLS = ("bash", "zsh", "fish")


def test_every_command_stands_in_one_group_has_examples_and_does_something():
    assert sorted(name for names in GROUPS.values() for name in names) == sorted(COMMANDS)
    assert set(EXAMPLES) == set(COMMANDS) == set(cli.COMMANDS)


@pytest.mark.parametrize("line", [line for lines in EXAMPLES.values() for line, _ in lines])
def test_an_example_can_be_typed(line):
    words = shlex.split(re.sub(r'^eval "\$\((.*)\)"$', r"\1", line).partition(" > /")[0].partition(" > ~")[0])
    assert words[0] == "roadprint"
    asked = parse(words[1:])
    assert asked.name in words


@pytest.mark.parametrize("name", COMMANDS)
def test_the_help_of_a_command_has_its_examples(capsys, name):
    with pytest.raises(SystemExit) as ended:
        parse([name, "--help"])
    told = capsys.readouterr().out
    assert ended.value.code == 0
    assert all(line in told for line, _ in EXAMPLES[name])


def test_the_help_has_all_commands_in_groups_and_says_how_they_end(capsys):
    with pytest.raises(SystemExit):
        parse(["--help"])
    told = capsys.readouterr().out
    assert re.findall(r"^(\w+):$", told, re.MULTILINE) == list(GROUPS)
    assert re.findall(r"^  ([a-z]+) +\S", told, re.MULTILINE) == [
        name for names in GROUPS.values() for name in names
    ]
    assert [int(code) for code in re.findall(r"^  (\d+) +\S", told, re.MULTILINE)] == list(ENDINGS)


def test_the_page_of_commands_is_as_the_command_line_has_them():
    assert (TOP / "docs" / "commands.md").read_text(encoding="utf-8") == reference()


def test_a_command_prints_its_result_its_one_line_or_an_object(monkeypatch, capsys):
    made = {"geopackage": "/runs/a.gpkg", "city": "a"}
    shown = []
    monkeypatch.setitem(
        cli.COMMANDS, "demo", cli.Command(lambda _: made, shown.append, lambda made: made["geopackage"])
    )
    assert main(["demo", "-q"]) == 0
    assert (capsys.readouterr().out, shown) == ("/runs/a.gpkg\n", [])
    assert main(["demo", "--json"]) == 0
    assert json.loads(capsys.readouterr().out) == made
    assert main(["demo"]) == 0
    assert shown == [made]


def test_a_command_without_a_line_prints_nothing_in_few_words_but_its_errors(monkeypatch, capsys):
    def refuse(_):
        raise ConfigurationError("it is blue", where="colour", todo="Paint it.")

    monkeypatch.setitem(cli.COMMANDS, "demo", cli.Command(lambda _: {}, print))
    assert main(["demo", "--quiet"]) == 0
    told = capsys.readouterr()
    assert (told.out, told.err) == ("", "")
    monkeypatch.setitem(cli.COMMANDS, "demo", cli.Command(refuse, print))
    assert main(["demo", "--quiet"]) == 2
    assert capsys.readouterr().err == "roadprint: colour: it is blue\n  Paint it.\n"


def test_a_report_of_a_fault_has_versions_what_was_typed_and_where_it_was_raised(monkeypatch, capsys):
    monkeypatch.setenv("TILES_TOKEN", "s3cr3t-token")

    def refuse(_):
        logging.getLogger("roadprint").debug("a stage begins")
        raise ConfigurationError("it is blue", where="colour", todo="Paint it.")

    monkeypatch.setitem(cli.COMMANDS, "demo", cli.Command(refuse, print))
    assert main(["demo", "--verbose", "--out", "https://ada:s3cr3t-token@tiles.example/x"]) == 2
    err = capsys.readouterr().err
    assert re.search(r"^\[ +0\.\d\d s\] roadprint \d", err)
    for part in (
        "prefect 3",
        "numpy ",
        "roadprint demo --verbose",
        "a stage begins",
        "ended by",
        "in refuse",
    ):
        assert part in err
    assert "s3cr3t" not in err
    assert err.endswith("roadprint: colour: it is blue\n  Paint it.\n")
    # and nothing of it stays
    assert main(["demo"]) == 2
    assert capsys.readouterr().err == "roadprint: colour: it is blue\n  Paint it.\n"


@pytest.mark.parametrize("name", [name for name in COMMANDS if name != "completion"])
def test_every_command_that_runs_can_tell_less_and_more_but_not_both(name):
    _, commands = command_line()
    below = [one for one in commands[name]._actions if getattr(one, "choices", None) and one.dest == "what"]
    parsers = (
        list(below[0].choices.values())
        if below and hasattr(below[0], "_get_subactions")
        else [commands[name]]
    )
    for one in parsers:
        words = one.format_help()
        assert all(word in words for word in ("-q, --quiet", "-v, --verbose", "[-q | -v]"))


@pytest.mark.parametrize("shell", SHELLS)
def test_a_shell_is_given_all_commands_options_and_keys(shell):
    parser, _ = command_line()
    text = script(parser, shell)
    assert [name for name in COMMANDS if name not in text] == []
    assert [key for key in leaf_keys(CityConfig) if f"{key}=" not in text] == []
    assert all(
        word in text
        for word in ("older-than", ["report", "qgis", "folder", "tables", "explorer"][1], "verbose")
    )


def completed(folder, line):
    """Give what bash completes a line to, as by Tab at its end."""
    words = line.split(" ")
    asking = (
        "source complete.sh; shopt -s extglob; _init_completion() { return 1; }; "
        f"COMP_WORDS=({' '.join(map(shlex.quote, words))}); COMP_CWORD={len(words) - 1}; "
        f"COMP_LINE={shlex.quote(line)}; COMP_POINT={len(line)}; _shtab_roadprint; printf '%s\\n' \"${{COMPREPLY[@]}}\""
    )
    done = subprocess.run(
        ["bash", "-c", asking], cwd=folder, capture_output=True, text=True, check=False, timeout=300
    )
    return set(done.stdout.split())


@pytest.mark.skipif(shutil.which("bash") is None, reason="there is no bash here")
def test_bash_completes_commands_options_values_keys_cities_and_files(tmp_path):
    parser, _ = command_line()
    (tmp_path / "complete.sh").write_text(script(parser, "bash"))
    for city in ("leeds", "york", "$(touch broken)"):
        (tmp_path / "runs" / city / "latest").mkdir(parents=True)
    (tmp_path / "york.yaml").touch()
    (tmp_path / "york.txt").touch()
    assert completed(tmp_path, "roadprint sen") == {"sensitivity"}
    assert "--what" in completed(tmp_path, "roadprint open --w")
    assert completed(tmp_path, "roadprint open york --what q") == {"qgis"}
    assert completed(tmp_path, "roadprint run --set clusters.k") >= {"clusters.k=", "clusters.keep_numbers="}
    assert "leeds" in completed(tmp_path, "roadprint open l")
    assert {"york.yaml"} <= completed(tmp_path, "roadprint run york")
    assert "york.txt" not in completed(tmp_path, "roadprint run york")
    completed(tmp_path, "roadprint open $")
    assert not (tmp_path / "broken").exists()


def test_who_types_nothing_is_shown_what_can_be_typed(capsys):
    with pytest.raises(SystemExit):
        parse([])
    assert capsys.readouterr().out == FIRST
