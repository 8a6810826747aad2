"""Time a whole run as a user starts it: wall seconds, seconds by stage, and peak memory.

    .venv/bin/python bench/whole_run.py                     the demo town, drawn and run from nothing
    .venv/bin/python bench/whole_run.py CITY.yaml           a city

Nothing is reused from earlier runs: results go to a temporary folder. A table is printed, and the same as JSON
under bench/results/.
"""

from __future__ import annotations

import json
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from results import save, table

ROADPRINT = Path(sys.executable).with_name("roadprint")


def timed(command: list[str]) -> tuple[dict[str, Any], float, float]:
    """Run a command; gives its JSON, wall seconds and the largest memory of one of its processes (MB)."""
    start = time.perf_counter()
    done = subprocess.run(command, check=True, stdout=subprocess.PIPE)  # noqa: S603 - our own command
    seconds = time.perf_counter() - start
    return json.loads(done.stdout), seconds, resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 1024


def main() -> None:
    """Run once from nothing and once more with nothing changed."""
    city = sys.argv[1:2]
    with tempfile.TemporaryDirectory() as out:
        command = [str(ROADPRINT), *(["run", *city] if city else ["demo"]), "--out", out, "--json"]
        summary, seconds, memory = timed(command)
        _, again, _ = timed(command)
    print(
        f"{summary['city']}: {seconds:.0f} s in all, peak memory {memory:,.0f} MB; unchanged rerun {again:.1f} s\n"
    )
    columns = {"name": "stage", **{c: c for c in ("done", "skipped", "rejected", "failed", "seconds")}}
    print(table([{title: row[key] for key, title in columns.items()} for row in summary["stages"]]))
    record = {"seconds": seconds, "memory_mb": memory, "seconds_again": again, "stages": summary["stages"]}
    save(f"whole_run_{summary['city']}", record)


if __name__ == "__main__":
    main()
