"""What runs: the city flow and the command line."""

from __future__ import annotations

import atexit
import logging
import os
import shutil
import tempfile
from pathlib import Path

from geo.imagery.patience import patience

LOG_LEVEL = os.environ.get("PREFECT_LOGGING_LEVEL")
"""What the user set for Prefect's log; None: nothing."""

# read by Prefect when it is imported: quiet, and nothing leaves the machine, unless the user says otherwise
os.environ.setdefault("PREFECT_LOGGING_LEVEL", "CRITICAL")
if LOG_LEVEL is None:
    os.environ.setdefault("PREFECT_LOGGING_INTERNAL_LEVEL", "CRITICAL")
    # of Prefect's as well, but not below its name
    logging.getLogger("EventsWorker").setLevel(logging.CRITICAL)
os.environ.setdefault("PREFECT_SERVER_ANALYTICS_ENABLED", "false")
os.environ.setdefault("DO_NOT_TRACK", "1")
# read by GDAL, of rasterio and of pyogrio, in every thread, and by the processes that this one starts
os.environ.update(patience(os.environ))
try:
    Path(os.environ.get("PREFECT_HOME", "~/.prefect")).expanduser().mkdir(parents=True, exist_ok=True)
except OSError:
    # the user of a container may have no home to write to
    os.environ["PREFECT_HOME"] = tempfile.mkdtemp(prefix="roadprint-prefect-")
    atexit.register(shutil.rmtree, os.environ["PREFECT_HOME"], ignore_errors=True)
