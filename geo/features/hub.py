"""Encoders by name from torchgeo, timm and torchvision, and from a local file.

Weights are looked for on this machine first and fetched only when they are not there. Where they cannot be
fetched, one message says which file is missing, where it belongs, and which encoder needs none.
"""

from __future__ import annotations

import socket
import sys
from collections.abc import Callable
from contextlib import redirect_stdout
from pathlib import Path
from pickle import UnpicklingError
from typing import Any
from urllib.parse import urlsplit
from urllib.request import getproxies

import timm
import torch
from safetensors import SafetensorError
from safetensors.torch import load_file

from geo.config import Encoder as EncoderSettings
from geo.errors import EncoderError
from geo.features.encoder import EncoderCard

RGB = ("red", "green", "blue")
SENTINEL2_WHITE = 3558.0
"""Digital number (reflectance x 10,000) that 255 of an 8-bit Sentinel-2 true-colour image stands for (ESA,
Sentinel-2 Products Specification Document, TCI)."""

Loaded = tuple[torch.nn.Module, EncoderCard]


def _unavailable(name: str, file: str, place: str, cause: BaseException) -> EncoderError:
    """Say which file to get and where to put it."""
    first_line = (str(cause).strip() or type(cause).__name__).splitlines()[0]
    return EncoderError(
        f"its weights are not on this machine and could not be fetched ({first_line:.160})",
        where=f"encoder {name}",
        todo=f"Get {file} on a machine with access and put it at {place}; or set encoder.name to 'bundled', "
        "whose weights are installed with roadprint, or to 'bands'.",
    )


def _measure(module: torch.nn.Module, side: int) -> int:
    """Length of the embedding, from one black image."""
    with torch.inference_mode():
        out = module.eval()(torch.zeros(1, 3, side, side))
    if out.ndim != 2:
        raise EncoderError(
            f"it gives an array of shape {tuple(out.shape)} where one vector an image is needed",
            where="encoder",
            todo="Choose an image classification or embedding network.",
        )
    return int(out.shape[1])


def _without_head(module: torch.nn.Module, name: str) -> torch.nn.Module:
    """Cut off the classifier, so that the pooled features come out."""
    for head in ("fc", "classifier", "heads", "head"):
        if isinstance(getattr(module, head, None), torch.nn.Module):
            setattr(module, head, torch.nn.Identity())
            return module
    raise EncoderError(
        "no classification head was found to cut off",
        where=f"encoder {name}",
        todo="Choose an image classification network.",
    )


def from_timm(name: str) -> Loaded:
    """Load a pretrained timm network by its name (``resnet18.a1_in1k``), its classifier cut off.

    A ``.safetensors`` file of that name beside torch's own checkpoints is taken before anything is fetched.
    """
    label = f"timm:{name}"
    config = _timm_config(name, label)
    place = _checkpoints() / f"{name}.safetensors"
    overlay = {"file": str(place)} if place.is_file() else {}
    network = _fetch(
        lambda: timm.create_model(name, pretrained=True, pretrained_cfg_overlay=overlay, num_classes=0),
        lambda cause: _unavailable(label, f"model.safetensors of {config.hf_hub_id}", str(place), cause),
        host=None if overlay else _hub_host(),
    )
    side = int(config.input_size[-1])
    card = EncoderCard(
        name=label,
        dimension=_measure(network, side),
        input_px=side,
        pixel_m=None,
        bands=RGB,
        value_range=(0.0, 1.0),
        mean=tuple(config.mean),
        std=tuple(config.std),
        licence=config.license or "not stated by timm",
        source=f"timm {name} ({config.hf_hub_id})",
    )
    return network, card


def _timm_config(name: str, label: str) -> Any:  # noqa: ANN401
    """Look up what timm knows of a network: normalisation, licence, where its weights are."""
    try:
        config = timm.get_pretrained_cfg(name, allow_unregistered=False)
    except RuntimeError:
        config = None
    if config is None or not config.hf_hub_id:
        raise EncoderError(
            "timm knows no pretrained network of that name",
            where=f"encoder {label}",
            todo='List the names: python -c "import timm; print(timm.list_models(pretrained=True))"',
        )
    return config


def _hub_host() -> str:
    """Name of the model hub that timm fetches from."""
    from huggingface_hub import constants  # noqa: PLC0415 - only this provider needs it

    return urlsplit(constants.ENDPOINT).hostname or ""


def _checkpoints() -> Path:
    """Folder in which torch keeps fetched weights."""
    return Path(torch.hub.get_dir()) / "checkpoints"


def from_torchvision(name: str) -> Loaded:
    """Load a pretrained torchvision network by its name (``resnet18`` or ``ResNet18_Weights.IMAGENET1K_V1``)."""
    from torchvision import models  # noqa: PLC0415 - only this provider needs it

    label = f"torchvision:{name}"
    try:
        weights = models.get_weight(name) if "." in name else models.get_model_weights(name).DEFAULT
    except (ValueError, AttributeError) as error:
        raise EncoderError(
            "torchvision knows no weights of that name",
            where=f"encoder {label}",
            todo='List the names: python -c "import torchvision; print(torchvision.models.list_models())"',
        ) from error
    builder = name if "." not in name else _builder(weights, models.list_models(), models.get_model_weights)
    _fetch_url(label, weights.url)
    network = _without_head(models.get_model(builder, weights=weights, progress=False), label)
    preset = weights.transforms()
    side = int(preset.crop_size[0])
    card = EncoderCard(
        name=label,
        dimension=_measure(network, side),
        input_px=side,
        pixel_m=None,
        bands=RGB,
        value_range=(0.0, 1.0),
        mean=tuple(preset.mean),
        std=tuple(preset.std),
        licence="BSD-3-Clause (torchvision); terms of the training data apply",
        source=f"torchvision {weights}",
    )
    return network, card


def from_torchgeo(name: str) -> Loaded:
    """Load torchgeo weights by their enum name (``ResNet50_Weights.SENTINEL2_RGB_MOCO``).

    Weights trained on Sentinel-2 digital numbers get imagery brought to their range (`SENTINEL2_WHITE`).
    """
    from torchgeo import models  # noqa: PLC0415 - a slow import that only this provider needs

    label = f"torchgeo:{name}"
    try:
        weights = models.get_weight(name)
    except (ValueError, KeyError, AttributeError) as error:
        raise EncoderError(
            "torchgeo knows no weights of that name",
            where=f"encoder {label}",
            todo="Use an enum name such as ResNet50_Weights.SENTINEL2_RGB_MOCO, or of aerial imagery "
            "Swin_V2_B_Weights.NAIP_RGB_MI_SATLAS.",
        ) from error
    bands = weights.meta.get("bands") or RGB
    if weights.meta.get("in_chans") != len(RGB):
        raise EncoderError(
            f"it takes {weights.meta.get('in_chans')} bands, and roadprint gives it three (red, green, blue)",
            where=f"encoder {label}",
            todo="Choose weights with RGB in their name.",
        )
    mean, std = compose_normalisation(weights.transforms, label)
    reflectance = max(std) > 1000  # 8-bit data never deviates by so much
    _fetch_url(label, weights.url)
    builder = _builder(weights, models.list_models(), models.get_model_weights)
    options = {} if builder.startswith("swin") else {"num_classes": 0}
    network = models.get_model(builder, weights=weights, **options)
    network = _without_head(network, label) if builder.startswith("swin") else network
    side = _crop_side(weights.transforms) or 224
    card = EncoderCard(
        name=label,
        dimension=_measure(network, side),
        input_px=side,
        pixel_m=10.0 if "SENTINEL2" in name else None,
        bands=tuple(bands),
        value_range=(0.0, SENTINEL2_WHITE) if reflectance else (0.0, 255.0),
        mean=mean,
        std=std,
        licence=f"see {weights.meta.get('repo', 'the publication')}",
        source=f"torchgeo {name}, trained on {weights.meta.get('dataset', 'data that it does not name')}",
    )
    return network, card


def from_file(path: Path, settings: EncoderSettings) -> Loaded:
    """Load a local state dict (``.safetensors``, or ``.pt``/``.pth`` without code) into a timm architecture.

    The configuration must name the architecture and the normalisation: ``encoder.architecture``, ``mean`` and
    ``std`` (of 0 to 255).
    """
    label = f"file:{path}"
    missing = [key for key in ("architecture", "mean", "std") if getattr(settings, key) is None]
    if missing:
        raise EncoderError(
            f"the configuration does not say encoder.{' and encoder.'.join(missing)}",
            where=f"encoder {label}",
            todo="A file of weights says neither what network it belongs to nor how its input was normalised.",
        )
    if not path.is_file():
        raise EncoderError("no such file", where=f"encoder {label}", todo="Mend the path in encoder.name.")
    try:
        if path.suffix == ".safetensors":
            state: dict[str, Any] = load_file(path)
        else:
            state = torch.load(path, map_location="cpu", weights_only=True)
        state = state.get("state_dict", state)
        architecture = settings.architecture or ""
        network = timm.create_model(architecture, pretrained=False, num_classes=0)
        left_out, unknown = network.load_state_dict(state, strict=False)
    except (
        OSError,
        RuntimeError,
        SafetensorError,
        UnpicklingError,
        ValueError,
        AttributeError,
        EOFError,
    ) as error:
        raise EncoderError(
            f"the weights cannot be loaded into {settings.architecture!r} ({str(error).splitlines()[0]:.160})",
            where=f"encoder {label}",
            todo="Check encoder.architecture (a timm name) and that the file is a state dict of it.",
        ) from error
    if left_out:
        raise EncoderError(
            f"{len(left_out)} tensors of {architecture} are not in the file, {left_out[0]} among them "
            f"({len(unknown)} others in it were not used)",
            where=f"encoder {label}",
            todo="Check encoder.architecture: a network that is half random gives meaningless embeddings.",
        )
    config = timm.data.resolve_model_data_config(network)
    side = int(config["input_size"][-1])
    card = EncoderCard(
        name=label,
        dimension=_measure(network, side),
        input_px=side,
        pixel_m=None,
        bands=RGB,
        value_range=(0.0, 255.0),
        mean=tuple(settings.mean or ()),
        std=tuple(settings.std or ()),
        licence="not stated: a local file",
        source=f"{path.name} as {architecture}",
    )
    return network, card


def compose_normalisation(transforms: Any, label: str) -> tuple[tuple[float, ...], tuple[float, ...]]:  # noqa: ANN401
    """Fold a chain of normalisations into one mean and deviation of each band.

    ``(x - m1) / s1`` followed by ``(y - m2) / s2`` is ``(x - (m1 + s1 m2)) / (s1 s2)``.

    Raises
    ------
    EncoderError
        When the chain holds no normalisation.
    """
    mean, std = [0.0] * 3, [1.0] * 3
    steps = transforms if isinstance(transforms, torch.nn.Sequential) else [transforms]
    found = False
    for step in steps:
        m, s = getattr(step, "mean", None), getattr(step, "std", None)
        if m is None or s is None:
            continue
        found = True
        m, s = ([float(v) for v in values] * (3 if len(values) == 1 else 1) for values in (m, s))
        mean = [a + b * c for a, b, c in zip(mean, std, m, strict=True)]
        std = [a * b for a, b in zip(std, s, strict=True)]
    if not found:
        raise EncoderError(
            "its weights state no normalisation of the input",
            where=f"encoder {label}",
            todo="Choose weights whose transforms hold a Normalize step.",
        )
    return tuple(mean), tuple(std)


def _crop_side(transforms: Any) -> int | None:  # noqa: ANN401
    """Side of the last crop or resize in a chain of transforms (pixels)."""
    steps = transforms if isinstance(transforms, torch.nn.Sequential) else [transforms]
    sizes = [size for step in steps if (size := getattr(step, "size", None)) is not None]
    return int(sizes[-1][-1]) if sizes else None


def _builder(weights: object, names: list[str], weights_of: Callable[[str], object]) -> str:
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


def _fetch_url(label: str, url: str) -> None:
    """Bring a state dict to torch's cache, checked by the hash in its name, holding tensors alone."""
    place = _checkpoints() / url.rsplit("/", maxsplit=1)[-1]
    _fetch(
        lambda: torch.hub.load_state_dict_from_url(
            url, progress=False, check_hash=True, map_location="cpu", weights_only=True
        ),
        lambda cause: _unavailable(label, url, str(place), cause),
        host=None if place.is_file() else urlsplit(url).hostname,
    )


def _fetch(
    load: Callable[[], Any],
    explain: Callable[[BaseException], EncoderError],
    *,
    host: str | None,
) -> Any:  # noqa: ANN401
    """Run a loader that may need the network, and explain a failure to reach it.

    Clients retry for minutes where there is no network, so the host's name is looked up first (unless a proxy
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
