"""What heads are trained to: consistency with spread (SCAN), or pointwise mutual information (TEMI)."""

from __future__ import annotations

import torch
from torch import Tensor

from geo.clusters.methods.heads.training import LEAST, Heads, Objective

SLOW = 0.95
"""What a teacher keeps of itself in a step, the rest is taken from its pupil."""
SIZES_KEPT = 0.9
"""What the sizes of types, as the teachers see them, keep of themselves in a step."""
NEGLIGIBLE = 1e-16
"""Below this the product of two probabilities counts as no smaller."""


class Consistency(Objective):
    """Neighbours of one type for sure, and types not all one (Van Gansbeke et al. 2020, equation 2).

    Minus the mean logarithm of the inner product of both memberships, less `entropy` times the entropy of the mean
    membership.
    """

    def __init__(self, entropy: float) -> None:
        self.entropy = entropy

    def loss(self, heads: Heads, one: Tensor, other: Tensor) -> Tensor:
        """Give the loss of each head; see `Objective.loss`."""
        here, there = heads(one), heads(other)
        alike = -(here * there).sum(dim=2).clamp_min(LEAST).log().mean(dim=1)
        mean = here.mean(dim=1)
        spread = -(mean * mean.clamp_min(LEAST).log()).sum(dim=1)
        return alike - self.entropy * spread


class Information(Objective):
    """Pointwise mutual information of the types of neighbours (Adaloglou et al. 2023).

    For a pair, the logarithm of the sum over types of (q_pupil(c|x) q_teacher(c|x'))^beta / q_teacher(c), both ways
    round; its weight is the sum over types of the teachers' q(c|x) q(c|x'), in the mean of all heads.
    """

    def __init__(self, beta: float, heads: Heads) -> None:
        self.beta = beta
        self.teacher = heads.copy()
        count, _, k = heads.weights.shape
        self.sizes = torch.full((count, 1, k), 1.0 / k)

    def loss(self, heads: Heads, one: Tensor, other: Tensor) -> Tensor:
        """Give the loss of each head; see `Objective.loss`."""
        with torch.no_grad():
            taught, taught_other = self.teacher(one), self.teacher(other)
            seen = (taught.mean(dim=1, keepdim=True) + taught_other.mean(dim=1, keepdim=True)) / 2
            self.sizes = SIZES_KEPT * self.sizes + (1 - SIZES_KEPT) * seen
            weight = (taught * taught_other).sum(dim=2).mean(dim=0)
        both = self._information(heads(one), taught_other) + self._information(heads(other), taught)
        return -(weight * both / 2).mean(dim=1)

    def follow(self, heads: Heads) -> None:
        """Let the teachers follow their pupils, slowly."""
        with torch.no_grad():
            self.teacher.weights.lerp_(heads.weights, 1 - SLOW)
            self.teacher.bias.lerp_(heads.bias, 1 - SLOW)

    def _information(self, pupil: Tensor, teacher: Tensor) -> Tensor:
        # a power below 1 rises without bound at 0
        both = (pupil * teacher).clamp_min(NEGLIGIBLE) ** self.beta
        return (both / self.sizes.clamp_min(LEAST)).sum(dim=2).log()
