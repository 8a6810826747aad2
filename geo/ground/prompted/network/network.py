"""One door to promptable networks: pictures in, masks for prompts out."""

from __future__ import annotations

from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from geo.errors import ConfigurationError, EncoderError, meant, meant_file
from geo.features.encoder import Pixels, Valid
from geo.ground.prompted.network.published import PUBLISHED, missing, refuse_other

Floats = NDArray[np.float32]
Embedded = Any
"""What a network makes of a picture: one map, or maps of several strides."""
MEAN, DEVIATION = (123.675, 116.28, 103.53), (58.395, 57.12, 57.375)
"""Of red, green and blue in ImageNet (0 to 255), which all three networks bring pictures to."""
STRIDE = 4
"""Masks come with a cell for so many pixels along each side."""
_AT_ONCE = 16


@dataclass(frozen=True, slots=True)
class Masks:
    """Masks for prompts.

    Attributes
    ----------
    fields
        ``(prompts, masks, rows, columns)``: above 0 inside; cells of `STRIDE` pixels.
    iou
        IoU that the network predicts of each, ``(prompts, masks)``.
    """

    fields: Floats
    iou: Floats


class Network:
    """A promptable network.

    Parameters
    ----------
    model
        Of transformers.
    family
        Which of the networks it is.

    Attributes
    ----------
    side
        Of its pictures (pixels).
    """

    def __init__(self, model: Any, family: str) -> None:  # noqa: ANN401 - of transformers
        self._model: Any = model
        self.family = family
        self.side = int(self._model.config.prompt_encoder_config.image_size)

    def encode(self, picture: Pixels, valid: Valid) -> Embedded:
        """Encode a picture ``(3, side, side)`` of red, green and blue, once for all prompts in it.

        Where there is no data it sees what is neither bright nor dark.
        """
        shown = torch.from_numpy(np.ascontiguousarray(picture)).float()
        mean, deviation = (torch.tensor(values).view(3, 1, 1) for values in (MEAN, DEVIATION))
        normal = (shown - mean) / deviation * torch.from_numpy(np.ascontiguousarray(valid))
        with torch.inference_mode():
            return self._model.get_image_embeddings(normal[None])

    def masks(self, embedded: Embedded, points: NDArray[np.float64], labels: NDArray[np.int64]) -> Masks:
        """Make masks for prompts, each of as many points.

        Parameters
        ----------
        embedded
            What `encode` gave.
        points
            ``(prompts, points, 2)``: pixels from the picture's western and northern edge.
        labels
            1 where a point lies on what is looked for, 0 where beside, ``(prompts, points)``.
        """
        fields, iou = [], []
        for first in range(0, len(points), _AT_ONCE):
            part = slice(first, first + _AT_ONCE)
            # the networks add half a pixel themselves: they count from the middle of the first one
            where = torch.from_numpy(points[None, part] - 0.5).float()
            kind = torch.from_numpy(labels[None, part]).int()
            with torch.inference_mode():
                out = self._model(
                    image_embeddings=embedded, input_points=where, input_labels=kind, multimask_output=True
                )
            fields.append(_numbers(out.pred_masks[0]))
            iou.append(_numbers(out.iou_scores[0]))
        return Masks(np.concatenate(fields), np.concatenate(iou))


def _numbers(found: Tensor) -> Floats:
    numbers: Floats = found.float().numpy()
    return numbers


def place_of(name: str) -> Path:
    """Say where the weights that ``ground.sam`` names are to lie: a file, or a folder of transformers."""
    return PUBLISHED[name].place if name in PUBLISHED else Path(name)


def refuse_missing(name: str) -> None:
    """Refuse weights that are not there, or the lack of the package that loads them, before anything is read.

    Raises
    ------
    ConfigurationError
        When transformers is not installed.
    EncoderError
        When the weights are not on this machine, or are not those that were published under this name.
    """
    if find_spec("transformers") is None:
        raise ConfigurationError(
            "method sam needs the package transformers",
            where="ground.method",
            todo="Install it: pip install 'roadprint[sam]'.",
        )
    place = place_of(name)
    one = PUBLISHED.get(name)
    if one is not None:
        if not place.is_file():
            raise missing(one)
        refuse_other(one, place)
    elif not place.exists():
        names = ", ".join(sorted(PUBLISHED))
        raise EncoderError(
            f"it is none of {names}, and no such file or folder is there{meant(name, PUBLISHED) or meant_file(place)}",
            where=f"ground.sam {name}",
            todo=f"Mend the path, or name one of {names}.",
        )


def load_network(name: str) -> Network:
    """Load the network that ``ground.sam`` names, or whose weights lie where it says.

    Raises
    ------
    ConfigurationError, EncoderError
        See `refuse_missing`; or when the weights are truncated, hold code, or are of another model.
    """
    refuse_missing(name)
    from geo.ground.prompted.network.building import OtherModelError, build
    from geo.ground.prompted.network.reading import parts_of, read_config, read_state

    where, parts = f"ground.sam {name}", parts_of(place_of(name))
    config = read_config(parts[0], where) if len(parts) > 1 else None
    state = read_state(parts[-1], where)
    try:
        model, family = build(state, config)
    except OtherModelError as error:
        raise EncoderError(
            f"these weights cannot be used: {error}",
            where=where,
            todo=f"Name weights of {', '.join(sorted(PUBLISHED))} as published, or as transformers saves them.",
        ) from error
    if name in PUBLISHED and family != name:
        raise EncoderError(
            f"the file holds a {family}", where=where, todo="Get the file again from its project."
        )
    return Network(model, family)
