"""The road plans that the demo town can be drawn on."""

from __future__ import annotations

from collections.abc import Callable

from geo.demo.layout import Plan
from geo.demo.plans import NAMES, SEED
from geo.demo.plans.estate import plan_estate
from geo.demo.plans.grid import plan_grid
from geo.demo.plans.market import plan_market
from geo.demo.plans.town import plan_town
from geo.errors import ConfigurationError, meant

USUAL = NAMES[0]
PLANS: dict[str, Callable[[int], Plan]] = dict(
    zip(NAMES, (lambda _: plan_town(), plan_grid, plan_market, plan_estate), strict=True)
)
"""By name: ``town`` is the same for every seed; of the others, another seed gives another plan of the same kind."""


def plan_of(name: str = USUAL, seed: int = SEED) -> Plan:
    """Lay out a plan.

    Parameters
    ----------
    name
        One of `PLANS`.
    seed
        Seed of what a kind of plan leaves open.

    Raises
    ------
    ConfigurationError
        When there is no plan of that name.
    """
    if name not in PLANS:
        raise ConfigurationError(
            f"there is no plan {name!r} of the demo town{meant(name, PLANS)}",
            where="--plan",
            todo=f"Name one of {', '.join(PLANS)}.",
        )
    return PLANS[name](seed)
