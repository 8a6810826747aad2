"""Models from public collections: how weights come to this machine, and what is measured of them.

Weights are looked for on this machine first and fetched only when they are not there. Where they cannot be
fetched, one message says which file is missing, where it belongs, and which encoder needs none.
"""

from __future__ import annotations

import socket
import sys
from collections.abc import Callable
from contextlib import redirect_stdout
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit
from urllib.request import getproxies

import torch

from geo.errors import EncoderError
from geo.features.encoder import RGB


def unavailable(name: str, file: str, place: str, cause: BaseException) -> EncoderError:
    """Say which file to get and where to put it."""
    first_line = (str(cause).strip() or type(cause).__name__).splitlines()[0]
    return EncoderError(
        f"its weights are not on this machine and could not be fetched ({first_line:.160})",
        where=f"encoder {name}",
        todo=f"Get {file} on a machine with access and put it at {place}; or set encoder.name to 'bundled', "
        "whose weights are installed with roadprint, or to 'bands'.",
    )


def measure(module: torch.nn.Module, bands: int, side: int, name: str) -> int:
    """Length of the embedding, from one black image.

    Raises
    ------
    EncoderError
        When the model does not take such an image, or gives no vector.
    """
    try:
        with torch.inference_mode():
            out = module.eval()(torch.zeros(1, bands, side, side))
    except (AssertionError, RuntimeError, ValueError) as error:
        why = (str(error).strip() or type(error).__name__).splitlines()[0]
        raise EncoderError(
            f"it does not take images of {side} pixels a side ({why:.160})",
            where=f"encoder {name}",
            todo="Leave encoder.input_px out, or set it to a side that the model takes.",
        ) from error
    if not isinstance(out, torch.Tensor) or out.ndim != 2:
        found = (
            f"an array of shape {tuple(out.shape)}" if isinstance(out, torch.Tensor) else type(out).__name__
        )
        raise EncoderError(
            f"it gives {found} where one vector an image is needed",
            where=f"encoder {name}",
            todo="Choose an image classification or embedding model.",
        )
    return int(out.shape[1])


def without_head(module: torch.nn.Module, name: str) -> torch.nn.Module:
    """Cut off the classifier, so that the pooled features come out."""
    for head in ("fc", "classifier", "heads", "head"):
        if isinstance(getattr(module, head, None), torch.nn.Module):
            setattr(module, head, torch.nn.Identity())
            return module
    raise EncoderError(
        "no classification head was found to cut off",
        where=f"encoder {name}",
        todo="Choose an image classification model.",
    )


def compose_normalisation(
    transforms: Any,  # noqa: ANN401
    label: str,
    bands: int = len(RGB),
) -> tuple[tuple[float, ...], tuple[float, ...]]:
    """Fold a chain of normalisations into one mean and deviation of each band.

    ``(x - m1) / s1`` followed by ``(y - m2) / s2`` is ``(x - (m1 + s1 m2)) / (s1 s2)``.

    Raises
    ------
    EncoderError
        When the chain holds no normalisation.
    """
    mean, std = [0.0] * bands, [1.0] * bands
    steps = transforms if isinstance(transforms, torch.nn.Sequential) else [transforms]
    found = False
    for step in steps:
        m, s = getattr(step, "mean", None), getattr(step, "std", None)
        if m is None or s is None:
            continue
        found = True
        m, s = ([float(v) for v in values] * (bands if len(values) == 1 else 1) for values in (m, s))
        mean = [a + b * c for a, b, c in zip(mean, std, m, strict=True)]
        std = [a * b for a, b in zip(std, s, strict=True)]
    if not found:
        raise EncoderError(
            "its weights state no normalisation of the input",
            where=f"encoder {label}",
            todo="Choose weights whose transforms hold a Normalize step.",
        )
    return tuple(mean), tuple(std)


def states_normalisation(transforms: Any) -> bool:  # noqa: ANN401
    """Tell whether a chain of transforms holds a normalisation."""
    steps = transforms if isinstance(transforms, torch.nn.Sequential) else [transforms]
    return any(getattr(step, "mean", None) is not None for step in steps)


def crop_side(transforms: Any) -> int | None:  # noqa: ANN401
    """Side of the last crop or resize in a chain of transforms (pixels)."""
    steps = transforms if isinstance(transforms, torch.nn.Sequential) else [transforms]
    sizes = [size for step in steps if (size := getattr(step, "size", None)) is not None]
    return int(sizes[-1][-1]) if sizes else None


def builder_of(weights: object, names: list[str], weights_of: Callable[[str], object]) -> str:
    """Name of the model that a weights enum belongs to; some models have no weights to ask for."""
    for name in names:
        try:
            if weights_of(name) is type(weights):
                return name
        except (KeyError, ValueError):
            continue
    raise EncoderError(
        f"no model is known for the weights {weights}",
        where="encoder.name",
        todo="Choose other weights, or encoder.name: bundled.",
    )


def checkpoints() -> Path:
    """Folder in which torch keeps fetched weights."""
    return Path(torch.hub.get_dir()) / "checkpoints"


def fetch_url(label: str, url: str) -> None:
    """Bring a state dict to torch's cache, checked by the hash in its name, holding tensors alone."""
    place = checkpoints() / url.rsplit("/", maxsplit=1)[-1]
    fetch(
        lambda: torch.hub.load_state_dict_from_url(
            url, progress=False, check_hash=True, map_location="cpu", weights_only=True
        ),
        lambda cause: unavailable(label, url, str(place), cause),
        host=None if place.is_file() else urlsplit(url).hostname,
    )


def fetch(
    load: Callable[[], Any],
    explain: Callable[[BaseException], EncoderError],
    *,
    host: str | None,
) -> Any:  # noqa: ANN401
    """Run a loader that may need the internet, and explain a failure to reach it.

    Clients retry for minutes where there is no internet, so the host's name is looked up first (unless a proxy
    does that).
    """
    try:
        if host and not getproxies():
            socket.getaddrinfo(host, 443)
        # loaders announce downloads on standard output, which belongs to results
        with redirect_stdout(sys.stderr):
            return load()
    except (OSError, RuntimeError) as error:
        raise explain(error) from error
