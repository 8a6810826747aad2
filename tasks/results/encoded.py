"""What encoded the roads of a run, to encode pictures and words as they were."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow.parquet as pq

from geo.clusters.typology.made_by import WEIGHTS, MadeBy, made_by
from geo.config import EncoderSettings, Tiles, encoder_settings
from geo.config.file import expand
from geo.config.sections.elsewhere import Elsewhere
from geo.errors import EncoderError
from geo.features.encoder import Encoder
from geo.features.lengths import of_length_1
from geo.features.registry import load_encoder
from geo.search.example import Example
from geo.search.pictures import read_picture
from tasks.store.digests import FileDigests

if TYPE_CHECKING:
    from tasks.results.opened import OpenRun


def made_by_of(run: OpenRun) -> MadeBy:
    """Tell what made a run's fingerprints."""
    return made_by(pq.read_schema(run.fingerprints_file).metadata)


def picture_example(
    run: OpenRun,
    path: Path,
    tile_m: float,
    pixel_m: float | None,
    encoder_at: Callable[[OpenRun, float], Encoder] | None = None,
) -> Example:
    """Encode a picture as a run's tiles were.

    Parameters
    ----------
    run
        The run.
    path
        See `geo.search.pictures.read_picture`.
    tile_m
        Side of a tile (metres).
    pixel_m
        Ground that a pixel shows (metres); None: as the picture says.
    encoder_at
        Gives the encoder of the run for such tiles, where it is kept; None: it is loaded.

    Raises
    ------
    SourceError, LayerError
        When it is no picture that can be compared.
    EncoderError
        See `encoder_of`.
    """
    pixels, valid = read_picture(path, tile_m=tile_m, pixel_m=pixel_m)
    encoder = (encoder_at or encoder_of)(run, tile_m)
    return Example(path.name, of_length_1(encoder.encode([pixels], [valid])[0]).astype(np.float32))


def encoder_of(run: OpenRun, tile_m: float) -> Encoder:
    """Load the encoder that a run's tiles were encoded with.

    Raises
    ------
    EncoderError
        When they were encoded by others, by another file than is there now, or it takes other pictures.
    """
    told = made_by_of(run)
    settings = settings_of(run)
    todo = "Ask by a segment or a place instead: --like SEGMENT, --at LON,LAT."
    if isinstance(settings, Elsewhere) or settings.beside is not None:
        raise EncoderError(
            "its fingerprints are embeddings that others have computed, in whole or in part, and no picture has those",
            where=run.city,
            todo=todo,
        )
    side = told.get("emb:chip_layout.chip_size")
    if isinstance(side, list) and settings.input_px is None:
        settings = settings.model_copy(update={"input_px": int(side[0])})
    encoder = load_encoder(settings, tile_m=tile_m)
    if encoder.card.own_values or told.get("emb:chip_layout.mode") == "dense":
        raise EncoderError(
            "its roads were not encoded from 8-bit pictures of single tiles, as a picture is",
            where=run.city,
            todo=todo,
        )
    refuse_other_weights(run, settings, todo)
    return encoder


def settings_of(run: OpenRun) -> EncoderSettings | Elsewhere:
    """Read the section of the configuration by itself: others may name places that are not there any more."""
    written: Any = expand(run.configuration.get("encoder") or {}, str(run.geopackage))
    return encoder_settings(**written)


def refuse_other_weights(run: OpenRun, settings: EncoderSettings, todo: str) -> None:
    """Refuse an encoder whose files are not those that a run was made with."""
    digests = FileDigests()
    weights = ";".join(digests.of(file) for file in settings.files())
    if weights != (made_by_of(run).get(WEIGHTS) or ""):
        raise EncoderError(
            "the encoder's weights are not those that the run was made with", where=run.city, todo=todo
        )


def tile_side(run: OpenRun) -> float:
    """Tell how large a run's tiles are (metres)."""
    told = made_by_of(run).get("emb:chip_layout.chip_size_m")
    return float(told) if isinstance(told, int | float) else Tiles().tile_m
