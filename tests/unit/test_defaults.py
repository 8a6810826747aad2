"""A setting has its default in the configuration alone: no function and no record of the science has another one."""

import ast
from pathlib import Path

import pytest

from geo.config import CityConfig
from geo.config.section import sections

TOP = Path(__file__).resolve().parents[2]
MODULES = sorted(
    path
    for floor in ("geo", "tasks")
    for path in (TOP / floor).rglob("*.py")
    if not path.is_relative_to(TOP / "geo" / "config")
)


def words(section):
    """The last words of all keys that have a default."""
    for name, field in section.model_fields.items():
        below = sections(field)
        for inner in below:
            yield from words(inner)
        if not below and not field.is_required() and field.default not in (None, ""):
            yield field.alias or name


KEYS = set(words(CityConfig))


def written_out(module):
    """Defaults of arguments and of fields of records that are values, not names: what they are called, and the line."""
    for node in ast.walk(ast.parse(module.read_text(encoding="utf-8"))):
        if isinstance(node, ast.FunctionDef):
            spec = node.args
            plain = [*spec.posonlyargs, *spec.args]
            given = zip(plain[len(plain) - len(spec.defaults) :], spec.defaults, strict=True)
            for argument, default in (*given, *zip(spec.kwonlyargs, spec.kw_defaults, strict=True)):
                yield argument.arg, default
        elif isinstance(node, ast.ClassDef):
            for field in node.body:
                if isinstance(field, ast.AnnAssign) and isinstance(field.target, ast.Name):
                    yield field.target.id, field.value


def test_the_keys_of_all_sections_are_known():
    assert {
        "max_length_m",
        "hot_spot_permutations",
        "share_of_outcome",
        "fatal",
        "spacing_m",
        "decimal",
    } <= KEYS


@pytest.mark.parametrize("module", MODULES, ids=lambda path: str(path.relative_to(TOP)))
def test_no_argument_repeats_a_default_of_the_configuration(module):
    values, nothing = (ast.Constant, ast.Tuple, ast.List, ast.Dict, ast.UnaryOp), {"None", "''"}
    repeated = {
        f"{name} = {ast.unparse(default)} (line {default.lineno})"
        for name, default in written_out(module)
        if name in KEYS and isinstance(default, values) and ast.unparse(default) not in nothing
    }
    assert not repeated
