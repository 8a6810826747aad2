"""The page asks its run: the same question, and the same answers, as of `roadprint find`."""

from __future__ import annotations

import math
import tempfile
import threading
import time
from collections.abc import Collection, Mapping, Sequence
from functools import cached_property
from pathlib import Path
from typing import Any

import geopandas as gpd
import numpy as np
import pandas as pd

from geo.clusters.typology.made_by import differences
from geo.errors import ChangedError, LayerError, RoadprintError, SourceError, meant
from geo.search.concepts import (
    FOLDER,
    Concept,
    as_there,
    concept_file,
    concept_files,
    read_concept,
    write_concept,
)
from geo.search.example import Example
from geo.search.words.fit import Askable
from tasks.explore.asking.dropped import Pictures
from tasks.explore.asking.wishes import Save, Wish
from tasks.explore.page import Page
from tasks.results import answers
from tasks.results.encoded import made_by_of
from tasks.results.finding import Asked, Question, askable

DEGREES = 6
"""Digits of a place in degrees: a decimetre."""
_NOTHING = "Choose a road or a tile, drop a picture, or give words."


class Asking:
    """What one page asks its run. A question is answered at a time; pictures are encoded beside it.

    Parameters
    ----------
    page
        The page.
    """

    def __init__(self, page: Page) -> None:
        self._page, self._pictures = page, Pictures(page.run)
        self._lock = threading.Lock()

    def ask(self, wish: Wish) -> dict[str, Any]:
        """Answer a page.

        Returns
        -------
        ``answers``: the most alike first, each with its ``rank``, the rows of its ``segment`` and ``tile`` in the page,
        ``likeness``, ``cosine``, ``why`` (in words) and ``why_of`` (the place of that example among ``examples``),
        ``rank_of_all`` of ``of_all``, ``name``, ``road_class``, ``type`` and its place, ``lon`` and ``lat``;
        ``examples``: those that the question came to, with their ``label``, the ``name`` of their road, whether they
        are ``meant``, the row of a ``segment`` or ``tile`` and of a tile that has it ``shown``, or the key of a
        ``picture``; ``said``: what words were taken for; ``took_ms``.

        Raises
        ------
        RoadprintError
            See `asked`.
        """
        begun = time.perf_counter()
        found, keys = self._asked(wish)
        examples = [*self._told(found.yes, keys, meant=True), *self._told(found.no, keys, meant=False)]
        told = {
            "answers": self._rows(found.answers, examples),
            "examples": examples,
            "said": [
                {"asked": one.asked, "words": [_word(word) for word in one.words]} for one in found.said
            ],
            "over": wish.over,
            "took_ms": round(1000 * (time.perf_counter() - begun)),
        }
        self._page.check_stands()
        return told

    def asked(self, wish: Wish) -> Asked:
        """Ask the run what the page wishes to know.

        Raises
        ------
        LayerError, SourceError, EncoderError
            As of `tasks.results.finding.ask`; when a row is not there, or a picture is none.
        """
        return self._asked(wish)[0]

    def askable(self) -> dict[str, Any]:
        """Tell what the run can be asked, and read what is needed for it.

        Returns
        -------
        ``can``, with ``why_not`` and ``todo`` in words; ``roads`` with a fingerprint (number); whether ``tiles`` have
        some of their own; ``tile_m``, the side of a tile (metres); ``words`` that can be asked by, each with its
        ``source``, ``reliability`` (0 to 1, or null) and ``note``.
        """
        run = self._page.run
        told: dict[str, Any] = {"can": True, "why_not": None, "todo": "", "words": []}
        try:
            with self._lock:
                looks = run.looks
            told |= {"roads": len(looks.segments), "tiles": looks.seen is not None, "tile_m": looks.tile_m}
            self._page.check_stands()
        except RoadprintError as error:
            return told | {
                "can": False,
                "why_not": error.what,
                "todo": error.todo,
                "roads": 0,
                "tiles": False,
            }
        try:
            return told | {"words": [_word(one) for one in askable(run)]}
        except RoadprintError as error:
            # a table of names that cannot be read keeps no road from being asked for
            return told | {"words_why_not": str(error)}

    def concepts(self) -> list[dict[str, Any]]:
        """List the concepts of the city, with those that cannot be asked of this run, and why."""
        return [self._concept(file) for file in self._files().values()]

    def save(self, wish: Save) -> str:
        """Keep a question as a concept of the city, and give the name of its file.

        Raises
        ------
        ConfigurationError
            When no file can be called so.
        ChangedError
            When there is a concept of that name, which is not to be replaced.
        SourceError
            When it cannot be written.
        """
        folder = self._folder()
        if folder is None:
            raise SourceError(
                "a GeoPackage alone has no folder of a city", where="concept", todo="Open the run's folder."
            )
        file = concept_file(folder, wish.name)
        concept = self.concept(wish)
        with self._lock:
            there = as_there(file)
            if there.exists() and not wish.replace:
                raise ChangedError(
                    f"there is a concept called {there.stem!r}",
                    where="name",
                    todo="Give another name, or say that it is to be replaced.",
                )
            write_concept(there, concept)
        return file.name

    def concept(self, wish: Save) -> Concept:
        """Lay a question out as a concept.

        Raises
        ------
        ConfigurationError
            When no file can be called so.
        """
        name = concept_file(Path(), wish.name).stem
        return self.asked(wish.ask).as_concept(name, note=wish.note)

    def export(self, wish: Wish, form: str, *, without: Collection[str] = ()) -> bytes:
        """Write answers to a file (`tasks.results.answers.write`), and give its bytes.

        Parameters
        ----------
        wish
            What is asked.
        form
            Ending of the file: one of `tasks.results.answers.ENDINGS`, without the full stop.
        without
            Columns that are left out.
        """
        found = self.asked(wish)
        with tempfile.TemporaryDirectory(prefix="roadprint-") as folder:
            file = Path(folder) / f"answers.{form}"
            answers.write(found, file, without=without)
            data = file.read_bytes()
        self._page.check_stands()
        return data

    def _asked(self, wish: Wish) -> tuple[Asked, dict[str, str]]:
        """Ask; with the keys of pictures by their labels."""
        pictures = [(one.meant, *self._pictures.example(one)) for one in wish.pictures]
        segments, tiles = self._ids
        question = Question(
            like=[*_named(segments, wish.like, "segment"), *_named(tiles, wish.like_tiles, "tile")],
            unlike=[*_named(segments, wish.unlike, "segment"), *_named(tiles, wish.unlike_tiles, "tile")],
            at=wish.at,
            text=wish.text,
            unlike_text=wish.unlike_text,
            over=wish.over,
            concept=[self._named(name) for name in wish.concepts],
            road_class=wish.classes,
            within=wish.bounds,
            collisions=wish.collisions,
            yes=[example for meant, _, example in pictures if meant],
            no=[example for meant, _, example in pictures if not meant],
        )
        if not (question.like or question.at or question.text or question.concept or question.yes):
            raise LayerError("nothing says what is meant", where="ask", todo=_NOTHING)
        with self._lock:
            found = self._page.run.asked(question, top=wish.shown, skip=wish.skip)
        return found, {example.label: key for _, key, example in pictures}

    def _rows(self, found: gpd.GeoDataFrame, examples: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
        """Give answers as the page shows them."""
        segments, tiles = self._ids
        labels = [one["label"] for one in examples if one["meant"]]
        places = gpd.GeoSeries.from_xy(found["x"], found["y"], crs=found.crs).to_crs(4326)
        # a road without a tile that was encoded is shown by a place on it
        own = found.geometry.representative_point().to_crs(4326)
        laid = pd.DataFrame(
            {
                "rank": found["rank"],
                "segment": segments.get_indexer(found["segment_id"]),
                "tile": tiles.get_indexer(found["tile_id"]),
                "likeness": found["likeness"],
                "cosine": found["cosine"],
                "why": found["why"],
                "why_of": [labels.index(why) if why in labels else None for why in found["why"]],
                "rank_of_all": found["rank_of_all"],
                "of_all": found["of_all"],
                "name": found["name"],
                "road_class": found["road_class"],
                "type": found["cluster"],
                "lon": places.x.fillna(own.x).round(DEGREES),
                "lat": places.y.fillna(own.y).round(DEGREES),
            }
        )
        laid["tile"] = laid["tile"].where(laid["tile"] >= 0)
        return [_plain(row) for row in laid.astype(object).to_dict("records")]

    def _told(
        self, examples: Sequence[Example], keys: Mapping[str, str], *, meant: bool
    ) -> list[dict[str, Any]]:
        segments, tiles = self._ids
        found = []
        for one in examples:
            segment, tile = _row(segments, one.segment_id), _row(tiles, one.tile_id)
            name = None if segment is None else self._page.segments["name"].iloc[segment]
            shown = self._shown.get(one.segment_id) if tile is None else tile
            told = {"label": one.label, "name": name, "meant": meant, "segment": segment, "tile": tile}
            found.append(_plain(told | {"shown": shown, "picture": keys.get(one.label)}))
        return found

    @cached_property
    def _shown(self) -> dict[Any, int]:
        """Which tile shows each segment: the encoded one nearest to the middle of its tiles, by its row."""
        tiles = self._page.tiles
        laid = pd.DataFrame(
            {"segment_id": tiles["segment_id"], "at": tiles["position_m"], "row": range(len(tiles))}
        )
        if "encoded" in tiles:
            laid = laid[tiles["encoded"].fillna(value=False).to_numpy(dtype=bool)]
        off = (laid["at"] - laid.groupby("segment_id")["at"].transform("mean")).abs()
        best = laid.assign(off=off).sort_values(["off", "row"]).drop_duplicates("segment_id")
        return {name: int(row) for name, row in zip(best["segment_id"], best["row"], strict=True)}

    @cached_property
    def _ids(self) -> tuple[pd.Index[Any], pd.Index[Any]]:
        """Ids of segments and of tiles, in the order of the page's rows."""
        return pd.Index(self._page.segments["segment_id"]), pd.Index(self._page.tiles["tile_id"])

    def _folder(self) -> Path | None:
        folder = self._page.run.folder
        return None if folder is None else folder.parent / FOLDER

    def _files(self) -> dict[str, Path]:
        """List the files of concepts, by their names."""
        return {file.stem: file for file in concept_files(self._folder())}

    def _named(self, name: str) -> Path:
        """Find the file of a concept, among those that are there."""
        found = self._files()
        if name not in found:
            there = ", ".join(found) or "none"
            raise LayerError(
                f"there is no concept {name!r}{meant(name, found)}",
                where="concept",
                todo=f"There are: {there}.",
            )
        return found[name]

    def _concept(self, file: Path) -> dict[str, Any]:
        told: dict[str, Any] = {"name": file.stem, "note": "", "city": "", "examples": 0, "can": False}
        try:
            concept = read_concept(file)
            unlike = differences(concept.made_by, made_by_of(self._page.run))
        except RoadprintError as error:
            return told | {"why_not": error.what}
        why = f"it was encoded otherwise than this run: {'; '.join(unlike)}" if unlike else None
        known = {"note": concept.note, "city": concept.city, "examples": len(concept.examples)}
        return told | known | {"can": not unlike, "why_not": why}


def _word(word: Askable) -> dict[str, Any]:
    """Say a word as the page shows it."""
    return {
        "word": word.word,
        "source": word.source,
        "reliability": word.reliability,
        "note": word.note,
    }


def _row(ids: pd.Index[Any], one: str | None) -> int | None:
    """Give the row of an id; None: there is none."""
    row = -1 if one is None else int(ids.get_indexer(pd.Index([one]))[0])
    return None if row < 0 else row


def _named(ids: pd.Index[Any], rows: Sequence[int], what: str) -> list[str]:
    """Give the ids of rows."""
    beyond = [row for row in rows if row >= len(ids)]
    if beyond:
        raise LayerError(
            f"there is no {what} of the number {beyond[0]}",
            where="ask",
            todo=f"The run has {len(ids)}, numbered from 0.",
        )
    return [str(one) for one in ids.take(np.array(rows, dtype=np.int64))]


def _plain(row: Mapping[Any, Any]) -> dict[str, Any]:
    """Give values as JSON knows them; null where something is not known."""
    found: dict[str, Any] = {}
    for name, value in row.items():
        known = None if pd.isna(value) else value
        if isinstance(known, float | np.floating):
            known = float(known) if math.isfinite(known) else None
        found[str(name)] = known.item() if isinstance(known, np.generic) else known
    return found
