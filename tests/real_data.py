"""Where the real files are that some tests need; without them these are skipped."""

import os
from pathlib import Path

import pytest

DATA = Path(os.environ.get("ROADPRINT_DATA", Path(__file__).resolve().parents[2] / "shared" / "data"))
needs_real_data = pytest.mark.skipif(not DATA.is_dir(), reason=f"no real data in {DATA}: set ROADPRINT_DATA")
EAST_CAMBRIDGE = "[-71.092, 42.362, -71.076, 42.372]"
"""A part of the city that comes with the project."""
