"""What files that we write say of their own last change."""

from __future__ import annotations

from datetime import UTC, datetime

FILE_DATE = datetime(2000, 1, 1, tzinfo=UTC)
"""Always the same, so that the same inputs give the same bytes; when a run took place is in its ``run.json``."""
