"""QGIS and the GeoPackage validator, as they are on this machine."""

import json
import os
import subprocess
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest

SYSTEM_PYTHON = "/usr/bin/python3"
PROBE = Path(__file__).with_name("qgis_probe.py")


def system_python_has(module):
    """Whether the system's Python, in which QGIS and GDAL live, can import a module."""
    if not Path(SYSTEM_PYTHON).exists():
        return False
    return (
        subprocess.run(
            [SYSTEM_PYTHON, "-I", "-c", f"import {module}"], capture_output=True, check=False
        ).returncode
        == 0
    )


# where every client must be there, a test that cannot run fails instead
REQUIRED = bool(os.environ.get("ROADPRINT_REQUIRE_CLIENTS"))
needs_qgis = pytest.mark.skipif(
    not REQUIRED and not system_python_has("qgis.core"),
    reason=f"{SYSTEM_PYTHON} has no QGIS (Debian: python3-qgis qgis-providers)",
)
needs_validator = pytest.mark.skipif(
    not REQUIRED and not system_python_has("osgeo_utils.samples.validate_gpkg"),
    reason=f"{SYSTEM_PYTHON} has no GeoPackage validator (Debian: python3-gdal)",
)


def probe(path, *pictures):
    """What QGIS sees of a file: its layers, and its projects; pictures of them go to a folder, where one is given."""
    return in_qgis(PROBE, path, *pictures)


def in_qgis(script, *arguments):
    """What a script says in JSON that QGIS's own Python runs, without a screen."""
    # the projections and drivers of another Python environment would lead QGIS to the wrong database
    elsewhere = {"PROJ_LIB", "PROJ_DATA", "GDAL_DATA", "GDAL_DRIVER_PATH"}
    environment = {name: value for name, value in os.environ.items() if name not in elsewhere}
    with TemporaryDirectory(prefix="qgis-") as runtime:
        run = subprocess.run(
            [SYSTEM_PYTHON, "-I", script, *map(str, arguments)],
            env={"XDG_RUNTIME_DIR": runtime} | environment | {"QT_QPA_PLATFORM": "offscreen"},
            capture_output=True,
            text=True,
            timeout=300,
            check=False,
        )
    assert run.returncode == 0, run.stderr
    return json.loads(run.stdout)


def complaints(path):
    """What the GeoPackage validator of GDAL has to say, warnings among it."""
    validator = "osgeo_utils.samples.validate_gpkg"
    run = subprocess.run(
        [SYSTEM_PYTHON, "-I", "-m", validator, "--extra", "--warning-as-error", path],
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    return run.stdout + run.stderr + ("" if run.returncode == 0 else f"exit code {run.returncode}")
