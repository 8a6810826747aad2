"""What executes a model: OpenVINO on a processor, torch on a graphics card and wherever OpenVINO cannot.

The rule is stated, not measured anew each time, so that the same machine always gives the same embeddings. Reduced
precision is used on graphics cards alone: processors differ in what they have units for, and where they have none it
is tens of times slower.
"""

from __future__ import annotations

import math
import os
import sys
import warnings
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from threading import Lock
from typing import Any, Protocol

import numpy as np
import torch

from geo.config import EncoderSettings
from geo.errors import ConfigurationError, EncoderError
from geo.features.encoder import Embeddings, Pixels

AGREEMENT = 0.9999
"""Least cosine between the embeddings of a runtime and those of torch in float32."""
LEAST_CHUNK = 4
CHUNK_PX, CHUNK_PX_A_CORE = 2**20, 2**17
"""OpenVINO gets no more pixels at once than these, unless one image has more: maps of large images take twice as long
where several of them push each other out of the caches."""
_REPORTS = "openvino_telemetry"


class Runtime(Protocol):
    """Executes one model; may be called by several threads, works for one at a time.

    Attributes
    ----------
    name
        What it is and how it computes, for the run's record.
    """

    name: str

    def embed(self, images: Pixels) -> Embeddings:
        """Embed images ``(n, bands, side, side)`` as ``(n, dimension)``, or map them."""


def available_cores() -> int:
    """Count the processor cores that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def own_threads() -> int:
    """Count the threads to compute with: ``OMP_NUM_THREADS``, as clusters set it, else one a core.

    Results do not depend on it.
    """
    asked = os.environ.get("OMP_NUM_THREADS", "")
    return min(int(asked), available_cores()) if asked.isdecimal() and int(asked) else available_cores()


def choose_device(asked: str) -> torch.device:
    """Find the device to run on: the one asked for, or the best there is.

    Raises
    ------
    ConfigurationError
        When the device asked for is not on this machine.
    """
    there = {"cpu": True, "cuda": torch.cuda.is_available(), "mps": torch.backends.mps.is_available()}
    if asked == "auto":
        return torch.device(next(name for name in ("cuda", "mps", "cpu") if there[name]))
    if not there[asked]:
        raise ConfigurationError(
            f"the device {asked!r} is not on this machine",
            where="encoder.device",
            todo="Use auto or cpu; every encoder runs on a CPU.",
        )
    return torch.device(asked)


def choose_runtime(module: torch.nn.Module, trial: Pixels, settings: EncoderSettings) -> Runtime:
    """Choose what executes a model.

    On a processor that is OpenVINO, unless it cannot take the model or disagrees with torch (`AGREEMENT`); the
    reason then stands in the runtime's name.

    Parameters
    ----------
    module
        Takes images ``(n, bands, side, side)`` and gives ``(n, dimension)`` or a feature map
        ``(n, dimension, rows, columns)``.
    trial
        Images to try it on, of the shape and dtype of its input: uint8, or float32.
    settings
        The section ``encoder`` of the city's file: ``device`` and ``runtime``.

    Raises
    ------
    ConfigurationError
        When the device asked for is not there, or the runtime asked for does not run on it.
    EncoderError
        When the runtime asked for cannot execute the model.
    """
    device = choose_device(settings.device)
    if settings.runtime == "torch" or device.type != "cpu":
        if settings.runtime == "openvino":
            raise ConfigurationError(
                f"OpenVINO runs on a processor, and the device is {device.type!r}",
                where="encoder.runtime",
                todo="Set encoder.device: cpu, or encoder.runtime: auto.",
            )
        return TorchRuntime(module, device)
    try:
        runtime = OpenVinoRuntime(module, trial)
        _compare(runtime, module, trial)
    except (ImportError, RuntimeError) as error:
        reason = str(error).strip().splitlines()[0][:160]
        if settings.runtime == "openvino":
            raise EncoderError(
                f"OpenVINO cannot execute it ({reason})",
                where=f"encoder {settings.name}",
                todo="Set encoder.runtime: auto or torch.",
            ) from error
        return TorchRuntime(module, device, note=f", since OpenVINO cannot: {reason}")
    return runtime


def _compare(runtime: Runtime, module: torch.nn.Module, trial: Pixels) -> None:
    """Embed images with both; raises RuntimeError when they disagree."""
    runtimes = runtime, TorchRuntime(module, torch.device("cpu"))
    ours, theirs = (each.embed(trial).reshape(len(trial), -1) for each in runtimes)
    cosine = (ours * theirs).sum(1) / (np.linalg.norm(ours, axis=1) * np.linalg.norm(theirs, axis=1))
    if not cosine.min() >= AGREEMENT:
        raise RuntimeError(f"its embeddings agree with torch's to a cosine of {cosine.min():.4f} only")


def chunk_of(pixels: int, cores: int) -> int:
    """Tell how many images of so many pixels OpenVINO gets at once: a power of two, as batches mostly are.

    Examples
    --------
    >>> chunk_of(224 * 224, 2), chunk_of(576 * 576, 2), chunk_of(224 * 224, 16)
    (4, 1, 16)
    """
    most = min(max(LEAST_CHUNK, 2 * cores), min(CHUNK_PX, CHUNK_PX_A_CORE * cores) // pixels)
    return 1 << max(0, most.bit_length() - 1)


class TorchRuntime:
    """Torch: float32 on a processor, 16 bits where the card has units for them.

    Parameters
    ----------
    module
        Torch module to execute, as for `choose_runtime`.
    device
        Device that the module runs on.
    note
        What is added to the runtime's name, such as why it was chosen.
    """

    def __init__(self, module: torch.nn.Module, device: torch.device, *, note: str = "") -> None:
        reduced = device.type != "cpu"
        self.name = f"torch {torch.__version__}, {device.type}, {'float16' if reduced else 'float32'}{note}"
        self._device = device
        self._reduced = reduced
        # channels_last halves the time of convolutions on a processor; those of three dimensions do not have it
        self._module = module.eval().to(device)
        if all(weights.ndim <= 4 for weights in module.parameters()):
            self._module = self._module.to(memory_format=torch.channels_last)
        self._lock = Lock()

    def embed(self, images: Pixels) -> Embeddings:
        """See `Runtime.embed`."""
        batch = torch.from_numpy(images).contiguous(memory_format=torch.channels_last).to(self._device)
        narrow = torch.autocast(self._device.type, torch.float16) if self._reduced else nullcontext()
        with self._lock, torch.inference_mode(), narrow:
            torch.set_num_threads(own_threads())
            embeddings: Embeddings = self._module(batch).float().cpu().numpy()
        return embeddings


class OpenVinoRuntime:
    """OpenVINO on all cores of the processor, in float32, a few images at a time so that they stay in its caches.

    Parameters
    ----------
    module
        Torch module to execute, as for `choose_runtime`.
    trial
        Images to try it on, of the shape and dtype of its input.
    """

    def __init__(self, module: torch.nn.Module, trial: Pixels) -> None:
        with _unreported():
            import openvino  # noqa: PLC0415 - only this runtime needs it, and it may be left uninstalled

        cores, shape = available_cores(), trial.shape[1:]
        self._chunk = chunk_of(math.prod(shape[1:]), cores)
        self.name = f"openvino {openvino.__version__.split('-')[0]}, cpu, float32"
        model = _convert(
            module.eval().cpu(), torch.from_numpy(np.zeros((self._chunk, *shape), dtype=trial.dtype))
        )
        options = {
            "PERFORMANCE_HINT": "LATENCY",
            "INFERENCE_PRECISION_HINT": "f32",
            "INFERENCE_NUM_THREADS": own_threads(),
            # several processes of fewer threads than cores would all be tied to the first core
            "ENABLE_CPU_PINNING": False,
        }
        self._request = openvino.Core().compile_model(model, "CPU", options).create_infer_request()
        self._lock = Lock()

    def embed(self, images: Pixels) -> Embeddings:
        """See `Runtime.embed`."""
        n, size = len(images), self._chunk
        padded = np.zeros((-(-n // size) * size, *images.shape[1:]), dtype=images.dtype)
        padded[:n] = images
        with self._lock:
            parts = [self._run(padded[i : i + size]) for i in range(0, n, size)]
        return np.concatenate(parts)[:n]

    def _run(self, images: Pixels) -> Embeddings:
        """Embed one chunk; the tensor that comes out belongs to the runtime, hence the copy."""
        embeddings: Embeddings = np.array(self._request.infer(images)[0], dtype=np.float32)
        return embeddings


@contextmanager
def _unreported() -> Iterator[None]:
    """Have OpenVINO imported without its reports.

    As soon as it is imported it reports that to its makers: it leaves a folder in the user's home, copies this process
    to send from, whatever its threads are at, and has the end of this one wait for that. Where what it reports by
    cannot be imported, it does without.
    """
    # None: an import of it fails (Python's reference, 'The module cache')
    sys.modules.setdefault(_REPORTS, None)  # type: ignore[arg-type]
    try:
        yield
    finally:
        if sys.modules.get(_REPORTS) is None:
            sys.modules.pop(_REPORTS, None)


def _convert(module: torch.nn.Module, example: torch.Tensor) -> Any:  # noqa: ANN401
    """Bring a model to OpenVINO, of the shape of an example.

    OpenVINO's own ``convert_model`` would report its use to its makers; the front end below it does not.
    """
    from openvino.frontend import FrontEndManager  # noqa: PLC0415
    from openvino.frontend.pytorch.ts_decoder import TorchScriptPythonDecoder  # noqa: PLC0415

    front_end = FrontEndManager().load_by_framework("pytorch")
    with warnings.catch_warnings(), torch.no_grad():
        # torch announces another way to trace, and models warn of the shapes that tracing fixes
        warnings.simplefilter("ignore")
        decoder = TorchScriptPythonDecoder(module, example_input=example)
        model = front_end.convert(front_end.load(decoder))
    model.reshape(list(example.shape))
    return model
