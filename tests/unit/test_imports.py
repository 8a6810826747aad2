"""What importing the science does to the process of whoever imports it: nothing."""

import ast
import json
import subprocess
import sys
from pathlib import Path

import pytest

from geo.imagery.patience import SETTINGS, patience

TOP = Path(__file__).resolve().parents[2]
MODULES = sorted(p for p in (TOP / "geo").rglob("*.py"))
LOOK = """
import faulthandler, importlib, json, logging, os, signal, sys, threading, warnings
import numpy as np, rasterio, torch
from rasterio.env import hasenv

def look():
    root = logging.getLogger()
    return {
        "os.environ": dict(os.environ),
        "warnings.filters": [str(one) for one in warnings.filters],
        "logging": [str(root.handlers), root.level, root.disabled, str(logging.getLogRecordFactory())],
        "levels": {name: one.level for name, one in sorted(root.manager.loggerDict.items()) if hasattr(one, "level")},
        "torch threads": [torch.get_num_threads(), torch.get_num_interop_threads()],
        "torch modes": [torch.is_grad_enabled(), torch.are_deterministic_algorithms_enabled()],
        "random": str(np.random.get_state()[1][:4]),
        "numpy errors": np.geterr(),
        "rasterio.Env": hasenv(),
        "faulthandler": faulthandler.is_enabled(),
        "signals": str([signal.getsignal(n) for n in (signal.SIGINT, signal.SIGTERM)]),
        "hooks": str([sys.excepthook, threading.excepthook]),
        "threads": len(threading.enumerate()),
        "working folder": os.getcwd(),
    }

theirs, ours = json.loads(sys.argv[1])
for name in theirs:
    importlib.import_module(name)
found, before = [], look()
for name in ours:
    importlib.import_module(name)
    after = look()
    found += [[name, what] for what in before if what != "levels" and before[what] != after[what]]
    found += [[name, one] for one, level in before["levels"].items() if after["levels"][one] != level]
    before = after
print(json.dumps(found))
"""


def name_of(module):
    parts = module.relative_to(TOP).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def libraries():
    """Everything of others that the science imports at the top of a module."""
    named = set()
    for module in MODULES:
        for node in ast.parse(module.read_text(encoding="utf-8")).body:
            if isinstance(node, ast.Import):
                named |= {alias.name for alias in node.names}
            elif isinstance(node, ast.ImportFrom):
                named.add(node.module)
    return sorted(name for name in named if name.split(".")[0] not in {"geo", "__future__"})


def test_importing_the_science_leaves_the_process_as_it_was():
    names = json.dumps([libraries(), [name_of(module) for module in MODULES]])
    found = subprocess.run(
        [sys.executable, "-c", LOOK, names], cwd=TOP, capture_output=True, text=True, check=True
    )
    assert json.loads(found.stdout.splitlines()[-1]) == []


HEAVY = {
    "torch",
    "sklearn",
    "statsmodels",
    "libpysal",
    "openvino",
    "prefect",
    "rasterio",
    "shtab",
    "timm",
    "transformers",
}


def test_who_reads_a_citys_file_or_asks_for_help_waits_for_none_of_the_heavy_libraries():
    look = "import sys, flows.cli; print(*{name.partition('.')[0] for name in sys.modules})"
    found = subprocess.run([sys.executable, "-c", look], cwd=TOP, capture_output=True, text=True, check=True)
    assert HEAVY.isdisjoint(found.stdout.split())


@pytest.mark.parametrize("first", ["geo.features.encoder", "geo.ground.contract", "geo.ground.tags.learning"])
def test_what_the_configuration_lists_as_its_sections_can_be_imported_before_it(first):
    subprocess.run([sys.executable, "-c", f"import {first}"], cwd=TOP, capture_output=True, check=True)


def test_what_the_environment_says_of_gdal_stays():
    assert patience({}) == dict(SETTINGS)
    told = patience({"GDAL_HTTP_MAX_RETRY": "0", "PATH": "/bin"})
    assert "GDAL_HTTP_MAX_RETRY" not in told
    assert {*told, "GDAL_HTTP_MAX_RETRY"} == set(SETTINGS)
