"""MobileSAM's encoder of pictures: timm's TinyViT, as it was changed for it."""

from __future__ import annotations

from typing import ClassVar

import timm
from torch import Tensor, nn


class TinyEncoder(nn.Module):
    """TinyViT (5M) for pictures of 1,024 pixels, whose last stage keeps its resolution, and a neck as SAM's.

    Zhang et al. 2023, 'Faster Segment Anything', arXiv 2306.14289, and its published code: the last step between stages
    has stride 1, so that there is a cell for 16 pixels, as SAM's decoder expects.

    Attributes
    ----------
    side
        Of its pictures (pixels).
    width
        Of its cells before the neck.
    neck
        SAM's, which takes ``(pictures, rows, columns, width)``; to be given.
    """

    side: ClassVar[int] = 1024

    def __init__(self) -> None:
        super().__init__()
        trunk = timm.create_model("tiny_vit_5m_224", pretrained=False, num_classes=0)
        trunk.stages[-1].downsample.conv2.conv.stride = (1, 1)
        trunk.head = nn.Identity()
        self.trunk = trunk
        self.width = int(trunk.num_features)
        self.neck: nn.Module = nn.Identity()

    def forward(self, pixel_values: Tensor, **_: object) -> tuple[Tensor]:
        """Encode pictures ``(pictures, 3, side, side)`` as ``(pictures, channels, side / 16, side / 16)``."""
        cells: Tensor = self.trunk.forward_features(pixel_values)
        found: Tensor = self.neck(cells.permute(0, 2, 3, 1))
        return (found,)
