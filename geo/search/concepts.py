"""Concepts: searches that were saved, to be asked again of the next run, or of another city."""

from __future__ import annotations

import os
import re
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Literal

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict, Field, StringConstraints, ValidationError, model_validator

from geo.clusters.typology.made_by import MadeBy, differences
from geo.errors import ConfigurationError, EncoderError, SourceError
from geo.faults import reason_of
from geo.search.example import Example

FOLDER = "concepts"
"""Folder of a city that holds its concepts."""
ENDING = ".json"
MOST_BYTES = 50_000_000
"""A file that is larger is none of ours."""
DIGITS = 6
"""Of the numbers that a file holds."""
LONGEST = 80
"""A concept's name has so many letters at most, and so many bytes that a file can be called by it."""
_NO_FILE = re.compile(r'[\x00-\x1f\x7f<>:"/\\|?*]|^\.|[. ]$')
_OF_A_SYSTEM = re.compile(r"(con|prn|aux|nul|conin\$|conout\$|com[0-9]|lpt[0-9])(\..*)?", re.IGNORECASE)
Text = Annotated[str, StringConstraints(strip_whitespace=True)]


class Kept(BaseModel):
    """An example, as a concept keeps it."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    label: Annotated[Text, Field(max_length=200)]
    meant: bool
    vector: Annotated[list[Annotated[float, Field(allow_inf_nan=False)]], Field(min_length=1)]


class Concept(BaseModel):
    """A saved search: examples and a threshold, with the encoder that they belong to.

    Attributes
    ----------
    format, version
        What the file is.
    name, note
        What it is called, and what is to be known of it.
    city
        Where its examples are from.
    made_by
        What made their fingerprints (`geo.clusters.typology.made_by.made_by`).
    threshold
        A road with a lower cosine with what examples mean is no answer; None: there is no such limit.
    examples
        Of what is meant, one at least, and of what is not.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    format: Literal["roadprint concept"] = "roadprint concept"
    version: Literal[1] = 1
    name: Annotated[Text, Field(min_length=1, max_length=LONGEST)]
    note: Annotated[Text, Field(max_length=500)] = ""
    city: str = ""
    made_by: dict[str, object]
    threshold: Annotated[float, Field(ge=-1, le=1)] | None = None
    examples: Annotated[list[Kept], Field(min_length=1)]

    @model_validator(mode="after")
    def _whole(self) -> Concept:
        if len({len(one.vector) for one in self.examples}) > 1:
            raise ValueError("its examples are not of one length")
        if not any(one.meant for one in self.examples):
            raise ValueError("no example of it is meant")
        if not all(any(one.vector) for one in self.examples):
            raise ValueError("an example holds nothing but zeros")
        return self

    def of(self, *, meant: bool) -> list[Example]:
        """Give the examples of what is meant, or of what is not."""
        return [
            Example(one.label, np.array(one.vector, dtype=np.float32))
            for one in self.examples
            if one.meant is meant
        ]


def kept(examples: Sequence[Example], *, meant: bool) -> list[Kept]:
    """Lay examples out as a concept keeps them: vectors of length 1, to six digits."""
    return [
        Kept(label=one.label[:200], meant=meant, vector=_plain(one.vector.astype(np.float64)))
        for one in examples
    ]


def _plain(vector: NDArray[np.float64]) -> list[float]:
    found: list[float] = vector.round(DIGITS).tolist()
    return found


def concept_file(folder: Path, name: str) -> Path:
    """Name the file of a concept in a folder, as any system can hold it.

    Parameters
    ----------
    folder
        The folder of concepts.
    name
        What the concept is called.

    Raises
    ------
    ConfigurationError
        When no file can be called so on every system, or it would lie elsewhere.

    Examples
    --------
    >>> concept_file(Path("concepts"), "bad junction").as_posix()
    'concepts/bad junction.json'
    """
    plain = name.strip()
    why = None
    if not plain:
        why = "it is empty"
    elif len(plain) > LONGEST or len(plain.encode(errors="replace")) > 2 * LONGEST:
        why = f"it is longer than {LONGEST} letters"
    elif _NO_FILE.search(plain) or not plain.isprintable():
        why = "it has a sign that no name of a file may have everywhere, or begins or ends with a full stop"
    elif _OF_A_SYSTEM.fullmatch(plain):
        why = "Windows keeps that name to itself"
    if why is not None:
        shown = plain if len(plain) <= LONGEST else f"{plain[:LONGEST]}.."
        raise ConfigurationError(
            f"{shown!r} cannot be the name of a concept: {why}",
            where="name",
            todo="Write letters, digits, spaces, '-' or '_'.",
        )
    return folder / f"{plain}{ENDING}"


def concept_files(folder: Path | None) -> list[Path]:
    """List the files of concepts in a folder, by their names; what a system hides beside them is none."""
    found = [] if folder is None else folder.glob(f"*{ENDING}")
    return sorted(file for file in found if not file.name.startswith("."))


def read_concept(path: Path) -> Concept:
    """Read a concept.

    Raises
    ------
    SourceError
        When the file is not there, or is none.
    """
    todo = "Give a file that 'roadprint find ... --save FILE.json' wrote."
    try:
        if path.stat().st_size > MOST_BYTES:
            raise SourceError("it is too large to be a concept", where=str(path), todo=todo)
        return Concept.model_validate_json(path.read_bytes())
    except OSError as error:
        raise SourceError(f"it cannot be read ({error.strerror})", where=str(path), todo=todo) from error
    except ValidationError as error:
        raise SourceError(f"it is no concept ({reason_of(error)})", where=str(path), todo=todo) from error


def write_concept(path: Path, concept: Concept) -> None:
    """Write a concept; a file that is there is replaced at once.

    Raises
    ------
    SourceError
        When it cannot be written.
    """
    part = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        part.write_text(_text_of(concept), encoding="utf-8")
        part.replace(path)
    except OSError as error:
        raise SourceError(
            f"it cannot be written ({error.strerror})",
            where=str(path),
            todo="Choose a place that can be written to.",
        ) from error


def as_there(path: Path) -> Path:
    """Give the file that is there by a name, in whatever case that is written; the path itself where none is."""
    there = (one for one in path.parent.glob("*") if one.name.casefold() == path.name.casefold())
    return min(there, default=path)


def refuse_to_replace(path: Path, concept: Concept) -> None:
    """Refuse to write a concept over another one, whose examples would be gone.

    Raises
    ------
    ConfigurationError
        When there is another file.
    """
    try:
        same = path.read_bytes() == _text_of(concept).encode()
    except FileNotFoundError:
        return
    except OSError:
        same = False
    if not same:
        raise ConfigurationError(
            f"there is another one already, {path}",
            where="--save",
            todo="Give another name, or replace it: --replace, in Python run.asked(...).save(NAME, replace=True).",
        )


def _text_of(concept: Concept) -> str:
    return concept.model_dump_json(indent=1) + "\n"


def refuse_other_encoder(concept: Concept, mine: MadeBy, *, where: str) -> None:
    """Refuse a concept whose examples were encoded otherwise than a run's roads: likeness would mean nothing.

    Parameters
    ----------
    concept
        The concept.
    mine
        What made the run's fingerprints.
    where
        The concept's file.

    Raises
    ------
    EncoderError
        Naming all that differs.
    """
    found = differences(concept.made_by, mine)
    if found:
        raise EncoderError(
            f"its examples were encoded otherwise than the roads of this run: {'; '.join(found)}",
            where=where,
            todo="Ask a run that was made with the same encoder and tiles, or save the concept anew from this one.",
        )
