"""Kept work is named by the code and the libraries that made it: all that a stage reaches by imports, and no more."""

import ast
import shutil
from functools import partial
from importlib.metadata import PackageNotFoundError, packages_distributions

import pytest

from geo.errors import SourceError
from tasks.stages.order import STAGES
from tasks.store import code
from tasks.store.stage import check_code

TOP = code.ROOT
FILES = sorted(file for floor in code.OURS for file in (TOP / floor).rglob("*.py"))


@pytest.fixture
def copy(tmp_path, monkeypatch):
    """Copy our own code, whose files a test may change."""
    for floor in code.OURS:
        shutil.copytree(TOP / floor, tmp_path / floor, ignore=shutil.ignore_patterns("__pycache__"))
    monkeypatch.setattr(code, "ROOT", tmp_path)
    code.forget()
    yield tmp_path
    monkeypatch.undo()
    code.forget()


@pytest.fixture(autouse=True)
def read_anew():
    """What a test makes of code and libraries goes with it."""
    yield
    forget(code._version, code._libraries, code.code_digest)


def forget(*kept):
    for one in kept:
        one.cache_clear()


def only_for_types(node):
    return isinstance(node, ast.If) and getattr(node.test, "id", "") == "TYPE_CHECKING"


def imported_by_the_parser(file):
    found = set()
    tree = ast.parse(file.read_text(encoding="utf-8"))
    tree.body = [node for node in tree.body if not only_for_types(node)]
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            found |= {node.module, *(f"{node.module}.{alias.name}" for alias in node.names)}
    return found


@pytest.mark.parametrize("file", FILES, ids=lambda file: str(file.relative_to(TOP)))
def test_imports_are_read_as_the_parser_reads_them(file):
    read = {name for name in code._imported(file) if name.split(".")[0] in code.OURS}
    parsed = {name for name in imported_by_the_parser(file) if name.split(".")[0] in code.OURS}
    assert parsed <= read
    # a sentence of a docstring may look like an import; it must not lead to a module of ours
    assert {name for name in read - parsed if code._file(name).exists()} == set()


def test_what_makes_rates_and_addresses_is_in_the_closure_of_who_uses_them():
    reached = {
        stage.name: {f.relative_to(TOP).as_posix() for f in code.closure(stage.module)} for stage in STAGES
    }
    # the years of the records, on which every rate rests, are counted in another package than the one that reads them
    assert "geo/safety/rates.py" in reached["collisions"]
    assert "geo/addresses.py" in reached["tiles"]
    assert all("tasks/plan.py" in files for files in reached.values())
    assert any(name.endswith(".qml") for name in reached["package"])
    assert any(name.endswith(".jinja") for name in reached["report"])
    assert not any(name.startswith("geo/safety/") for name in reached["features"])
    # a configuration knows all kinds of encoders, and the stages that read one hang on none of them
    assert "geo/features/encoders/timm.py" in reached["features"]
    assert not any(name.startswith("geo/features/encoders/") for name in reached["roads"])
    # and the same of ways of clustering
    ways = {file.relative_to(TOP).as_posix() for file in (TOP / "geo/clusters/methods").glob("*.py")}
    assert {"geo/clusters/methods/kmeans.py", "geo/clusters/methods/ward.py"} < ways <= reached["clusters"]
    assert not ways & {*reached["tiles"], *reached["collisions"], *reached["safety"]}
    # a correction of flights is tried by the types that it gives, but what encodes knows none
    encoding = {file.relative_to(TOP).as_posix() for file in code.closure("tasks.shards.encode")}
    assert not ways & encoding
    # and of schemas of records
    assert {"geo/collisions/schemas/stats19.py", "geo/collisions/schemas/tabular.py"} <= reached["collisions"]
    blind = [reached[name] for name in ("roads", "tiles", "features", "fingerprints", "clusters")]
    assert not any(name.startswith("geo/collisions/schemas/") for files in blind for name in files)
    assert not any(name.startswith("flows/") for files in reached.values() for name in files)


@pytest.fixture(scope="module")
def digests():
    """Digest each file of ours once."""
    files = (file for floor in code.OURS for file in (TOP / floor).rglob("*"))
    return {file: code._bytes_digest(file) for file in sorted(files) if file.is_file()}


@pytest.mark.parametrize("stage", STAGES, ids=lambda stage: stage.name)
def test_another_digest_of_any_file_of_the_closure_names_another_stage_and_one_outside_it_does_not(
    stage, digests, monkeypatch
):
    inside = set(code.closure(stage.module))
    assert inside < set(digests)
    before = code.code_digest(stage.module)
    for changed in digests:
        monkeypatch.setattr(code, "_bytes_digest", (digests | {changed: ("another", None)}).__getitem__)
        forget(code.code_digest)
        assert (code.code_digest(stage.module) != before) == (changed in inside), changed


def test_a_byte_of_code_names_another_stage(copy):
    before = code.code_digest("tasks.stages.network.roads")
    module = copy / "tasks" / "stages" / "network" / "roads.py"
    module.write_bytes(module.read_bytes() + b"\n")
    code.look_again("tasks.stages.network.roads")
    assert code.code_digest("tasks.stages.network.roads") != before


@pytest.mark.parametrize("stage", STAGES, ids=lambda stage: stage.name)
def test_another_version_of_a_library_that_it_uses_names_another_stage(stage, monkeypatch):
    before = code.code_digest(stage.module)
    used = code.libraries(stage.module)
    assert {"python", "numpy", "pandas"} <= used.keys()

    def version(name, upgraded):
        if name not in {*used, upgraded}:
            # what QGIS runs by itself may be named in what is written for it
            raise PackageNotFoundError(name)
        return "99" if name == upgraded else used[name]

    for library in {*used, "prefect"} - {"python"}:
        monkeypatch.setattr(code, "version", partial(version, upgraded=library))
        forget(code._version, code._libraries, code.code_digest)
        after = code.code_digest(stage.module)
        monkeypatch.undo()
        assert (after != before) == (library in used), library


def test_libraries_are_known_by_the_names_that_they_are_installed_under():
    here = packages_distributions()
    for stage in STAGES:
        for file in code.closure(stage.module):
            tops = {name.split(".")[0] for name in code._imported(file) if file.suffix == ".py"}
            for top in tops & here.keys() - set(code.OURS):
                known = {name.lower().replace("_", "-") for name in here[top]}
                assert code.DISTRIBUTIONS.get(top, top).lower().replace("_", "-") in known


def test_versions_of_several_stages_come_together():
    assert code.merged([{"numpy": "2.0"}, {"numpy": "2.1", "torch": "3"}]) == {
        "numpy": "2.0 and 2.1",
        "torch": "3",
    }


def test_what_an_editor_leaves_beside_code_is_none_of_it(copy):
    before = code.code_digest("tasks.stages.network.roads")
    (copy / "geo" / "config" / ".city.py.swp").write_bytes(b"half a word")
    (copy / "geo" / "roads" / "notes.txt").write_text("later")
    code.forget()
    assert code.code_digest("tasks.stages.network.roads") == before


def test_code_that_is_replaced_while_a_stage_is_at_work_keeps_nothing_of_it(copy):
    module = "tasks.stages.network.roads"
    planned = code.code_digest(module)
    science = copy / "geo" / "roads" / "segments.py"
    # whatever the clock of the file system says, another length is another file
    science.write_text(science.read_text() + "\n# replaced\n")
    with pytest.raises(SourceError, match="not the one that the run was planned with"):
        check_code(module, planned)
    check_code(module, code.code_digest(module))
