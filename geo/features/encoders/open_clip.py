"""Networks that bring pictures and text into one space, of open_clip: SigLIP, RemoteCLIP, GeoRSCLIP and others."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, Self

import numpy as np
from pydantic import Field

from geo.errors import EncoderError, alike, meant_file
from geo.features.encoder import RGB, Embeddings, EncoderCard
from geo.features.encoders.kind import ModelKind

if TYPE_CHECKING:
    from types import ModuleType

    import torch

    from geo.features.encoders.kind import Loaded

CONFIG = "open_clip_config.json"
"""In a folder, or on the hub, says which network the weights beside it are of."""
WEIGHTS = "open_clip_model.safetensors"
HUB = "hf-hub:"
FAR = 0.3
"""Names of networks are long: one that shares a third with what was written may be meant."""
_UNUSABLE = (KeyError, TypeError, ValueError, AttributeError, EOFError, AssertionError)
_KEPT = {".json", ".safetensors", ".bin", ".pt", ".pth", ".txt", ".model"}
"""Endings of what a folder holds of a network: how it is made, its weights, its words."""


class OpenClip(ModelKind):
    """The image tower of a network of open_clip; its text tower says what words look like (``find --text``).

    The networks know red, green and blue. Embeddings have length 1 before they are averaged over turns.
    """

    tag: ClassVar[str] = "open_clip"
    form: ClassVar[str] = "open_clip:NAME"

    name: str = Field(
        pattern="^open_clip:.",
        description="open_clip:NAME, as open_clip names networks: with the tag of its weights, "
        "open_clip:ViT-B-32/laion2b_s34b_b79k; on the hub, open_clip:hf-hub:timm/ViT-B-16-SigLIP; or with a file in "
        "weights, open_clip:ViT-B-32.",
    )
    weights: str | None = Field(
        default=None,
        min_length=1,
        description="File of weights (RemoteCLIP-ViT-B-32.pt, RS5M_ViT-B-32.pt), or a folder that holds "
        f"{CONFIG} with the weights beside it; default: they are fetched.",
    )

    def needs(self) -> tuple[str, ...]:
        """See `EncoderKind.needs`."""
        return RGB

    def files(self) -> list[str]:
        """See `EncoderSettings.files`."""
        if self.weights is None:
            return []
        folder = Path(self.weights)
        if not folder.is_dir():
            return [self.weights]
        return [str(file) for file in sorted(folder.iterdir()) if file.suffix in _KEPT]

    def with_paths(self, resolve: Callable[[str], str]) -> Self:
        """See `EncoderSettings.with_paths`."""
        if self.weights is None:
            return self
        return self.model_copy(update={"weights": resolve(self.weights)})

    def load_model(self) -> Loaded:
        """Load the image tower; see `ModelKind.load_model`."""
        from geo.features.encoders.hub import measure

        network = self._network(self.input_px)
        size = network.visual.image_size
        side = int(size[0] if isinstance(size, tuple | list) else size)
        tower = _image_tower(network)
        card = EncoderCard(
            name=self.name,
            dimension=measure(tower, len(RGB), side, self.name),
            input_px=side,
            pixel_m=None,
            bands=RGB,
            value_range=(0.0, 1.0),
            mean=tuple(float(one) for one in network.visual.image_mean),
            std=tuple(float(one) for one in network.visual.image_std),
            licence="not stated by open_clip: that of the weights",
            source=f"open_clip {self._called}"
            + (f", weights {Path(self.weights).name}" if self.weights else ""),
        )
        return tower, card

    def embed_text(self, sentences: Sequence[str]) -> Embeddings:
        """Embed sentences by the text tower: ``(sentences, dimension)``, each of length 1.

        Raises
        ------
        EncoderError
            As `load_model`.
        """
        import torch

        network = self._network(None)
        tokenizer = self._tokenizer()
        with torch.inference_mode():
            found: Embeddings = network.encode_text(tokenizer(list(sentences)), normalize=True).numpy()
        return found.astype(np.float32)

    @property
    def _called(self) -> str:
        return self.name.partition(":")[2]

    def _source(self) -> tuple[str, str | None]:
        """Name the network and its weights, as open_clip takes them."""
        if self.weights is not None and Path(self.weights).is_dir():
            return f"local-dir:{self.weights}", None
        if self._called.startswith(HUB):
            return self._called, None
        network, _, tag = self._called.partition("/")
        return network, self.weights or tag or None

    def _network(self, side: int | None) -> Any:  # noqa: ANN401
        """Make the network with its weights.

        Raises
        ------
        EncoderError
            When open_clip is not installed, there is no such network, or its weights cannot be had or do not fit.
        """
        from pickle import UnpicklingError

        from safetensors import SafetensorError

        library = self._library()
        network, weights = self._source()
        self._check(library, network, weights)
        try:
            return self._fetched(
                lambda: library.create_model(
                    network,
                    pretrained=weights,
                    require_pretrained=True,
                    pretrained_text=False,
                    force_image_size=side,
                ).eval()
            )
        except (*_UNUSABLE, UnpicklingError, SafetensorError) as error:
            raise self._unusable(error) from error

    def _check(self, library: ModuleType, network: str, weights: str | None) -> None:
        """Refuse what can be seen to be wrong before anything is made."""
        if self.weights is not None and not Path(self.weights).exists():
            raise EncoderError(
                f"no such file{meant_file(Path(self.weights))}",
                where=f"encoder {self.name}",
                todo=f"Mend the path in encoder.weights ({self.weights}).",
            )
        if network.startswith("local-dir:"):
            folder = Path(network.partition(":")[2])
            if not (folder / CONFIG).is_file():
                raise EncoderError(
                    f"the folder holds no {CONFIG}",
                    where=str(folder),
                    todo=f"Put it beside the weights, or name a file of weights and its network: {self.form}.",
                )
            return
        if network.startswith(HUB):
            return
        if network not in library.list_models():
            near = alike(network, library.list_models(), first=3, least=FAR)
            raise EncoderError(
                f"open_clip knows no network {network!r}",
                where=f"encoder {self.name}",
                todo=f"Name one of its own ({', '.join(near) or 'ViT-B-32'}), or a folder in encoder.weights.",
            )
        tags = library.list_pretrained_tags_by_model(network)
        if weights is None or (self.weights is None and weights not in tags):
            known = f" (it knows {', '.join(tags)})" if tags else ""
            raise EncoderError(
                f"it names no weights that open_clip knows{known}: a network without them is random",
                where=f"encoder {self.name}",
                todo="Name a file in encoder.weights, or weights by their tag: open_clip:ViT-B-32/laion2b_s34b_b79k.",
            )

    def _tokenizer(self) -> Any:  # noqa: ANN401
        """Make what cuts text into what the text tower reads."""
        library = self._library()
        try:
            return self._fetched(lambda: library.get_tokenizer(self._source()[0]))
        except ImportError as error:
            raise EncoderError(
                f"its words are cut by a library that is not installed ({error.name})",
                where=f"encoder {self.name}",
                todo="pip install transformers",
            ) from error
        except (KeyError, TypeError, ValueError) as error:
            raise self._unusable(error) from error

    def _library(self) -> ModuleType:
        try:
            import open_clip
        except ImportError as error:
            raise EncoderError(
                "open_clip is not installed",
                where=f"encoder {self.name}",
                todo="pip install 'roadprint[words]', or set encoder.name to 'bundled', whose bank of words needs no "
                "download.",
            ) from error
        library: ModuleType = open_clip
        return library

    def _fetched(self, load: Callable[[], Any]) -> Any:  # noqa: ANN401
        """Run a loader that fetches what is not on this machine."""
        from geo.features.encoders.hub import fetch
        from geo.features.encoders.timm import hub_host

        local = self.weights is not None
        return fetch(load, self._unusable if local else self._unavailable, host=None if local else hub_host())

    def _unusable(self, cause: BaseException) -> EncoderError:
        first = (str(cause).strip() or type(cause).__name__).splitlines()[0]
        return EncoderError(
            f"its weights cannot be loaded into the network ({first:.160})",
            where=f"encoder {self.name}",
            todo=f"Name the network that the file is of (open_clip:ViT-B-32), or a folder with {CONFIG} and its "
            "weights in encoder.weights.",
        )

    def _unavailable(self, cause: BaseException) -> EncoderError:
        """Say which file to get, where to name it, and what works without."""
        first = (str(cause).strip() or type(cause).__name__).splitlines()[0]
        file = f"{WEIGHTS} and {CONFIG} of {self._called.removeprefix(HUB)}"
        if not self._called.startswith(HUB):
            network, _, tag = self._called.partition("/")
            place: dict[str, Any] = {}
            with suppress(EncoderError):
                place = self._library().get_pretrained_cfg(network, tag)
            file = (
                f"the weights {tag} of {network} ({place.get('hf_hub') or place.get('url') or 'open_clip'})"
            )
        return EncoderError(
            f"its weights are not on this machine and could not be fetched ({first:.160})",
            where=f"encoder {self.name}",
            todo=f"Get {file} on a machine with access and name the file, or a folder with both, in encoder.weights; "
            "or set encoder.name to 'bundled', whose weights and words are installed with roadprint.",
        )


def _image_tower(network: Any) -> torch.nn.Module:  # noqa: ANN401
    """Give the image tower as a module that takes images and gives embeddings of length 1."""
    import torch

    class Tower(torch.nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.visual = network.visual

        def forward(self, images: torch.Tensor) -> torch.Tensor:
            found = self.visual(images)
            pooled = found[0] if isinstance(found, tuple) else found
            return torch.nn.functional.normalize(pooled, dim=-1)

    return Tower()
