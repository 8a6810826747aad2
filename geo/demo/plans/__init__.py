"""Road plans of the demo town."""

NAMES = ("town", "grid", "market", "estate")
"""What plans are called (`geo.demo.plans.registry`); the first is drawn unless asked otherwise."""
SEED = 1
"""Seed of the town that `roadprint demo` draws."""
