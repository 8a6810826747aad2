"""The table of what records do not hold; only where a city gives shares that are reported."""

from __future__ import annotations

from geo.outputs.layers.declare import Column, Layer

UNDER_REPORTING = Layer(
    "under_reporting",
    "Recorded and not recorded",
    "Between which numbers collisions lie if the share that is recorded lies between those that the city's file gives. "
    "Bands, not corrected figures: nothing else in this file is changed by them.",
    None,
    (
        Column("place", "text", "Place"),
        Column("outcome", "text", "Outcome (severity, KSI, all, or road user)"),
        Column("per", "text", "Rates are per"),
        Column("n_recorded", "integer", "Recorded (number)"),
        Column("share_low", "real", "Share recorded, lowest (0 to 1)"),
        Column("share_high", "real", "Share recorded, highest (0 to 1)"),
        Column("number_low", "real", "At the highest share (number)"),
        Column("number_high", "real", "At the lowest share (number)"),
        Column("rate_recorded", "real", "Recorded rate"),
        Column("rate_low", "real", "Rate at the highest share"),
        Column("rate_high", "real", "Rate at the lowest share"),
        Column("rate_low_limit", "real", "Rate at the highest share, lower limit"),
        Column("rate_high_limit", "real", "Rate at the lowest share, upper limit"),
        Column("says", "text", "In words"),
    ),
    optional=True,
)
