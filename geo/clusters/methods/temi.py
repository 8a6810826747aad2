"""TEMI: heads that teach themselves by pointwise mutual information (Adaloglou et al. 2023, BMVC).

Linear heads, started from k-means, are trained so that what a segment's type tells of the type of one that looks like
it is as much as can be (pointwise mutual information), each head by its own slower copy. Pairs count by how far the
heads together hold both to be of one type. What several heads agree on is taken; one run of k-means from its middles
then brings each segment to the nearest one, so that segments of a city and those of a bootstrap sample are grouped by
one rule.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, ClassVar, Literal

from pydantic import Field

from geo.clusters.methods.heads.kind import TrainedHeads

if TYPE_CHECKING:
    from geo.clusters.methods.heads.training import Heads, Objective


class Temi(TrainedHeads):
    """TEMI: heads that teach themselves by pointwise mutual information; for any number of segments."""

    tag: ClassVar[str] = "temi"
    form: ClassVar[str] = "temi"
    words: ClassVar[str] = (
        "heads that teach themselves (TEMI), their number chosen by flexible average linkage,"
    )

    method: Literal["temi"] = Field(default="temi", description="temi.")
    beta: Annotated[float, Field(gt=0, le=1)] = Field(
        default=0.6,
        description="Power of the probability that a segment and its neighbour are of one type (number): below 1, as "
        "published, keeps types from being emptied.",
    )

    def _objective(self, heads: Heads) -> Objective:
        from geo.clusters.methods.heads.objectives import Information

        return Information(self.beta, heads)
