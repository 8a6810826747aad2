"""Feature maps of several strides of one network, brought to one grid of cells.

A network shows what it makes of an image on its way to a vector: coarser and coarser maps, of surroundings that grow.
Of each stride the last map is taken. Models of timm list them; of others the outputs of their stages are watched. A
transformer of patches has maps of one stride alone, the grid of its tokens.
"""

from __future__ import annotations

import math
import warnings
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch.nn.functional import avg_pool2d, interpolate, normalize

from geo.errors import EncoderError, NoMapsError
from geo.features.encoders.tokens import fit_side

CONTAINERS = (torch.nn.Sequential, torch.nn.ModuleList)
WRAPPERS = ("model", "encoder", "backbone")
"""Where a network holds the one that it is made of."""
MOST_PREFIX = 16
"""Tokens beside those of patches: of the class, and registers."""


@dataclass(frozen=True, slots=True)
class Frame:
    """The grid that maps are brought to: its pixels, and the part of it that is kept.

    Attributes
    ----------
    side
        Side of an image (pixels).
    cells, rim
        Cells along each side that are kept, and those beyond each side that are not.
    """

    side: int
    cells: int
    rim: int

    @property
    def grid(self) -> int:
        """Cells along each side, rim included."""
        return self.cells + 2 * self.rim


def no_maps(name: str, why: str) -> NoMapsError:
    """Say that classes of ground cannot be told from an encoder."""
    return NoMapsError(
        f"it shows no feature maps to tell the ground by: {why}",
        where=f"encoder {name}",
        todo="Leave the section ground out, or use encoder.name: bundled or another convolutional model.",
    )


class StrideMaps(torch.nn.Module):
    """Maps of some strides side by side: ``(n, bands, side, side)`` to ``(n, dimension, cells, cells)``.

    Each is brought to the grid of cells (bilinear where they are finer, their mean where they are coarser), and in each
    cell to length 1.

    Parameters
    ----------
    model
        The network, in its evaluating state.
    frame
        The grid.
    strides
        Which maps; those of a transformer of patches are of one stride, which is taken whatever is asked.
    bands
        Of an image.
    name
        Of the encoder, for messages.

    Attributes
    ----------
    strides
        Those that are joined.
    widths
        How many features each gives.

    Raises
    ------
    EncoderError
        When it shows no maps, or none of a stride that is asked for.
    """

    def __init__(
        self, model: torch.nn.Module, frame: Frame, strides: Sequence[int], bands: int, name: str
    ) -> None:
        super().__init__()
        self.model = model.eval()
        self.frame = frame
        self._input = _fitted(self.model, frame.side, name)
        trial = torch.zeros(1, bands, self._input, self._input)
        with torch.inference_mode(), warnings.catch_warnings():
            warnings.simplefilter("ignore")
            self._show = _shows(self.model, trial, name)
            maps = self._show(trial)
        found = {self._input // one.shape[-1]: at for at, one in enumerate(maps)}
        self.strides = _choose(found, strides, name)
        self._at = [found[stride] for stride in self.strides]
        self.widths = tuple(int(maps[at].shape[1]) for at in self._at)

    def forward(self, images: torch.Tensor) -> torch.Tensor:
        """Map normalised images."""
        maps = self._show(_resized(images, self._input))
        inside = slice(self.frame.rim, self.frame.rim + self.frame.cells)
        kept = [self._to_grid(maps[at])[:, :, inside, inside] for at in self._at]
        return torch.cat([normalize(one, dim=1) for one in kept], dim=1)

    def _to_grid(self, one: torch.Tensor) -> torch.Tensor:
        side, size = self.frame.grid, one.shape[-1]
        if size > side and size % side == 0:
            return avg_pool2d(one, size // side)
        return _resized(one, side)


def _resized(images: torch.Tensor, side: int) -> torch.Tensor:
    """Bring images or maps to another side, bilinear."""
    if images.shape[-1] == side:
        return images
    return interpolate(images, size=(side, side), mode="bilinear", align_corners=False)


def _fitted(model: Any, side: int, name: str) -> int:  # noqa: ANN401 - has patches, or not
    """Make a network take images of about a side; gives the side, a multiple of its patches where it has them."""
    patches = getattr(getattr(model, "patch_embed", None), "patch_size", None)
    if patches is not None:
        patch = int(patches[0])
        side = max(1, round(side / patch)) * patch
        fit_side(model, side, name)
    return side


Show = Callable[[torch.Tensor], list[torch.Tensor]]
"""Gives maps ``(n, channels, rows, columns)`` of images, always of the same layers."""


def _choose(found: dict[int, int], strides: Sequence[int], name: str) -> tuple[int, ...]:
    """Take the strides that are asked for of those that a network has."""
    if len(found) == 1:
        return tuple(found)
    missing = [stride for stride in strides if stride not in found]
    if missing:
        raise EncoderError(
            f"it has maps of strides {', '.join(map(str, sorted(found)))}, and ground.strides asks for "
            f"{', '.join(map(str, missing))}",
            where=f"encoder {name}",
            todo="Name in ground.strides those that it has.",
        )
    return tuple(strides)


def _shows(model: torch.nn.Module, trial: torch.Tensor, name: str) -> Show:
    """Find how a network shows its maps, trying it on one image."""
    try:
        if callable(getattr(model, "forward_intermediates", None)):
            return _listed(model, trial)
        return _watched(model, trial, name)
    except (RuntimeError, AssertionError, ValueError, NotImplementedError) as error:
        reason = str(error).strip().splitlines() or [type(error).__name__]
        raise no_maps(name, f"{reason[0]:.160}") from error


def _listed(model: Any, trial: torch.Tensor) -> Show:  # noqa: ANN401 - a model of timm
    """Ask a model of timm for its maps, the last of each stride."""
    sizes = [maps.shape[-1] for maps in model.forward_intermediates(trial, intermediates_only=True)]
    last = sorted({size: at for at, size in enumerate(sizes)}.values())

    def show(images: torch.Tensor) -> list[torch.Tensor]:
        found: list[torch.Tensor] = model.forward_intermediates(
            images, indices=last, norm=True, intermediates_only=True
        )
        return found

    return show


def _watched(model: torch.nn.Module, trial: torch.Tensor, name: str) -> Show:
    """Watch the stages of a network, the last of each stride."""
    modules = list(_stages(model))
    seen = [(module, _layout(made, trial.shape[-1])) for module, made in _outputs(model, modules, trial)]
    last: dict[int, tuple[torch.nn.Module, Layout]] = {}
    for module, layout in seen:
        if layout is not None:
            last[layout.size] = (module, layout)
    if not last:
        raise no_maps(name, "none of its stages gives one")
    watched = [last[size] for size in sorted(last, reverse=True)]
    own = [module for module, _ in watched]

    def show(images: torch.Tensor) -> list[torch.Tensor]:
        made = {id(module): output for module, output in _outputs(model, own, images)}
        return [layout.upright(made[id(module)]) for module, layout in watched]

    return show


def _stages(model: torch.nn.Module) -> Iterator[torch.nn.Module]:
    """List the parts that a network is a chain of, each after what it is made of; no part of a block."""
    for label, part in model.named_children():
        if isinstance(part, CONTAINERS) or label in WRAPPERS:
            yield from _stages(part)
        if not isinstance(part, torch.nn.ModuleList):
            yield part


def _outputs(
    model: torch.nn.Module, modules: Sequence[torch.nn.Module], images: torch.Tensor
) -> list[tuple[torch.nn.Module, torch.Tensor]]:
    """Run a network, and take what some of its parts give, in the order in which they did."""
    made: list[tuple[torch.nn.Module, torch.Tensor]] = []

    def take(module: torch.nn.Module, _: object, output: object) -> None:
        if isinstance(output, torch.Tensor):
            made.append((module, output))

    hooks = [module.register_forward_hook(take) for module in modules]
    try:
        model(images)
    finally:
        for hook in hooks:
            hook.remove()
    return made


@dataclass(frozen=True, slots=True)
class Layout:
    """How a part of a network lays its map out.

    Attributes
    ----------
    size
        Rows, and columns.
    order
        ``bands first``, ``bands last``, or ``tokens``.
    """

    size: int
    order: str

    def upright(self, made: torch.Tensor) -> torch.Tensor:
        """Bring what it gave to ``(n, channels, rows, columns)``."""
        if self.order == "bands first":
            return made
        if self.order == "bands last":
            return made.permute(0, 3, 1, 2)
        patches = made[:, made.shape[1] - self.size**2 :]
        return patches.transpose(1, 2).reshape(made.shape[0], made.shape[2], self.size, self.size)


def _layout(made: torch.Tensor, side: int) -> Layout | None:
    """Tell how a map of an image of some side is laid out; None: it is no map."""
    shape = made.shape
    if len(shape) == 4:
        if shape[2] == shape[3] > 1 and side % shape[2] == 0:
            return Layout(int(shape[2]), "bands first")
        if shape[1] == shape[2] > 1 and side % shape[1] == 0:
            return Layout(int(shape[1]), "bands last")
    if len(shape) == 3:
        size = math.isqrt(int(shape[1]))
        if size > 1 and side % size == 0 and shape[1] - size**2 <= MOST_PREFIX:
            return Layout(size, "tokens")
    return None
