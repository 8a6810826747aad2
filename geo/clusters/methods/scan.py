"""The clustering step of SCAN on frozen embeddings (Van Gansbeke et al. 2020, European Conference on Computer Vision).

Linear heads, started from k-means, are trained so that a segment and one that looks like it are of one type for sure
(consistency), and types are not all one (entropy of their sizes). What several heads agree on is taken; one run of
k-means from its middles then brings each segment to the nearest one, so that segments of a city and those of a
bootstrap sample are grouped by one rule.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, ClassVar, Literal

from pydantic import Field

from geo.clusters.methods.heads.kind import TrainedHeads

if TYPE_CHECKING:
    from geo.clusters.methods.heads.training import Heads, Objective, Pairs


class Scan(TrainedHeads):
    """SCAN's clustering step: heads trained on segments and those that look like them; for any number of segments."""

    tag: ClassVar[str] = "scan"
    form: ClassVar[str] = "scan"
    words: ClassVar[str] = (
        "heads trained on segments that look alike (SCAN), their number chosen by flexible average linkage,"
    )

    method: Literal["scan"] = Field(default="scan", description="scan.")
    entropy: Annotated[float, Field(ge=0, le=20)] = Field(
        default=1.0,
        description="Weight of the entropy of the types' sizes against the likeness of neighbours (number): with 5, as "
        "published for classes of one size, types are of nearly the same size; below 1 they may differ more.",
    )
    self_labelling: Annotated[float, Field(gt=0.5, lt=1)] | None = Field(
        default=None,
        description="Whether heads are trained on with the types that they are surer of than this (probability); null: "
        "not. It tends to lose types: a head that does lose one is put back, and the report says so.",
    )

    def _objective(self, heads: Heads) -> Objective:  # noqa: ARG002 - asks for nothing of them
        from geo.clusters.methods.heads.objectives import Consistency

        return Consistency(self.entropy)

    def _finished(self, heads: Heads, pairs: Pairs) -> tuple[Heads, tuple[str, ...]]:
        if self.self_labelling is None:
            return heads, ()
        from geo.clusters.methods.heads.labelling import self_labelled

        found, undone = self_labelled(heads, pairs, self.self_labelling, seed=self.seed)
        if not undone:
            return found, ()
        lost = (
            f"self-labelling lost types in {undone} of {self.heads} heads, which were put back: leave "
            "clusters.self_labelling out"
        )
        return found, (lost,)
