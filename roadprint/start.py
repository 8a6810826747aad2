"""Starts a module of ours as a program, whatever of that name lies elsewhere.

``python -m roadprint.start flows.serve --port 4300``
"""

from __future__ import annotations

import runpy
import sys

from flows.interruption import end_at_once

if __name__ == "__main__":
    # the module's own arguments follow its name
    del sys.argv[0]
    # until it handles signals itself: importing takes a moment, in which nothing is begun yet
    end_at_once()
    runpy.run_module(sys.argv[0], run_name="__main__", alter_sys=True)
