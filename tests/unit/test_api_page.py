"""The pages on what the package offers are built from its docstrings, by pdoc."""

import subprocess
import sys
from pathlib import Path

import roadprint

TOP = Path(roadprint.__file__).resolve().parents[1]


def test_every_name_of_the_door_has_its_place_on_the_page(tmp_path):
    """As ``make docs`` builds it."""
    assert "\t$(BIN)/python docs/build_api.py\n" in (TOP / "Makefile").read_text(encoding="utf-8")
    built = subprocess.run(
        [sys.executable, TOP / "docs" / "build_api.py", tmp_path],
        cwd=TOP,
        capture_output=True,
        text=True,
        check=False,
    )
    assert built.returncode == 0, built.stderr
    assert "Warn" not in built.stderr
    page = (tmp_path / "roadprint.html").read_text(encoding="utf-8")
    assert [name for name in roadprint.__all__ if f'id="{name}"' not in page] == []
    # methods of a run stand there, with what each says of its result
    assert [name for name in ("worst", "alike", "tile", "layer") if f'id="OpenRun.{name}"' not in page] == []
    assert page.count("clockwise degrees from grid north") == 1
