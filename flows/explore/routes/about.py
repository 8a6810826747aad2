"""The run as a whole, and whether it is still there."""

from __future__ import annotations

from typing import Any

from fastapi import APIRouter, Request

from tasks.explore.about import about, changes
from tasks.explore.page import Page


def router(page: Page) -> APIRouter:
    """Answer for `page`."""
    routes = APIRouter()

    @routes.get("/about.json")
    def of_run(request: Request) -> dict[str, Any]:
        return about(page, blind=not request.app.state.outcome.asked(request))

    @routes.get("/changed.json")
    def changed() -> dict[str, Any]:
        return changes(page)

    return routes
