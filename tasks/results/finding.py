"""A run that ended is asked where else it looks like this."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from numbers import Real
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, get_args

import geopandas as gpd
from pydantic import ValidationError

from geo.errors import ConfigurationError, LayerError
from geo.faults import reason_of
from geo.features.encoder import Embeddings
from geo.features.encoders.open_clip import OpenClip
from geo.roads.reading.area import read_area
from geo.search.concepts import (
    DIGITS,
    ENDING,
    FOLDER,
    Concept,
    as_there,
    concept_file,
    kept,
    read_concept,
    refuse_other_encoder,
    refuse_to_replace,
    write_concept,
)
from geo.search.conditions import read_condition
from geo.search.example import Example
from geo.search.filters import Amount, near, wanted
from geo.search.looks import Looks
from geo.search.pictures import ENDINGS
from geo.search.words.fit import Askable, Fit
from tasks.results.encoded import made_by_of, picture_example, refuse_other_weights, settings_of
from tasks.results.places import Place, area_of, is_place, place_of
from tasks.results.vocabulary import Meaning, Vocabulary

if TYPE_CHECKING:
    from tasks.results.opened import OpenRun

OF_A_WORD = 10
"""So many roads that a word fits best are examples of it, where other examples are given beside it."""
Over = Literal["segments", "tiles"]
_SEVERAL = (
    "like",
    "at",
    "picture",
    "text",
    "unlike",
    "unlike_text",
    "concept",
    "road_class",
    "where",
    "yes",
    "no",
)
TOO_LITTLE = "too little imagery covers it"
NOT_KEPT = "the run kept none of single tiles, and would if it were run again"
ROUNDED = 1e-6
"""As much as a concept's file leaves out of a threshold."""


@dataclass(frozen=True, slots=True)
class Question:
    """What a run is asked. Of what may be given several times one may stand by itself.

    Attributes
    ----------
    like
        Ids of segments or of tiles that are meant.
    at
        Places whose road is meant: longitude and latitude in degrees, or ``LON,LAT``.
    picture
        Pictures of what is meant.
    text
        Words that analysts called it by, in the name or the note of a type or a concept, or that the run knows
        (`askable`).
    unlike
        What is not meant: ids of segments or tiles, ``LON,LAT``, or pictures.
    unlike_text
        Words for what is not meant.
    concept
        Files of concepts.
    pixel_m
        Ground that a pixel of pictures shows (metres); None: as they say themselves.
    over
        Whether answers are ``segments``, or ``tiles``: where in a street it looks so.
    road_class, within, collisions
        Which roads are asked about (`geo.search.filters.wanted`); `within` as the key ``area`` of a city's file.
    where
        A condition, or some, on columns of segments, all of which are to be met: ``ground_tree_0_6m > 0.3``
        (`geo.search.conditions.read_condition`).
    threshold
        A road with a lower ``cosine`` is no answer; None: that of the concept, if there is one.
    yes, no
        Examples of what is meant, and of what is not, that are at hand already.
    """

    like: Sequence[str] = ()
    at: Sequence[Place] = ()
    picture: Sequence[str | Path] = ()
    text: Sequence[str] = ()
    unlike: Sequence[str] = ()
    unlike_text: Sequence[str] = ()
    concept: Sequence[str | Path] = ()
    pixel_m: float | None = None
    over: Over = "segments"
    road_class: Sequence[str] = ()
    within: str | tuple[float, float, float, float] | None = None
    collisions: Amount | None = None
    where: str | Sequence[str] = ()
    threshold: float | None = None
    yes: Sequence[Example] = ()
    no: Sequence[Example] = ()

    def __post_init__(self) -> None:
        for name in _SEVERAL:
            object.__setattr__(self, name, _each(getattr(self, name)))


def _each(given: Any) -> tuple[Any, ...]:  # noqa: ANN401 - one of what a question holds, several, or none
    """Lay out what may be given several times; a place is two numbers."""
    if given is None:
        return ()
    one = isinstance(given, str | Path)
    parts = (given,) if one else tuple(given)
    place = len(parts) == 2 and all(isinstance(part, Real) for part in parts)
    return (parts,) if place else parts


@dataclass(frozen=True)
class Asked:
    """A question with its examples, and what a run has to say of it.

    Attributes
    ----------
    yes, no
        Examples of what is meant, and of what is not.
    answers
        See `geo.search.looks.Looks.find` and `find_tiles`.
    said
        What words were taken for.
    unknown
        Of how many segments with a fingerprint it is not known whether they meet a condition, by its text: these are no
        answers.
    """

    run: OpenRun
    yes: Sequence[Example]
    no: Sequence[Example]
    answers: gpd.GeoDataFrame
    said: Sequence[Meaning] = ()
    unknown: Mapping[str, int] = field(default_factory=dict)

    def save(
        self, name: str, *, note: str = "", threshold: float | None = None, replace: bool = False
    ) -> Path:
        """Save the question as a concept.

        Parameters
        ----------
        name
            What it is called: kept in the folder ``concepts`` of the city; or the path of a file, ``NAME.json``.
        note, threshold
            As of `as_concept`.
        replace
            Whether another one of that name gives way.

        Raises
        ------
        ConfigurationError
            When no file can be called so, or there is another one of that name.
        SourceError
            When it cannot be written.
        """
        path = Path(name)
        if path.suffix.lower() != ENDING:
            if self.run.folder is None or path.name != name:
                raise ConfigurationError(
                    f"{name!r} names no file of a concept", where="--save", todo=f"Write NAME{ENDING}."
                )
            path = concept_file(self.run.folder.parent / FOLDER, name)
        concept = self.as_concept(path.stem, note=note, threshold=threshold)
        path = as_there(path)
        if not replace:
            refuse_to_replace(path, concept)
        write_concept(path, concept)
        return path

    def as_concept(self, name: str, *, note: str = "", threshold: float | None = None) -> Concept:
        """Lay the question out as a concept.

        Parameters
        ----------
        name
            What it is called.
        note
            What is to be known of it.
        threshold
            A road with a lower cosine is no answer; None: the lowest of the answers'.

        Raises
        ------
        ConfigurationError
            When a concept holds no such name or note.
        """
        least = self.answers["cosine"].min()
        limit = float(least) if threshold is None and len(self.answers) else threshold
        try:
            return Concept(
                name=name,
                note=note,
                city=self.run.city,
                made_by=made_by_of(self.run),
                threshold=None if limit is None else round(limit, DIGITS),
                examples=[*kept(self.yes, meant=True), *kept(self.no, meant=False)],
            )
        except ValidationError as error:
            raise ConfigurationError(
                f"it cannot be saved ({reason_of(error)})",
                where="--save",
                todo="Give a shorter name or note.",
            ) from error


def ask(
    run: OpenRun, looks: Looks, question: Question, *, shown: int, balance: float, skip: int = 0
) -> Asked:
    """Ask a run.

    Parameters
    ----------
    run
        The run.
    looks
        What its roads look like.
    question
        What is asked.
    shown
        How many answers are wanted, 1 or more.
    balance, skip
        See `geo.search.ranking.spread`.

    Raises
    ------
    LayerError
        When nothing is asked for, or what is named is not there.
    SourceError
        When a picture or a concept cannot be read.
    EncoderError
        When a picture cannot be encoded as the roads were, or a concept is of another encoder.
    """
    if question.over not in get_args(Over):
        raise ConfigurationError(
            f"{question.over!r} cannot be asked over",
            where="over",
            todo=f"Ask over {' or '.join(get_args(Over))}.",
        )
    if question.threshold is not None and not -1 <= question.threshold <= 1:
        raise ConfigurationError(
            f"no cosine is {question.threshold:g}", where="threshold", todo="Give a number from -1 to 1: 0.6."
        )
    meant = _Asker(run, looks, question).meant()
    if not meant.yes:
        raise LayerError(
            "nothing says what is meant",
            where="find",
            todo="Give --like SEGMENT, --at LON,LAT, --picture FILE, --text WORDS or --concept FILE.",
        )
    area = None if question.within is None else area_of(question.within)
    if isinstance(area, tuple):
        area = near(area, looks.segments)
    roads = wanted(
        looks.segments,
        road_classes=question.road_class,
        within=None if area is None else read_area(area, run.crs),
        collisions=question.collisions,
        where=[read_condition(one) for one in question.where],
    )
    find = looks.find if question.over == "segments" else looks.find_tiles
    answers = find(
        meant.yes, meant.no, among=roads.among, shown=shown, balance=balance, skip=skip, fit=meant.fit
    )
    threshold = meant.limit if question.threshold is None else question.threshold
    if threshold is not None:
        answers = answers[answers["cosine"] >= threshold - ROUNDED]
    return Asked(run, meant.yes, meant.no, answers, meant.said, roads.unknown)


@dataclass(frozen=True, slots=True)
class _Meant:
    """What was asked for, as examples of what is meant and what is not.

    Attributes
    ----------
    limit
        The threshold of a concept that is asked alone.
    fit
        How well a word fits that is asked alone; the examples are of it.
    said
        What words were taken for.
    """

    yes: list[Example]
    no: list[Example]
    limit: float | None
    fit: Fit | None
    said: list[Meaning]


@dataclass(frozen=True, slots=True)
class _Asker:
    """Turns what was asked for into examples."""

    run: OpenRun
    looks: Looks
    question: Question

    def meant(self) -> _Meant:
        """Find examples of what is meant and what is not."""
        asked = self.question
        said, unlike = self._meanings(asked.text), self._meanings(asked.unlike_text)
        yes = [self._known(one) for one in asked.like]
        yes += [self.looks.at(*place_of(one)) for one in asked.at]
        yes += [self._picture(Path(one)) for one in asked.picture]
        yes += asked.yes
        yes += [one for meaning in said for one in meaning.examples]
        no = [*(self._any(one) for one in asked.unlike), *asked.no]
        no += [one for meaning in unlike for one in self._examples(meaning)]
        concepts = [(Path(one), read_concept(Path(one))) for one in asked.concept]
        concepts += [one for meaning in said for one in meaning.concepts]
        fits = [meaning.fit for meaning in said if meaning.fit is not None]
        parts = len(concepts) + len(fits) + len(yes) + len(no)
        limits = [concept.threshold for _, concept in concepts if concept.threshold is not None]
        for path, concept in concepts:
            refuse_other_encoder(concept, made_by_of(self.run), where=str(path))
            yes += concept.of(meant=True)
            no += concept.of(meant=False)
        yes += [one for fit in fits for one in self._fitted(fit)]
        alone = parts == 1
        return _Meant(
            yes,
            no,
            limits[0] if alone and limits else None,
            fits[0] if alone and fits else None,
            [*said, *unlike],
        )

    def _meanings(self, texts: Sequence[str]) -> list[Meaning]:
        """Find what words mean."""
        if not texts:
            return []
        vocabulary = _vocabulary(self.run)
        return [vocabulary.meaning(words, self.looks) for words in texts]

    def _examples(self, meaning: Meaning) -> list[Example]:
        """Give examples of all that words mean; of words that fit no road there are none."""
        found = [*meaning.examples]
        for path, concept in meaning.concepts:
            refuse_other_encoder(concept, made_by_of(self.run), where=str(path))
            found += concept.of(meant=True)
        return found if meaning.fit is None else [*found, *self.looks.fitted(meaning.fit, OF_A_WORD)]

    def _fitted(self, fit: Fit) -> list[Example]:
        """Take the roads that words fit best as examples of them.

        Raises
        ------
        LayerError
            When they fit none.
        """
        found = self.looks.fitted(fit, OF_A_WORD)
        if found:
            return found
        best = fit.score(self.looks.vectors).max(initial=0.0)
        raise LayerError(
            f"no road looks like {fit.label}: it fits the likeliest to {best:.2g}, and more than {fit.least:.2g} is an "
            "answer",
            where="text",
            todo="Ask for something else, or by an example: --like SEGMENT, --at LON,LAT, --picture FILE.",
        )

    def _any(self, what: str) -> Example:
        """Read an example of what is not meant: a place, a picture, a segment or a tile."""
        if is_place(what):
            return self.looks.at(*place_of(what))
        if Path(what).suffix.lower() in ENDINGS:
            return self._picture(Path(what))
        return self._known(what)

    def _known(self, name: str) -> Example:
        """Take a segment or a tile, by its id."""
        row = self.looks.row_of(name)
        if row is not None:
            return self.looks.example(row)
        tile = self.looks.tile(name)
        if tile is not None:
            return tile
        if (self.run.segments["segment_id"] == name).any():
            what = f"the segment has no fingerprint: {TOO_LITTLE}"
        elif (self.looks.tiles["tile_id"] == name).any():
            kept = self.looks.seen is not None
            what = f"the tile has no fingerprint: {TOO_LITTLE if kept else NOT_KEPT}"
        else:
            what = "there is no such segment or tile"
        raise LayerError(
            what,
            where=str(name),
            todo="Take a segment_id of the layer segments with a type, a tile_id of tiles that are 'encoded', or a "
            "place: --at LON,LAT.",
        )

    def _picture(self, path: Path) -> Example:
        return picture_example(self.run, path, self.looks.tile_m, self.question.pixel_m)


def askable(run: OpenRun) -> list[Askable]:
    """List the words that a run can be asked by, those that analysts gave first.

    Raises
    ------
    SourceError
        When a saved search of the city cannot be read, or the run's fingerprints are not there.
    """
    return _vocabulary(run).askable()


def _vocabulary(run: OpenRun) -> Vocabulary:
    """Give the words of a run; of an image-text network any, whose weights are looked at when it is asked."""
    settings = settings_of(run)
    network = settings if isinstance(settings, OpenClip) and settings.beside is None else None
    if network is None:
        return Vocabulary(run, made_by_of(run))

    def embed(sentences: Sequence[str]) -> Embeddings:
        refuse_other_weights(
            run, network, "Ask by a segment or a place instead: --like SEGMENT, --at LON,LAT."
        )
        return network.embed_text(sentences)

    return Vocabulary(run, made_by_of(run), embed)
