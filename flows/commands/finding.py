"""The command that asks a run where else it looks like this."""

from __future__ import annotations

import argparse
import sys
from dataclasses import asdict
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table

from flows.terminal.signs import in_line
from geo.errors import ConfigurationError


def find(asked: argparse.Namespace) -> dict[str, Any]:
    """Ask a run, write the answers where that is asked for, and give them."""
    from tasks.results.answers import as_rows, check_out, write  # noqa: PLC0415 - each command imports what it needs
    from tasks.results.called import run_at  # noqa: PLC0415 - each command imports what it needs
    from tasks.results.finding import Question  # noqa: PLC0415 - each command imports what it needs

    if asked.top < 1:
        raise ConfigurationError(
            f"{asked.top} answers are asked for", where="--top", todo="Ask for one or more."
        )
    if asked.skip < 0:
        raise ConfigurationError(
            f"{asked.skip} answers cannot be skipped", where="--skip", todo="Skip none or more."
        )
    if asked.replace and asked.save is None:
        raise ConfigurationError("nothing is saved", where="--replace", todo="Name it: --save NAME.")
    out = [check_out(Path(file)) for file in asked.out]
    run = run_at(asked.run)
    question = Question(
        like=asked.like,
        at=asked.at,
        picture=asked.picture,
        text=asked.text,
        unlike=asked.unlike,
        unlike_text=asked.unlike_text,
        concept=asked.concept,
        pixel_m=asked.pixel_m,
        over=asked.over,
        road_class=asked.road_class,
        within=asked.within,
        collisions=asked.collisions,
        where=asked.where,
        threshold=asked.threshold,
    )
    found = run.asked(question, top=asked.top, skip=asked.skip)
    saved = None
    if asked.save is not None:
        saved = str(found.save(asked.save, threshold=asked.threshold, replace=asked.replace))
    for file in out:
        write(found, file)
    return {
        "city": run.city,
        "run": str(run.folder or run.geopackage),
        "over": asked.over,
        "answers": as_rows(found.answers),
        "words": [{"asked": one.asked, **asdict(word)} for one in found.said for word in one.words],
        "unknown": dict(found.unknown),
        "files": [str(file) for file in out],
        "concept": saved,
    }


def ids_of(found: dict[str, Any]) -> str:
    """Give the ids of the answers, in their order."""
    return " ".join(str(one[f"{found['over'][:-1]}_id"]) for one in found["answers"])


def show_found(found: dict[str, Any]) -> None:
    """Print the answers, and where they were written."""
    over = found["over"]
    what = {"segments": "roads", "tiles": "places along roads"}[over]
    table = Table(
        title=f"{found['city']}: {len(found['answers'])} {what} that look like it", title_justify="left"
    )
    for name in ("rank", over[:-1], "name", "class", "likeness", "of all", "looks like"):
        table.add_column(
            name,
            justify="right" if name in {"rank", "likeness", "of all"} else "left",
            no_wrap=name == over[:-1],
        )
    for one in found["answers"]:
        table.add_row(
            str(one["rank"]),
            one[f"{over[:-1]}_id"],
            in_line(one["name"] or ""),
            in_line(one["road_class"] or ""),
            f"{one['likeness']:.3f}",
            f"{one['rank_of_all']} of {one['of_all']}",
            in_line(one["why"]),
        )
    console = Console(soft_wrap=True, markup=False)
    console.print(table)
    for word in found["words"]:
        note = f": {word['note']}" if word["note"] else ""
        console.print(in_line(f"{word['asked']!r} was taken for {word['word']} ({word['source']}){note}."))
    for condition, count in found["unknown"].items():
        if count:
            console.print(f"{condition}: not known of {count} roads, which are no answers.")
    console.print("That roads look alike says nothing about their traffic.")
    for file in [*found["files"], *([found["concept"]] if found["concept"] else [])]:
        sys.stdout.write(f"{file}\n")
