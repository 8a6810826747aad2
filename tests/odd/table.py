"""Writes the table of odd inputs and what becomes of each: ``python tests/odd/table.py [FILE] [WORD ...]``."""

from __future__ import annotations

import sys
import tempfile
from collections import Counter
from pathlib import Path

from forms import Judge
from inputs import every_form


def main(target: str | None, words: list[str]) -> int:
    """Judge every form whose title has one of the words; gives the number of faults."""
    counts: Counter[str] = Counter()
    faults = 0
    lines = ["| kind | form | what becomes of it | in its words |", "|---|---|---|---|"]
    with tempfile.TemporaryDirectory() as folder:
        judge = Judge(Path(folder), thorough=True)
        for form in every_form():
            if words and not any(word in form.title for word in words):
                continue
            verdict = judge.judge(form)
            counts[verdict.what] += 1
            faults += verdict.fault
            said = verdict.words.replace(folder, "").replace("|", "\\|")
            lines.append(f"| {form.kind} | {form.name} | {verdict.what} | {said} |")
    summary = ", ".join(f"{n} {what}" for what, n in counts.most_common())
    text = "\n".join([f"{counts.total()} odd inputs: {summary}.", "", *lines, ""])
    if target is None:
        print(text)  # noqa: T201 - what is asked for
    else:
        Path(target).write_text(text, encoding="utf-8")
        print(f"{target}: {summary}")  # noqa: T201 - what is asked for
    return faults


if __name__ == "__main__":
    file = sys.argv[1] if len(sys.argv) > 1 and sys.argv[1].endswith(".md") else None
    sys.exit(min(1, main(file, sys.argv[2 if file else 1 :])))
