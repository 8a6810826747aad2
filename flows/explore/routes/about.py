"""The run as a whole, and whether it is still there."""

from __future__ import annotations

from typing import Any

from fastapi import APIRouter

from tasks.explore.page import Page


def router(page: Page) -> APIRouter:
    """Answer for `page`."""
    routes = APIRouter()

    @routes.get("/about.json")
    def about() -> dict[str, Any]:
        place = page.run.folder or page.run.geopackage
        west, south, east, north = map(float, page.segments.to_crs(4326).total_bounds)
        return {
            "city": page.run.city,
            "run": place.name,
            "edit": page.edit,
            "bounds": [west, south, east, north],
            "counts": {"segments": len(page.segments), "tiles": len(page.tiles)},
        }

    @routes.get("/changed.json")
    def changed() -> dict[str, bool]:
        return {"changed": not page.stands}

    return routes
