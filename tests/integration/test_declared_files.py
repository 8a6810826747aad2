"""What a run leaves between its stages is as it is declared, whoever wrote it."""

import geopandas as gpd
import pandas as pd
import pyarrow.parquet as pq
import pytest
from pandera.errors import SchemaErrors

from geo.outputs.layers.layers import LAYERS
from tasks.stages.ground.beside_types import VALUE
from tasks.stages.ground.classes import CHIPS, CLASSES
from tasks.stages.ground.mapping import GROUND_SHARD
from tasks.stages.order import STAGES
from tasks.stages.types.concepts import TILE_WORDS
from tasks.store.table import COVERING
from tasks.tables import BY_HAND, EMBEDDINGS, FINGERPRINTS, SHARD, THUMBNAILS, TURN_SCATTER

DECLARED = {(stage.name, table.name): table for stage in STAGES for table in stage.tables}


def declared_as(file):
    """Find the declaration of a file; shards lie in a folder of their own, one file each."""
    if file.parent.name == "shards":
        return SHARD
    return DECLARED.get((file.parent.name.rpartition("-")[0], file.stem))


@pytest.fixture(scope="module")
def files(finished):
    """The tables of a run of the town; layers, which the package writes, have declarations of their own."""
    out, _ = finished
    return sorted((out / "demo-town" / "stages").glob("*/*.parquet"))


def test_every_file_of_every_stage_is_as_its_table_is_declared(files):
    for file in files:
        table = declared_as(file)
        assert table is not None, f"{file} is declared by no stage"
        names = {column.name for column in table.columns}
        written = set(pq.read_schema(file).names)
        if table.geometry is None:
            table.check(pd.read_parquet(file))
        else:
            table.check(gpd.read_parquet(file))
            names |= {"geometry", COVERING}
        assert table.more or written <= names, f"{file} has {sorted(written - names)}"


def test_every_table_that_is_declared_is_in_a_run_of_a_city_with_records(files):
    # turns, embeddings of others, types by hand, maps of ground and words of a map are of who asks for them: see
    # test_turns_kept, test_elsewhere_runs, test_types_by_hand, test_ground_job and test_city_words
    asked_for = {
        id(TURN_SCATTER),
        id(EMBEDDINGS),
        id(BY_HAND),
        id(CHIPS),
        id(CLASSES),
        id(GROUND_SHARD),
        id(VALUE),
        id(TILE_WORDS),
    }
    there = {id(declared_as(file)) for file in files} | asked_for
    missing = {table.layer for table in DECLARED.values() if id(table) not in there}
    # those are layers of cities that ask for them
    assert missing <= {name for name, layer in LAYERS.items() if layer.optional}


@pytest.mark.parametrize("table", [SHARD, FINGERPRINTS, THUMBNAILS], ids=lambda table: table.name)
def test_a_file_that_was_written_past_frames_holds_rows_and_no_column_less_than_declared(table, files):
    mine = [file for file in files if declared_as(file) is table]
    assert mine
    for file in mine:
        frame = pd.read_parquet(file) if table.geometry is None else gpd.read_parquet(file)
        assert len(frame)
        last = [column.name for column in table.columns if not column.optional][-1]
        short = frame.drop(columns=last)
        with pytest.raises(SchemaErrors, match=last):
            table.check(short)
