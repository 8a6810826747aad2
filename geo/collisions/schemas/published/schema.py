"""Published tables, each by a schema of its own name: what is known of it stands in its preset."""

from __future__ import annotations

from collections.abc import Iterator
from typing import ClassVar, Literal

from pydantic import Field

from geo.collisions.schema import CollisionSource
from geo.collisions.schemas.kind import SchemaKind
from geo.collisions.schemas.published.known import PRESETS
from geo.collisions.schemas.published.mapping import mapping_of
from geo.collisions.schemas.published.reading import read_published
from geo.collisions.schemas.schemes import Scheme
from geo.collisions.schemas.tabular import Meaning, read_mapped
from geo.collisions.tables.places import expand_globs
from geo.collisions.tables.table import Form, Rows
from geo.config.sections.records import Columns, Row


class Published(SchemaKind):
    """A published table whose columns and codes are known (docs/records.md)."""

    tag: ClassVar[str] = "a published table"
    names: ClassVar[tuple[str, ...]] = tuple(PRESETS)
    form: ClassVar[str] = ", ".join(PRESETS)

    schema_: Literal[
        "toronto_ksi",
        "new_york",
        "chicago",
        "unfallatlas",
        "queensland",
        "new_zealand_cas",
        "helsinki",
        "geneva",
    ] = Field(default="toronto_ksi", alias="schema", description="The name of one of these tables.")
    columns: Columns | None = Field(
        default=None, description="Single keys of the mapping, over those of the schema."
    )

    def read(self) -> CollisionSource:
        """See `SchemaKind.read`."""
        preset, own = PRESETS[self.schema_], self.columns or Columns()
        scheme = preset.scheme or Scheme({}, (), (), preset.source)
        meaning = Meaning(scheme, f"collisions.schema: {self.schema_} ({scheme.source})")
        return read_mapped(self, ((rows, self._mapping(rows)) for rows in self._tables(own)), meaning)

    def row(self) -> Row | None:
        """See `SchemaKind.row`."""
        return self.rows or PRESETS[self.schema_].rows

    def _tables(self, own: Columns) -> Iterator[Rows]:
        form = Form(parts=self.parts(), delimiter=own.delimiter, skip_lines=own.skip_lines)
        stated = "encoding" in own.model_fields_set
        encodings = (own.encoding,) if stated else PRESETS[self.schema_].encodings
        for source in expand_globs(self.sources):
            yield from read_published(source, form, encodings)

    def _mapping(self, rows: Rows) -> Columns:
        return mapping_of(PRESETS[self.schema_], self.schema_, rows.frame, rows.name, self.columns)
