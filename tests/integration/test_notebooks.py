"""The notebooks run as they stand on the demo town, and are kept with their figures."""

import re
from pathlib import Path

import nbformat
import pytest
from nbclient import NotebookClient

TOP = Path(__file__).resolve().parents[2]
FOLDER = TOP / "docs" / "notebooks"
NOTEBOOKS = sorted(FOLDER.glob("*.ipynb"))
LARGEST = 300_000
TITLES = {"own-model", "on-foot", "roads-like-this", "types-compared", "worst-roads"}


def test_there_is_a_notebook_for_each_question():
    assert {file.stem for file in NOTEBOOKS} == TITLES


@pytest.fixture(scope="module")
def beside(finished, tmp_path_factory):
    """A folder that lies as docs/notebooks does: runs/demo-town is two levels up."""
    out, _ = finished
    top = tmp_path_factory.mktemp("checkout")
    (top / "docs" / "notebooks").mkdir(parents=True)
    (top / "runs").symlink_to(out)
    return top / "docs" / "notebooks"


@pytest.mark.parametrize("file", NOTEBOOKS, ids=lambda file: file.stem)
def test_a_notebook_runs_from_its_first_cell_to_its_last(file, beside):
    notebook = nbformat.read(file, as_version=4)
    client = NotebookClient(
        notebook, timeout=300, kernel_name="python3", resources={"metadata": {"path": str(beside)}}
    )
    client.execute()
    outputs = [output for cell in notebook.cells for output in cell.get("outputs", ())]
    assert any("image/jpeg" in output.get("data", {}) for output in outputs)
    assert not [output["text"] for output in outputs if output.get("name") == "stderr"]


@pytest.mark.parametrize("file", NOTEBOOKS, ids=lambda file: file.stem)
def test_a_notebook_asks_shows_and_says_what_not_to_conclude(file):
    notebook = nbformat.read(file, as_version=4)
    prose = [cell.source for cell in notebook.cells if cell.cell_type == "markdown"]
    assert re.match(r"# .*\?", prose[0])
    assert prose[-1].startswith("## What not to conclude")
    code = [cell for cell in notebook.cells if cell.cell_type == "code"]
    # as they were executed, one after the other
    assert [cell.execution_count for cell in code] == list(range(1, len(code) + 1))
    assert any("image/jpeg" in output.get("data", {}) for cell in code for output in cell.outputs)
    assert file.stat().st_size < LARGEST


@pytest.mark.parametrize("file", NOTEBOOKS, ids=lambda file: file.stem)
def test_no_result_stands_in_prose_where_no_cell_makes_it(file):
    """Only what is set in a cell, or is a name for a share, may be written as a number."""
    notebook = nbformat.read(file, as_version=4)
    prose = " ".join(cell.source for cell in notebook.cells if cell.cell_type == "markdown")
    assert re.findall(r"\d+[.,]\d+|\d{2,} %|\d{2,} (?:roads|collisions|types)", prose) == []


def test_the_lines_of_the_readme_run_where_the_demo_town_was_run(beside):
    """Those under 'From Python', one cell of a notebook each line."""
    readme = (TOP / "README.md").read_text(encoding="utf-8")
    (block,) = re.findall(r"```python\n(.*?)```", readme, flags=re.DOTALL)
    lines = [line for line in block.splitlines() if line]
    assert "import roadprint" in lines
    notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(line) for line in lines])
    top = {"metadata": {"path": str(beside.parents[1])}}
    NotebookClient(notebook, timeout=300, kernel_name="python3", resources=top).execute()
    shown = {line: cell.outputs for line, cell in zip(lines, notebook.cells, strict=True)}
    for line, outputs in shown.items():
        if line.startswith("run."):
            assert outputs, line
