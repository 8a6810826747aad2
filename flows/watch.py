"""Runs that are lost: whose machine lost power, or whose process was killed with its worker.

Nobody is left to say so. Without a watch such a run counts as running for good, and its city would wait for it.
"""

from __future__ import annotations

from datetime import timedelta

from prefect.client.orchestration import get_client
from prefect.client.schemas.objects import StateType
from prefect.events.actions import ChangeFlowRunState
from prefect.events.schemas.automations import AutomationCore, EventTrigger, Posture
from prefect.events.schemas.events import ResourceSpecification

HEARTBEAT_S, LOST_AFTER_S = 30, 300
"""A run gives a sign of life so often (the least that Prefect allows), and is lost when it gives none for so long: a
machine with too much to do may be silent for minutes."""
NAME = "roadprint: runs that are lost"
ENVIRONMENT = {"PREFECT_FLOWS_HEARTBEAT_FREQUENCY": str(HEARTBEAT_S)}
"""Of the process of a run; a deployment gives it."""
_SIGN = "prefect.flow-run.heartbeat"
_ENDS = ("Completed", "Failed", "Cancelled", "Crashed")
_MESSAGE = (
    "Lost: its process gives no sign of life; what was finished is kept, the next run goes on from there."
)


def automation(lost_after_s: float = LOST_AFTER_S) -> AutomationCore:
    """Make the rule by which the server takes a city's run for crashed that gives no sign of life.

    Parameters
    ----------
    lost_after_s
        How long a run gives no sign of life before it is taken for crashed (seconds).
    """
    trigger = EventTrigger(
        posture=Posture.Proactive,
        after={_SIGN},
        expect={_SIGN, *(f"prefect.flow-run.{end}" for end in _ENDS)},
        match=ResourceSpecification({"prefect.resource.id": "prefect.flow-run.*"}),
        match_related=ResourceSpecification(
            {"prefect.resource.role": "flow", "prefect.resource.name": "city-flow"}
        ),
        for_each={"prefect.resource.id"},
        threshold=1,
        within=timedelta(seconds=lost_after_s),
    )
    return AutomationCore(
        name=NAME,
        description="A run whose machine or process is gone counts as crashed, so that the city's next run begins.",
        trigger=trigger,
        actions=[ChangeFlowRunState(state=StateType.CRASHED, name=None, message=_MESSAGE, force=False)],
    )


def watch(lost_after_s: float = LOST_AFTER_S) -> None:
    """Have the server that Prefect's settings name watch for lost runs, unless it does; see `automation`."""
    with get_client(sync_client=True) as client:
        if not client.read_automations_by_name(NAME):
            client.create_automation(automation(lost_after_s))


if __name__ == "__main__":
    watch()
