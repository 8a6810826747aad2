"""What trials of a correction of flights heed of the configuration (`geo.clusters.flights.trial`)."""

from __future__ import annotations

HEEDED = ("k", "k_range", "seed", "components", "whitening", "neighbours", "smoothing", "resamples")
"""Settings of types that a trial heeds."""
