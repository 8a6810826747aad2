"""Collision records: read once, placed once."""

import geo.config  # noqa: F401 - first, whichever way a program comes in: schemas of records are sections of it, too
