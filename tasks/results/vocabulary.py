"""The words that a run can be asked by: those of analysts, of a map, of the bank of scenes, of a network of text."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, get_args

import numpy as np

from geo.clusters.typology.made_by import MadeBy
from geo.errors import LayerError, SourceError
from geo.features.lengths import of_length_1
from geo.outputs.names import FILE as NAMES
from geo.outputs.names import names_in, read_names, title
from geo.search.concepts import FOLDER, Concept, concept_files, read_concept
from geo.search.example import Example
from geo.search.looks import Looks
from geo.search.words.bank import read_bank
from geo.search.words.called import called
from geo.search.words.fit import Askable, Fit, Source
from geo.search.words.prompts import ANY, EmbedText, text_fit

if TYPE_CHECKING:
    from tasks.results.opened import OpenRun

_PLAIN = re.compile(r"\s*type\s*(\d{1,5})\s*", re.IGNORECASE)
"""What a type is called that nobody has named, and any besides."""
SHOWN = 60
"""No more words are named where one is not known."""


@dataclass(frozen=True, slots=True)
class Meaning:
    """What words were taken for.

    Attributes
    ----------
    asked
        The words.
    words
        What they were taken for.
    examples, concepts
        The middles of types, and saved searches with their files, where analysts have called some so.
    fit
        How well the words fit roads, where it is learned; None: examples and concepts are all there is.
    """

    asked: str
    words: tuple[Askable, ...]
    examples: list[Example] = field(default_factory=list)
    concepts: list[tuple[Path, Concept]] = field(default_factory=list)
    fit: Fit | None = None


@dataclass(frozen=True, slots=True)
class Vocabulary:
    """All words that a run can be asked by.

    Attributes
    ----------
    run
        The run.
    made_by
        What made its fingerprints.
    embed
        Embeds sentences where the run's encoder brings text and pictures into one space; None: it does not.
    """

    run: OpenRun
    made_by: MadeBy
    embed: EmbedText | None = None

    def askable(self) -> list[Askable]:
        """List the words, those that analysts gave first."""
        return list(self._all())

    def meaning(self, words: str, looks: Looks) -> Meaning:
        """Find what words mean: what analysts call so, else what is learned under that name.

        Parameters
        ----------
        words
            Words; ``bank:forest`` says who is asked (`Source`).
        looks
            What the run's roads look like.

        Raises
        ------
        LayerError
            When nobody knows them, naming words that are known.
        SourceError
            When a saved search whose file is called so cannot be read.
        """
        before, colon, after = words.partition(":")
        whose = before.strip().casefold()
        only, asked = (whose, after) if colon and whose in get_args(Source) else ("", words)
        if only in {"", "name", "concept"}:
            found = self._said(asked, looks, only)
            if found is not None:
                return found
        learned = self.run.learned_words
        if only in {"", "map"} and learned is not None:
            fit = learned.fit(asked)
            if fit is not None:
                return Meaning(words, fit.words, fit=fit)
        if only in {"", "bank"} and not self._no_bank():
            fit = read_bank().fit(asked)
            if fit is not None:
                return Meaning(words, fit.words, fit=fit)
        if only in {"", "network"} and self.embed is not None and asked.strip():
            middle = of_length_1(looks.vectors.astype(np.float64)).mean(axis=0)
            fit = text_fit(asked, self.embed, middle)
            return Meaning(words, fit.words, fit=fit)
        raise LayerError(
            f"no type, no concept and no word that is known here is called {words!r}",
            where="text",
            todo=self._todo(),
        )

    def _said(self, words: str, looks: Looks, only: str) -> Meaning | None:
        """Find the types and concepts that analysts have called so; None: there are none."""
        names = self._names() if only != "concept" else {}
        concepts = self._concepts(words) if only != "name" else {}
        types = called(words, {number: f"{name} {note}" for number, (name, note) in names.items()})
        plain = _PLAIN.fullmatch(words) if only != "concept" else None
        if not types and plain is not None:
            types = [int(plain[1])]
        files = called(words, {str(path): f"{one.name} {one.note}" for path, one in concepts.items()})
        names |= {number: ("", "") for number in types if number not in names}
        middles = [(number, _middle(looks, number, names[number][0])) for number in types]
        examples = [(number, one) for number, one in middles if one is not None]
        if not examples and not files:
            return None
        told = [_of_type(number, *names[number]) for number, _ in examples]
        told += [_of_concept(concepts[Path(file)]) for file in files]
        return Meaning(
            words,
            tuple(told),
            [one for _, one in examples],
            [(Path(file), concepts[Path(file)]) for file in files],
        )

    def _all(self) -> Iterator[Askable]:
        for number, (name, note) in sorted(self._names().items()):
            yield _of_type(number, name, note)
        for concept in self._concepts().values():
            yield _of_concept(concept)
        if self.run.learned_words is not None:
            yield from self.run.learned_words.askable()
        if not self._no_bank():
            yield from read_bank().askable()
        if self.embed is not None:
            yield ANY

    def _no_bank(self) -> str:
        """Say why the bank cannot name these roads; empty: it can."""
        return read_bank().why_not(self.made_by)

    def _todo(self) -> str:
        """Name words that are known, by who knows them."""
        known: dict[str, list[str]] = {}
        for one in list(self._all())[:SHOWN]:
            known.setdefault(one.source, []).append(one.word)
        told = [f"{', '.join(words)} ({source})" for source, words in known.items()]
        if why := self._no_bank():
            told.append(f"none of the bank, since {why}")
        if self.embed is None:
            told.append(
                "other words are understood where roads are encoded by an image-text network (open_clip:NAME)"
            )
        if not {"name", "concept"} & set(known):
            told.append(
                f"nobody has named anything yet: name types in {NAMES}, or save a search with --save NAME"
            )
        return f"Known are: {'; '.join(told)}."

    def _names(self) -> dict[int, tuple[str, str]]:
        """Read what types are called, by the file of the city where it is there, else as the run knew it."""
        said = names_in(self.run.geopackage)
        if self.run.folder is not None:
            said |= read_names(self.run.folder.parent / NAMES)
        return {n: (one.name, one.note) for n, one in said.items() if one.name or one.note}

    def _concepts(self, asked: str = "") -> dict[Path, Concept]:
        """Read saved searches; one that cannot be read keeps nobody from asking for anything else than by its name.

        Raises
        ------
        SourceError
            When the file that is called as is asked for cannot be read.
        """
        folder = None if self.run.folder is None else self.run.folder.parent / FOLDER
        found = {}
        for file in concept_files(folder):
            try:
                found[file] = read_concept(file)
            except SourceError:
                if called(asked, {0: file.stem}):
                    raise
        return found


def _of_type(number: int, name: str, note: str) -> Askable:
    return Askable(name or f"Type {number}", "name", None, note)


def _of_concept(concept: Concept) -> Askable:
    return Askable(concept.name, "concept", None, concept.note)


def _middle(looks: Looks, number: int, name: str) -> Example | None:
    """Take the middle of a type as an example; None: it has no segment."""
    mine = (looks.segments["cluster"] == number).fillna(value=False).to_numpy(dtype=bool)
    if not mine.any():
        return None
    vector = looks.vectors[mine].astype(np.float64).mean(axis=0)
    return Example(title(number, name or f"Type {number}"), vector.astype(np.float32))
