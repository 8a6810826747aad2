"""Where tags of tiles or segments come from: a table, or a map whose features lie in them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Annotated, ClassVar, Literal, Self

from pydantic import BeforeValidator, Field, field_validator, model_validator

from geo.config.section import Section
from geo.config.sections.ground import Stride
from geo.config.sections.records import as_list
from geo.ground.kind import GroundKind, Learned
from geo.roads.reading.paths import is_openstreetmap

if TYPE_CHECKING:
    from geo.ground.contract import Classifier, Piece, Surroundings
    from geo.ground.kind import Shapes

STRIDES: tuple[Stride, ...] = (4, 8, 16)
ROTATIONS: Literal[1, 4] = 4
TILE_M = 48.0
"""Of squares so small, a fifth to three fifths hold what is common beside roads: with larger ones nearly all do."""
LIKELY = {
    "building": ["building=*"],
    "car park": ["amenity=parking"],
    "crossing": ["highway=crossing"],
    "trees": ["natural=tree|tree_row|wood", "landuse=forest"],
    "grass": ["landuse=grass|meadow|village_green|recreation_ground", "leisure=park|garden|pitch"],
    "water": ["natural=water", "waterway=river|canal|stream|riverbank"],
}
"""What OpenStreetMap calls what is seen from above and common in towns (its wiki, 'Map features')."""


def _as_source(given: object) -> object:
    """Take a path, or several, for what its ending says."""
    if isinstance(given, str) and is_openstreetmap(given):
        return {"features": given}
    return {"table": given} if isinstance(given, str | list) else given


class TagSource(Section):
    """A table of tags, or a map: one of both.

    Examples
    --------
    >>> TagSource(table="tags.csv").tables(), TagSource(features="town.osm.pbf").tile_m
    (['tags.csv'], 48.0)
    """

    table: str | list[str] | None = Field(
        default=None,
        description="Table with a column tile_id or segment_id and one or several that say yes or no (CSV, GeoPackage, "
        "Parquet, workbook), or several, or globs; an empty cell is not known.",
    )
    columns: list[str] | None = Field(
        default=None,
        min_length=1,
        description="Which columns of the table are tags; default: all that say yes and no and nothing else.",
    )
    layer: str | list[str] | None = Field(
        default=None, description="Layers to read of a file with several; default: all that can be meant."
    )
    sheet: str | list[str] | None = Field(default=None, description="The same for the sheets of a workbook.")
    features: str | None = Field(
        default=None,
        description="Map whose features are tags of the squares that they lie in: an extract of OpenStreetMap "
        "(.osm.pbf), or a vector file with a column for each key. What is not drawn counts as not there.",
    )
    classes: dict[str, str | list[str]] | None = Field(
        default=None,
        min_length=1,
        description="What features mean which tag: {car park: amenity=parking, trees: [natural=tree|wood]}; * is any "
        "value. Default: building, car park, crossing, trees, grass, water by OpenStreetMap's keys.",
    )
    tile_m: Annotated[float, Field(ge=8, le=500)] = Field(
        default=TILE_M, description="Side of the squares beside roads that features are tags of (metres)."
    )

    @field_validator("classes")
    @classmethod
    def _rules(cls, classes: dict[str, str | list[str]] | None) -> dict[str, str | list[str]] | None:
        for name, rules in (classes or {}).items():
            bad = [rule for rule in as_list(rules) if not all(part.strip() for part in _halves(rule))]
            if bad or not as_list(rules) or not name.strip():
                raise ValueError(
                    f"{name!r:.60}: key=value is expected, as amenity=parking, found {bad or rules!r:.80}"
                )
        return classes

    @model_validator(mode="after")
    def _one(self) -> Self:
        if (self.table is None) == (self.features is None):
            raise ValueError("give table, or features, one of both")
        alone = ("classes", "tile_m") if self.features is None else ("columns", "sheet")
        if beside := [name for name in alone if name in self.model_fields_set]:
            other = "features" if self.features is None else "table"
            raise ValueError(f"{', '.join(beside)} belong to {other}")
        return self

    def tables(self) -> list[str]:
        """List the tables that are named: files or globs."""
        return as_list(self.table)

    def parts(self) -> tuple[str, ...]:
        """Name the layers or sheets that are asked for."""
        return (*as_list(self.layer), *as_list(self.sheet))

    def rules(self) -> dict[str, list[tuple[str, frozenset[str]]]]:
        """Give what means each tag: keys, each with the values that do; none: any value does."""
        named = LIKELY if self.classes is None else self.classes
        return {
            name: [(key.strip(), _values(values)) for key, values in map(_halves, as_list(rules))]
            for name, rules in named.items()
        }


def _halves(rule: str) -> tuple[str, str]:
    key, _, values = rule.partition("=")
    return key, values


def _values(values: str) -> frozenset[str]:
    """Read ``parking|street_side``; ``*`` stands for all."""
    listed = frozenset(value.strip() for value in values.split("|"))
    return frozenset() if "*" in listed else listed


class Tags(GroundKind):
    """Classes that are learned from tags of whole tiles: from what lies in them, not from where."""

    tag: ClassVar[str] = "tags"
    form: ClassVar[str] = "tags"
    key: ClassVar[str] = "tags"
    words: ClassVar[str] = "classes that were learned from tags of whole tiles"

    method: Literal["tags"] = Field(default="tags", description="tags.")
    tags: Annotated[TagSource, BeforeValidator(_as_source)] = Field(
        description="Where tags are: a path is short for {table: PATH}, or for {features: PATH} where it ends in .pbf."
    )
    strides: tuple[Stride, ...] = Field(
        default=STRIDES, min_length=1, description="As of all methods; small things lie on the finest."
    )
    rotations: Literal[1, 4] = Field(
        default=ROTATIONS, description="As of all methods; classes of tags are best from four."
    )
    truth: str | None = Field(
        default=None,
        description="Map of what lies where, to hold the classes against: a raster with names of its values, or a "
        "vector file of polygons with a column that names the class. Nothing is learned from it.",
    )
    truth_names: dict[int, str] | None = Field(
        default=None,
        description="What the values of truth mean, where it does not say: {1: road, 2: building}; values that are not "
        "named here are not known.",
    )
    truth_column: str = Field(
        default="class", description="Column of a vector file of truth that names the class."
    )

    def files(self) -> list[str]:
        """See `GroundKind.files`."""
        from geo.collisions.tables.places import expand_globs, files_of

        named = files_of(expand_globs(self.tags.tables()))
        return [*named, *(path for path in (self.tags.features, self.truth) if path is not None)]

    def with_paths(self, resolve: Callable[[str], str]) -> Self:
        """See `GroundKind.with_paths`."""

        def brought(path: str | None) -> str | None:
            return None if path is None else resolve(path)

        table = None if self.tags.table is None else [resolve(one) for one in self.tags.tables()]
        tags = self.tags.model_copy(update={"table": table, "features": brought(self.tags.features)})
        return self.model_copy(update={"tags": tags, "truth": brought(self.truth)})

    def shapes(self, around: Surroundings) -> Shapes:
        """See `GroundKind.shapes`."""
        from geo.ground.tags.zones import tagged

        shapes: Shapes = tagged(self, around).zones.geometry.to_numpy()
        return shapes

    @classmethod
    def classifier(cls) -> type[Classifier]:
        """See `GroundKind.classifier`."""
        from geo.ground.tags.classifier import TagScorer

        return TagScorer

    def learn(self, pieces: Sequence[Piece], around: Surroundings) -> Learned:
        """Learn a class of each tag; see `GroundKind.learn`."""
        from geo.ground.tags.learning import learn_tags

        return learn_tags(pieces, around, self)
