"""What Prefect costs: the demo town as a flow beside the same stages called plainly.

    .venv/bin/python bench/orchestration.py [--rounds 5]

Each is a process of its own and runs from nothing, in turn; the fastest of either way counts. Prints the seconds of the
run itself (a server is there, all is imported), those of them in which no stage was at work, and those of the whole
process (with the imports, and the flow's own server); and what the flow takes more, of the plain run. Where the machine
is shared, whole runs differ by more than Prefect takes: the second row tells it apart. The same as JSON under
bench/results/.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

from results import save, table

from geo.demo.write import make_town

PLAIN, FLOW = "plain", "flow"


def plainly(city: Path, out: Path) -> dict[str, float]:
    """Call the stages one after the other, shards in two threads as the flow does; gives the seconds."""
    from tasks.ending import publish  # noqa: PLC0415 - each way imports what it needs, and is timed with it
    from tasks.planning import make_plan  # noqa: PLC0415
    from tasks.shards import encode  # noqa: PLC0415 - as above
    from tasks.stages.imagery import features  # noqa: PLC0415
    from tasks.stages.order import STAGES  # noqa: PLC0415
    from tasks.store.stage import run_stage  # noqa: PLC0415

    start = time.perf_counter()
    plan = make_plan(city, None, out)
    results = []
    for stage in STAGES:
        begun = time.perf_counter()
        if stage is features.STAGE:
            with ThreadPoolExecutor(2) as pool:
                list(pool.map(encode.encode_shard, features.plan_shards(plan)))
        result = run_stage(stage, plan)
        results.append(result.lasting(time.perf_counter() - begun))
    summary = publish.publish(plan, results, seconds=time.perf_counter() - start)
    return _taken(time.perf_counter() - start, summary)


def _taken(seconds: float, summary: dict[str, Any]) -> dict[str, float]:
    """Tell the seconds of a run, and those of them outside its stages."""
    return {"run": seconds, "outside the stages": seconds - sum(row["seconds"] for row in summary["stages"])}


def as_flow(city: Path, out: Path) -> dict[str, float]:
    """Run the flow as the command line does; gives the seconds, those of its server's start apart."""
    from flows.server import own_server  # noqa: PLC0415

    with own_server() as wait:
        from flows.city import city_flow  # noqa: PLC0415

        wait()
        start = time.perf_counter()
        summary = city_flow(str(city), None, str(out), None)
        return _taken(time.perf_counter() - start, summary)


def timed(way: str, city: Path) -> dict[str, float]:
    """Run one way in a process; gives the seconds of the run and of the whole."""
    with tempfile.TemporaryDirectory() as out:
        start = time.perf_counter()
        command = [sys.executable, __file__, "--way", way, "--city", str(city), "--out", out]
        said = subprocess.run(command, check=True, capture_output=True, text=True).stdout  # noqa: S603 - ours
        return {**json.loads(said.splitlines()[-1]), "process": time.perf_counter() - start}


def main() -> None:
    """Time both ways in turn, print."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--way", choices=(PLAIN, FLOW), help=argparse.SUPPRESS)
    parser.add_argument("--city", type=Path, help=argparse.SUPPRESS)
    parser.add_argument("--out", type=Path, help=argparse.SUPPRESS)
    asked = parser.parse_args()
    if asked.way:
        seconds = (plainly if asked.way == PLAIN else as_flow)(asked.city, asked.out)
        sys.stdout.write(f"{json.dumps(seconds)}\n")
        return
    with tempfile.TemporaryDirectory() as name:
        town = make_town(Path(name))
        rounds = [{way: timed(way, town.city) for way in (PLAIN, FLOW)} for _ in range(asked.rounds)]
    rows = []
    run = min(one[PLAIN]["run"] for one in rounds)
    for part in ("run", "outside the stages", "process"):
        plain, flow = (min(one[way][part] for one in rounds) for way in (PLAIN, FLOW))
        whole = plain if part == "process" else run
        rows.append({"": part, "plain s": plain, "flow s": flow, "more %": 100 * (flow - plain) / whole})
    print(table(rows))
    save("orchestration", {"rows": rows})


if __name__ == "__main__":
    main()
