"""Starts a module of ours as a program, whatever of that name lies elsewhere.

``python -m roadprint.start flows.serve --port 4300``
"""

from __future__ import annotations

import runpy
import sys

if __name__ == "__main__":
    # the module's own arguments follow its name
    del sys.argv[0]
    runpy.run_module(sys.argv[0], run_name="__main__", alter_sys=True)
