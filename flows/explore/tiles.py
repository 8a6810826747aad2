"""Vector tiles as answers."""

from __future__ import annotations

from collections.abc import Callable

from starlette.responses import Response

from flows.explore.kept import Kept
from geo.errors import LayerError
from geo.explore.vector_tiles import MOST_ZOOM, VectorTiles

KEPT_BYTES = 96 * 2**20
MEDIA_TYPE = "application/vnd.mapbox-vector-tile"
FOR_ITS_TIME = "private, max-age=86400, immutable"
"""How long a browser may keep what does not change while the page is served: the next time the address is another."""


class TileAnswers:
    """Answers with the tiles of a layer.

    Parameters
    ----------
    layer
        Gives the layer, which is laid out when the first tile is asked for.
    """

    def __init__(self, layer: Callable[[], VectorTiles]) -> None:
        self._layer, self._kept = layer, Kept(KEPT_BYTES)

    def answer(self, zoom: int, x: int, y: int, *, cache: str = FOR_ITS_TIME) -> Response:
        """Answer with a tile; 204 where nothing lies in it.

        Raises
        ------
        LayerError
            When there is no such tile.
        """
        if not (0 <= zoom <= MOST_ZOOM and 0 <= x < 2**zoom and 0 <= y < 2**zoom):
            raise LayerError("there is no such tile", where=f"{zoom}/{x}/{y}"[:80])
        made = self._kept.get((zoom, x, y), lambda: self._layer().tile(zoom, x, y))
        headers = {"cache-control": cache}
        if not made:
            return Response(status_code=204, headers=headers)
        return Response(made, media_type=MEDIA_TYPE, headers=headers)
