"""The command line: ``roadprint`` and ``python -m roadprint``."""

from __future__ import annotations

from flows.cli import command as main

if __name__ == "__main__":
    main()
