"""What a run says at its end: ``run.json`` in its folder."""

from __future__ import annotations

from datetime import datetime
from typing import Any, ClassVar

from pydantic import ConfigDict, Field

from geo.ground.names import NamedClass
from geo.outputs.names import Named
from tasks.store.document import Document

SUMMARY, LATEST = "run.json", "latest"
"""What a run says at its end, in its folder; and what points to the newest run, in the city's."""
ONLY_THERE = {"files", "finished", "made_of", "numbering", "base"}
"""Keys that the command line does not print."""


class Told(Document):
    """One of the things that were found, in a sentence."""

    title: str = Field(description="What it is of.")
    sentence: str = Field(description="What was found.")
    sure: str = Field(default="", description="How sure that is, a clause; empty: the sentence says it.")

    @property
    def whole(self) -> str:
        """Both in one text."""
        return f"{self.sentence} How sure: {self.sure}." if self.sure else self.sentence


class StageRow(Document):
    """What became of the items of a stage."""

    name: str
    seconds: float
    done: int
    skipped: int
    rejected: int
    failed: int
    cached: bool


class NumberedGround(Document):
    """Where the numbers of classes of ground that were found are from, and what they were called."""

    key: str
    own_key: str
    reserved: list[int]
    learned: str = Field(description="Key of the stage that found the classes.")
    classes: dict[int, int] = Field(
        description="The lasting number of each class, before any were made one, by the number it was found under."
    )
    names: list[NamedClass]


class Numbered(Document):
    """Where the numbers of a run's types are from, and what they were called."""

    key: str
    own_key: str
    reserved: list[int]
    names: list[Named]
    junction_names: list[Named] = Field(
        default_factory=list, description="What types of junction were called."
    )
    junction_names_aside: list[int] = Field(
        default_factory=list, description="Numbers of types of junction that were named in another grouping."
    )
    typology: str | None = Field(
        default=None, description="Digest of the file whose types they are; null: found in the city."
    )
    ground: NumberedGround | None = Field(
        default=None, description="The same of classes of ground; null: none were found."
    )


class AnyRun(Document):
    """What is read of a run of whatever version, which may say more, or less, and be changed by hand."""

    model_config = ConfigDict(extra="ignore")

    run_id: str
    files: dict[str, str]
    finished: datetime | None = None
    made_of: list[str] | None = None
    seconds: float | None = None
    stages: list[StageRow] = Field(default_factory=list)


class RunSummary(Document):
    """The whole of it; runs of other versions may say more."""

    model_config = ConfigDict(extra="ignore")
    sealed: ClassVar[bool] = True

    city: str
    run_id: str
    geopackage: str
    report: str
    seconds: float = Field(description="How long the run took.")
    stages: list[StageRow]
    in_short: list[Told] | None = Field(
        default=None,
        description="What was found, as the report begins; null: a roadprint that did not say so made the run.",
    )
    notes: list[str] = Field(description="Sentences that stages say at the end.")
    warnings: list[str]
    files: dict[str, str] = Field(description="What the run left in its folder, with digests.")
    finished: datetime
    made_of: list[str] = Field(
        description="By its place below the stages: what has to stay as long as the run."
    )
    numbering: Numbered
    base: str = Field(
        description="Where the configuration's relative paths start, seen from the run's folder."
    )

    def printed(self) -> dict[str, Any]:
        """Give what the command line prints."""
        return self.model_dump(mode="json", exclude=ONLY_THERE)
