"""What words are said of: a run, the types and segments that it has, and the folder that keeps the words."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import geopandas as gpd
import pandas as pd
import shapely

from geo.clusters.hands.checking import Known
from geo.clusters.hands.corrections import FILE as CORRECTIONS
from geo.clusters.hands.corrections import TABLE, Correction, corrections_in, read_corrections
from geo.errors import LayerError, WordError
from geo.outputs.names import FILE as NAMES
from geo.outputs.names import MERGED, Named, read_names
from geo.sources.files import digest_file
from tasks.earlier import FOUND
from tasks.explore.correcting.spoken import FILE as SPOKEN
from tasks.explore.correcting.spoken import Spoken, spoken_in
from tasks.explore.page import Page
from tasks.store.document import digest
from tasks.store.status import latest
from tasks.store.summary import LATEST, SUMMARY, RunSummary

PLACES = 7
"""Decimals of a degree: a centimetre."""


@dataclass(frozen=True, slots=True)
class Standing:
    """What stands in the city's folder.

    Attributes
    ----------
    names
        Lines of ``clusters.csv`` by their number.
    corrections
        Lines of ``corrections.csv`` in the order in which they were said.
    spoken
        What was said in the page and has not been taken back.
    """

    names: dict[int, Named]
    corrections: tuple[Correction, ...]
    spoken: list[Spoken]


class Corrected:
    """The run whose types are corrected.

    Parameters
    ----------
    page
        It as its page shows it.
    """

    def __init__(self, page: Page) -> None:
        self.page, self.run = page, page.run

    @property
    def why_not(self) -> str:
        """Say why nothing can be corrected; empty: it can."""
        folder = self.run.folder
        pointed = None if folder is None else latest(folder.parent / LATEST)[0]
        if folder is None or pointed is None:
            return "it lies in no city's folder, where the next run would look for what is said"
        if (self.run.configuration.get("clusters") or {}).get("typology"):
            return "its types are those of a typology, which have their names and their roads from there"
        if pointed != folder.name:
            return f"a newer run ({pointed}) has taken its place, and numbers of types may mean others there"
        return ""

    @property
    def folder(self) -> Path:
        """The folder of all runs of the city.

        Raises
        ------
        WordError
            When nothing can be corrected.
        """
        if self.why_not or self.run.folder is None:
            raise WordError(
                f"this run cannot be corrected: {self.why_not}",
                where=self.run.city,
                todo="Open the newest run of the city's folder: roadprint explore CITY.yaml --edit",
            )
        return self.run.folder.parent

    @cached_property
    def known(self) -> Known:
        """The segments and types of the run."""
        segments = self.page.segments
        found = self._found.dropna()
        ids = set(segments["segment_id"][segments["cluster"].notna().to_numpy(bool)])
        roads = gpd.GeoDataFrame(segments[["segment_id"]], geometry=segments.geometry.array)
        return Known(roads, ids, sorted(map(int, found.unique())))

    @cached_property
    def sizes(self) -> Mapping[int, int]:
        """Number of segments of each type as it was found."""
        counts = self._found.dropna().astype(int).value_counts()
        return dict(zip(counts.index.tolist(), counts.tolist(), strict=True))

    @cached_property
    def streets(self) -> list[str | None]:
        """Name of the street of each segment; None: it has none."""
        return [str(name) if pd.notna(name) else None for name in self.page.segments["name"].tolist()]

    @property
    def _found(self) -> pd.Series:
        """The types that were found, before anybody's words."""
        segments = self.page.segments
        told = FOUND in segments and segments[FOUND].notna().any()
        found: pd.Series = segments[FOUND if told else "cluster"]
        return found

    @cached_property
    def names_then(self) -> dict[int, Named]:
        """What the run was told of types."""
        summary = (self.run.folder or self.run.geopackage) / SUMMARY
        return {one.cluster: one for one in RunSummary.read(summary).numbering.names}

    @cached_property
    def outcomes_then(self) -> dict[str, str]:
        """What became in the run of each correction that it was told, by `key_of`."""
        told = corrections_in(self.run.geopackage)
        try:
            became = self.page.layer(TABLE)["outcome"].tolist() if told else []
        except LayerError:
            became = ["taken up"] * len(told)
        return dict(zip(map(key_of, told), became, strict=True))

    @cached_property
    def agreement(self) -> dict[str, int] | None:
        """Of how many segments analysts spoke, and of how many of these the type stood; None: of none."""
        told = self.run.facts.get("types by hand")
        hands = {} if told is None else json.loads(told)
        return {key: hands[key] for key in ("looked_at", "stood")} if hands.get("looked_at") else None

    def places(self, rows: Sequence[int]) -> list[tuple[str, float, float]]:
        """Give ids of segments by their rows, with longitude and latitude of their middles.

        Raises
        ------
        LayerError
            When there is no segment of that number.
        """
        for row in rows:
            self.page.segment(row)
        roads = self.known.roads.iloc[list(rows)]
        middles = roads.geometry.interpolate(0.5, normalized=True).to_crs(4326)
        degrees = shapely.get_coordinates(middles.to_numpy()).round(PLACES).tolist()
        return [(str(name), x, y) for name, (x, y) in zip(roads["segment_id"], degrees, strict=True)]

    def rows(self, ids: Sequence[str | None]) -> list[int | None]:
        """Give the rows of segments by their ids; None: there is none."""
        found = self._index.get_indexer(pd.Index(ids, dtype=object))
        return [None if row < 0 else row for row in found.tolist()]

    @cached_property
    def _index(self) -> pd.Index:
        index: pd.Index = pd.Index(self.page.segments["segment_id"].tolist(), dtype=object)
        return index

    def standing(self) -> Standing:
        """Read what stands.

        Raises
        ------
        SourceError
            Naming the line that cannot be used.
        """
        folder = self.folder
        return Standing(read_names(folder / NAMES), read_corrections(folder / CORRECTIONS), spoken_in(folder))

    def version(self) -> str:
        """Digest what stands, and whether it can be changed."""
        why_not = self.why_not
        files = [] if why_not else [self.folder / name for name in (NAMES, CORRECTIONS, SPOKEN)]
        return digest(why_not, [digest_file(file) if file.is_file() else None for file in files])


def key_of(one: Correction) -> str:
    """Tell a correction from all others by what it says."""
    return digest(one.said)


def said_of(one: Named) -> dict[str, object]:
    """Give what a line of ``clusters.csv`` says, to be held against another."""
    return {**one.said, MERGED: one.merged_into}
