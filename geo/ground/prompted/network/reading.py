"""Weights from a local file, of which nothing is run: safetensors, or what torch saved without code."""

from __future__ import annotations

import json
from pathlib import Path
from pickle import UnpicklingError
from typing import Any

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file

from geo.errors import EncoderError, meant_file

State = dict[str, torch.Tensor]
CONFIG, MODEL = "config.json", "model.safetensors"
"""What a folder of transformers holds."""
_STAND_INS = (
    (b"version https://git-lfs", "the stand-in of Git LFS for a file"),
    (b"<", "a page of the web, not weights"),
)
_CODE = "Weights only load failed"


def parts_of(path: Path) -> list[Path]:
    """Name the files that weights are read from: of a folder of transformers two, else the file itself."""
    return [path / CONFIG, path / MODEL] if path.is_dir() else [path]


def read_state(path: Path, where: str) -> State:
    """Read tensors by name.

    Parameters
    ----------
    path
        A ``.safetensors`` file, or one that torch wrote (``.pt``, ``.pth``, ``.bin``), with the tensors by name,
        perhaps under ``model`` or ``state_dict``.
    where
        What a message calls it.

    Raises
    ------
    EncoderError
        When it is not there, is truncated, holds code, or holds something else than tensors by name.
    """
    if not path.is_file():
        raise EncoderError(
            f"no such file: {path}{meant_file(path)}", where=where, todo="Mend the path in ground.sam."
        )
    with path.open("rb") as stream:
        begins = stream.read(64)
    for head, what in _STAND_INS:
        if begins.lstrip().startswith(head):
            raise _unreadable(path, where, f"it is {what}")
    if not begins:
        raise _unreadable(path, where, "it is empty")
    held = _read_safe(path, where) if path.suffix == ".safetensors" else _read_torch(path, where)
    for key in ("model", "state_dict"):
        if isinstance(held, dict) and isinstance(held.get(key), dict):
            held = held[key]
    if not isinstance(held, dict) or not held or not all(isinstance(v, torch.Tensor) for v in held.values()):
        raise _unreadable(path, where, "it holds something else than tensors by name")
    bad = sorted(name for name, value in held.items() if value.is_floating_point() and not _finite(value))
    if bad:
        raise _unreadable(
            path, where, f"{len(bad)} of its tensors hold no numbers (NaN), {bad[0]} among them"
        )
    return dict(held)


def read_config(path: Path, where: str) -> dict[str, Any]:
    """Read the description of a network in a folder of transformers.

    Raises
    ------
    EncoderError
        When it is not there or is no JSON object.
    """
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise EncoderError(
            f"{path.name} cannot be read ({str(error).splitlines()[0]:.160})",
            where=where,
            todo=f"A folder of weights holds {CONFIG} and {MODEL}, as transformers saves a model.",
        ) from error
    if not isinstance(found, dict):
        raise EncoderError(f"{path.name} is no JSON object", where=where, todo="Save the model again.")
    return found


def _read_safe(path: Path, where: str) -> object:
    try:
        return load_file(path)
    except (OSError, SafetensorError) as error:
        raise _unreadable(path, where, f"it is truncated or no safetensors file ({error!s:.120})") from error


def _read_torch(path: Path, where: str) -> object:
    try:
        held: object = torch.load(path, map_location="cpu", weights_only=True)
    except UnpicklingError as error:
        code = str(error).startswith(_CODE)
        why = (
            "it holds code beside tensors, which is not run"
            if code
            else "it is truncated or no file of torch"
        )
        raise _unreadable(path, where, why) from error
    except (OSError, RuntimeError, EOFError, ValueError, KeyError, IndexError, AttributeError) as error:
        raise _unreadable(path, where, "it is truncated or no file of torch") from error
    return held


def _finite(value: torch.Tensor) -> bool:
    return bool(torch.isfinite(value).all())


def _unreadable(path: Path, where: str, why: str) -> EncoderError:
    return EncoderError(
        f"the weights in {path.name} cannot be read: {why}",
        where=where,
        todo="Get the file again from its project, or name another in ground.sam; a safetensors file is read as well.",
    )
