"""What lies on the ground beside roads: maps of classes, and shares of each road's surroundings."""

import geo.config  # noqa: F401 - first, whichever way a program comes in: ways to tell classes are sections of it, too
