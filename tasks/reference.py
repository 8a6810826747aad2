"""The reference of the stages, written from their declarations: ``python -m tasks.reference``."""

from __future__ import annotations

import inspect
import sys
from collections.abc import Iterator

from tasks.stages.order import STAGES
from tasks.store.document import Document
from tasks.store.stage import ALL_BEFORE, Stage
from tasks.store.table import Table

HEAD = """# The files between the stages

Stages hand on paths. Every table is Parquet (GeoParquet where it has geometry, flat and in the city's CRS); a null is a
null, and a column marked ○ may be missing. `geo` functions make these tables, and `tasks` write them. A frame that is
not as it is declared is not written; shards, fingerprints and thumbnails are written past frames, and a test holds
those of a run to what is declared here. A stage's work is kept under a digest of its settings and inputs, of the stages
whose files it reads, of its code and of the libraries that this uses. A section of the configuration stands for all its
keys but those that change no result. This page is written by `python -m tasks.reference > docs/stages.md`.

```
imagery          roads           collision records    traffic counts
   |               |                     |                  |
   |       roads: segments, junctions ---+------------------+
   |               |                     |                  |
 tiles: tiles, images       collisions: collisions   exposure: segments
   |                                     |                  |
 features: shards of embeddings          +---------+--------'
   |                                               |
 fingerprints: fingerprints, tiles         safety: segments, junctions, models
   |                  |                            |
 clusters: segments,  |                            |
   |       prototypes |                            |
   |                  +--------------+-------------+
   |                  |              |             |
   +---- inference: tests, clusters  |   concentration: windows, lixels, look_alikes
   |                  |              |             |
 pictures: thumbnails |              |             |
   |                  |              |             |
   +------------------+--------------+-------------'
                      |
 package: GeoPackage, overview.qgz, layers/*.parquet  ->  report: report.html
```
"""


def reference() -> str:
    """Write the page, in Markdown."""
    return HEAD + "".join("".join(_stage(stage)) for stage in STAGES)


def _stage(stage: Stage) -> Iterator[str]:
    """Write what a stage does, what it reads and what it hands on."""
    yield f"\n## {stage.name}\n\n{_first_line(sys.modules[stage.module])}\n\n"
    after = "all stages before" if stage.after == ALL_BEFORE else _listed(stage.after)
    yield f"- after: {after or 'nothing'}\n"
    yield f"- settings: {_listed(stage.settings) or 'none of its own'}\n"
    for table in stage.tables:
        yield from _table(table)
    for document in stage.documents:
        yield from _document(document)


def _listed(words: tuple[str, ...]) -> str:
    return ", ".join(f"`{word}`" for word in words)


def _first_line(module: object) -> str:
    return (inspect.getdoc(module) or "").splitlines()[0]


def _table(table: Table) -> Iterator[str]:
    places = (
        ""
        if table.geometry is None
        else f" Geometry: {table.geometry}{'' if table.located else ', or null'}."
    )
    more = f" Then {table.more}." if table.more else ""
    key = f" Key: {_listed(table.key)}." if table.key else ""
    yield f"\n### `{table.name}.parquet`\n\n{table.meaning}{places}{key}{more}\n\n"
    yield "| column | type | meaning |\n|---|---|---|\n"
    for column in table.columns:
        values = f" ({', '.join(f'`{value}`' for value in column.allowed)})" if column.allowed else ""
        yield f"| `{column.name}`{' ○' if column.optional else ''} | {column.kind} | {column.alias}{values} |\n"


def _document(document: type[Document]) -> Iterator[str]:
    meaning = (inspect.getdoc(document) or "").splitlines()[0]
    yield f"\n### {meaning.replace('``', '`').rstrip('.')}\n\n| key | meaning |\n|---|---|\n"
    for name, field in document.model_fields.items():
        yield f"| `{name}` | {field.description} |\n"


if __name__ == "__main__":
    sys.stdout.write(reference())
