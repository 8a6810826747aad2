"""A notebook has a loop of its own in the thread that runs a city."""

import asyncio
import gc
import warnings

from prefect.events.clients import NullEventsClient
from prefect.events.worker import EventsWorker

from flows import server


def test_what_sends_events_has_ended_and_nothing_is_left_to_be_awaited():
    async def cell():
        with server._no_events():
            EventsWorker.instance(NullEventsClient)
        return [worker for worker in EventsWorker._instances.values() if worker._thread.is_alive()]

    with warnings.catch_warnings(record=True) as said:
        warnings.simplefilter("always")
        assert asyncio.run(cell()) == []
        gc.collect()
    assert [str(one.message) for one in said] == []
