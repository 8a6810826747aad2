"""The command line: ``roadprint`` and ``python -m roadprint``."""

from __future__ import annotations

from flows.interruption import end_at_once


def main() -> None:
    """Run the command line and end the process."""
    # importing takes a moment, in which nothing is begun yet
    end_at_once("roadprint: interrupted\n")
    from flows.cli import command  # noqa: PLC0415

    command()


if __name__ == "__main__":
    main()
