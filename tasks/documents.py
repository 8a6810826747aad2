"""What stages tell each other besides tables; docs/stages.md says which stage writes which."""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING, Any

from pydantic import Field

from geo.config.sections.records import Severity
from tasks.store.document import Document
from tasks.store.summary import Told

if TYPE_CHECKING:
    from geo.clusters.flights.trial import Trial


IN_SHORT = "in_short.json"


class Findings(Document):
    """What a stage says at the end of the run (``findings.json`` of ``safety``, ``inference`` and ``systemic``)."""

    notes: list[str] = Field(description="Sentences.")


class InShort(Document):
    """What was found, in the sentences that the report begins with (``report/in_short.json``)."""

    told: list[Told] = Field(
        description="`title` and `sentence` of each: of types, of where collisions gather, of what the picture adds; "
        "without records of types alone."
    )


class Place(Document):
    """Where the city is (``roads/place.json``)."""

    crs: str = Field(description="CRS of all tables (WKT).")
    area: str | None = Field(
        description="The area asked for, a polygon in that CRS (WKT); null: wherever roads are."
    )
    warnings: list[str] = Field(description="What is told of the roads at the end of the run.")


class Encoded(Document):
    """What encoded the tiles, and where it lies (``features/features.json``)."""

    encoder: dict[str, Any] = Field(description="What is known of the encoder, and what executed it.")
    shards: list[str] = Field(description="Files of embeddings, by their place below the folder of stages.")
    junction_shards: list[str] = Field(description="The same of the tiles of junctions.")
    beside: dict[str, Any] | None = Field(
        description="What is known of the embeddings of others that are joined to the encoder's; null: none are."
    )
    beside_shards: list[str] = Field(description="Files of these embeddings.")
    beside_junction_shards: list[str] = Field(description="The same of the tiles of junctions.")

    @property
    def files(self) -> list[str]:
        """All files of embeddings."""
        return [*self.shards, *self.junction_shards, *self.beside_shards, *self.beside_junction_shards]


class GroundLearned(Document):
    """How classes of ground came about (``ground_classes/learned.json``)."""

    asked: bool = Field(description="Whether the ground is to be mapped.")
    mapped: bool = Field(description="Whether there are classes to map.")
    way: str = Field(description="How they came about; empty: they did not.")
    notes: list[str] = Field(description="What is told at the end of the run.")
    seen: dict[str, Any] = Field(
        description="What saw the ground: encoder, its maps, sides of cells and pixels."
    )


class GroundMapped(Document):
    """Where the map of classes of ground lies (``ground/ground.json``)."""

    shards: list[str] = Field(description="Files of its pieces, by their place below the folder of stages.")
    numbers: dict[int, int] = Field(
        default_factory=dict,
        description="The lasting number of each class that was found, before any are made one.",
    )
    warnings: list[str] = Field(
        default_factory=list, description="What is told of these numbers at the end of the run."
    )


class Shown(Document):
    """What is to be known of the imagery before a run is read (``tiles/imagery.json``)."""

    warnings: list[str] = Field(description="What is told at the end of the run.")


class Carried(Document):
    """What is to be known of columns that collisions take over from their records (``carried/carried.json``)."""

    warnings: list[str] = Field(description="What is told at the end of the run.")


class Judged(Document):
    """Whether one kind of vector tells segments apart."""

    effective_rank: float = Field(
        description="How many directions are really used; NaN for fewer than two segments."
    )
    spread: float = Field(description="Mean cosine distance between two at random (0: all alike).")
    n: int = Field(description="Number of segments.")
    dimension: int = Field(description="Length of a vector.")
    warnings: list[str] = Field(description="In words; empty when all is well.")
    silhouette: float | None = Field(
        description="Mean silhouette of the partition; null where it is not defined."
    )


class TypologyUsed(Document):
    """Which typology the types are of, and how much of the city is like none of them."""

    digest: str = Field(description="Of the typology.")
    version: int = Field(description="Its version.")
    cities: list[str] = Field(description="Cities that it was fitted on.")
    types: int = Field(description="How many types it has.")
    lacking: list[int] = Field(description="Numbers of those that this city does not have.")
    like_none: int = Field(description="Segments that are like none of them.")
    like_none_share: float = Field(
        description="Their share of the length of all that have a fingerprint (0 to 1)."
    )


class ByHand(Document):
    """What analysts said of types, and what became of it."""

    found: int = Field(description="Segments whose type is as it was found.")
    corrected: int = Field(description="Segments to which an analyst gave another type than was found.")
    made: int = Field(description="Segments of types that an analyst made by examples, these among them.")
    merged: int = Field(description="Segments of types that an analyst made one of several.")
    said: int = Field(description="Rows of `corrections.csv`.")
    taken_up: int = Field(description="Rows that hold.")
    looked_at: int = Field(description="Segments that these tell of.")
    stood: int = Field(description="Those of them whose type is the one that was found.")
    made_of: dict[int, int] = Field(description="Number of examples by type that was made.")
    merged_of: dict[int, list[int]] = Field(description="Types that were made one, by what they are now.")
    in_view: int = Field(
        default=0,
        description="Rows that hold and were said with collisions in view: types drawn after the outcome.",
    )


class Quality(Document):
    """How well the encoder, and the baseline beside it, tell segments apart (``clusters/quality.json``)."""

    encoder: Judged = Field(description="Of the fingerprints.")
    baseline: Judged = Field(description="Of the band statistics.")
    agreement_with_baseline: float = Field(description="Adjusted Rand index between the types of both.")
    k: int = Field(description="Number of types.")
    typology: TypologyUsed | None = Field(
        default=None, description="Where types are those of a typology; null: they were found in the city."
    )
    hands: ByHand | None = Field(default=None, description="What analysts said of types; null: nothing.")


class Flown(Document):
    """One flight."""

    flight: str = Field(description="Its name.")
    rasters: int = Field(description="How many rasters are of it.")
    segments: int = Field(description="Segments of which it shows most.")
    length_km: float = Field(description="Their length (km).")


class FlightFigures(Document):
    """How far the look of roads follows the flight; null where it cannot be told."""

    nmi: float | None = Field(description="Normalised mutual information of type and flight (0 to 1).")
    nmi_by_chance: float | None = Field(description="Its mean where flights are shuffled within road class.")
    nmi_by_chance_high: float | None = Field(description="The 95th percentile of that.")
    p_value: float | None = Field(description="Share of the shuffles that are as high.")
    mixing: float | None = Field(
        description="Share of the nearest neighbours of one class that are of other flights, over what chance gives."
    )
    transfer: float | None = Field(
        description="Recall of the road class by the nearest neighbours in other flights (0 to 1)."
    )
    transfer_within: float | None = Field(description="The same by those in its own flight.")
    transfer_by_chance: float | None = Field(description="What a class drawn at random gives.")


class Tried(Document):
    """What came of a correction on a sample of segments, whose tiles were encoded with it and without."""

    segments: int = Field(description="Segments that it was tried on; one tile of each was encoded twice.")
    before: FlightFigures = Field(description="Without the correction.")
    after: FlightFigures = Field(description="With it, as many types.")
    difference: float | None = Field(description="Transfer after less before; null: it cannot be told.")
    low: float | None = Field(
        description="Lower limit of that, of 95 % (paired bootstrap of blocks in space)."
    )
    high: float | None = Field(description="Upper limit.")
    lower: float | None = Field(description="Share of the draws in which transfer is lower after.")
    undone: bool = Field(description="Whether the correction was undone for it.")


class Matching(Findings):
    """How flights were brought to one look before they were encoded (``matching/matching.json``)."""

    asked: bool = Field(description="Whether `imagery.match` asks for it.")
    matched: bool = Field(description="Whether it was done.")
    tables: dict[str, list[list[int]]] = Field(
        description="What each value becomes, by flight and band; of 16 bit every 256th value."
    )
    left_out: dict[str, str] = Field(description="Why other flights stay as they are.")
    tried: Tried | None = Field(description="What came of it on a sample; null: it was not tried.")
    warnings: list[str] = Field(description="What is told at the end of the run.")


def tried_of(trial: Trial) -> Tried:
    """Lay a trial out as it is kept."""
    change = trial.change
    return Tried(
        segments=trial.segments,
        before=FlightFigures.model_validate(trial.before),
        after=FlightFigures.model_validate(trial.after),
        difference=None if change is None else change.difference,
        low=None if change is None else change.low,
        high=None if change is None else change.high,
        lower=None if change is None else change.lower,
        undone=trial.undone,
    )


class Centring(Findings):
    """Whether fingerprints were centred by flight (``fingerprints/centring.json``)."""

    asked: bool = Field(description="Whether `imagery.centre` asks for it.")
    centred: bool = Field(description="Whether it was done.")
    left_out: dict[str, str] = Field(description="Why flights stay as they are.")
    tried: Tried | None = Field(description="What comes of it; null: it was not tried.")
    warnings: list[str] = Field(description="What is told at the end of the run.")


class Flights(Findings):
    """What flights the imagery is of, and whether types follow them (``flights/flights.json``)."""

    flights: list[Flown] = Field(description="The flights, by name.")
    figures: FlightFigures = Field(description="Of all segments with a type.")
    of_one_flight: list[int] = Field(description="Types that are of one flight.")
    warnings: list[str] = Field(description="What is told at the end of the run.")


class Recorded(Document):
    """What the collision records tell (``collisions/source.json``)."""

    severities: list[Severity] = Field(description="Severities that the source tells apart.")
    users: list[str] = Field(description="Road users that the source tells of.")
    unknown: dict[str, float] = Field(
        description="Shares of placed collisions of which the severity, or a road user, is not known."
    )
    adjusted: bool = Field(description="Whether it has the DfT's severity adjustment.")
    years: float | None = Field(description="Length of the time that the records cover (years).")
    period: tuple[date, date] | None = Field(description="First and last day; null: not known.")
    notes: list[str] = Field(description="What share is not known, in sentences; none where all is.")
    warnings: list[str] = Field(description="What is told at the end of the run.")


NOTHING_RECORDED = Recorded(
    severities=[], users=[], unknown={}, adjusted=False, years=None, period=None, notes=[], warnings=[]
)
"""Of a city without collision records."""


class Covered(Document):
    """On how much of the network traffic is known (``exposure/coverage.json``)."""

    shares: dict[str, float] = Field(
        description="Shares of the length of all roads, by where the figure is from."
    )
    notes: list[str] = Field(description="The sentence that says so; none where no traffic is configured.")
    warnings: list[str] = Field(description="What is told at the end of the run.")


class Effects(Findings):
    """What is said of treatments, before and after (``interventions/findings.json``)."""


class Bandwidth(Document):
    """How far collisions are spread along the network."""

    bandwidth_m: float | None = Field(description="Of the kernel (metres); null where none could be chosen.")
    how: str = Field(description="How it was chosen.")


class Gathered(Findings):
    """What is said of where collisions gather (``concentration/findings.json``)."""

    density: Bandwidth = Field(description="Of the density along the network.")
