"""Forms, tables and actions of QGIS: nothing is gone, nothing is rounded away, and no cell is run."""

import re
import sqlite3

import pandas as pd
import pytest

from geo.outputs.layers.arrange import names_written
from geo.outputs.layers.layers import LAYERS
from geo.outputs.qgis.forms.actions import ACTIONS
from geo.outputs.qgis.forms.shorts import short_titles
from geo.outputs.qgis.forms.tabs import SHOWN, columns_of_table, pages
from geo.outputs.qgis.forms.writing import fields_of, titles_of_columns
from geo.outputs.qgis.tables import write_titles
from geo.outputs.qgis.themes import themes


@pytest.mark.parametrize("layer", SHOWN)
def test_every_column_stands_in_its_form_and_titles_are_short(layer):
    titles = {column.name: column.alias for column in LAYERS[layer].columns}
    short = short_titles(titles)
    assert len(set(short.values())) == len(titles)
    assert max(map(len, short.values())) <= 40
    laid = pages(SHOWN[layer], [*titles, "src_light"])
    told = [name for page in laid for _, box in page.boxes for name in box]
    assert set(told) == {*titles, "src_light"}
    later = [name for page in laid[1:] for _, box in page.boxes for name in box]
    assert len(later) == len(set(later))


def test_a_table_shows_the_rate_that_is_known_and_what_was_carried():
    names = ["name", "n_ksi", "ksi_per_km_year_eb", "collisions_per_km_year_eb", "expected_rank"]
    assert "ksi_per_km_year_eb" in columns_of_table(SHOWN["segments"], names, rate="ksi_per_km_year")
    other = columns_of_table(SHOWN["segments"], names, rate="collisions_per_km_year")
    assert "ksi_per_km_year_eb" not in other
    carried = columns_of_table(SHOWN["collisions"], ["src_light", "source_row", "date"], rate="")
    assert carried == ["date", "src_light"]


@pytest.mark.parametrize("action", [one for several in ACTIONS.values() for one in several])
def test_an_action_puts_in_the_number_of_a_row_and_no_cell(action):
    assert re.findall(r"\[%(.*?)%\]", action.code) == [" @layer_id ", " $id "]
    compile(action.code.replace("[% @layer_id %]", "roadprint_x").replace("[% $id %]", "1"), "action", "exec")
    assert len({one.id for several in ACTIONS.values() for one in several}) == sum(map(len, ACTIONS.values()))


def test_figures_have_as_many_decimals_as_their_middle_value_needs(grid_city):
    layers = grid_city.layers
    segments = layers["segments"].assign(
        ksi_per_km_year=[0.0123, 0.0456] * 20, length_m=[98.217, 1042.5] * 20, aadt=[12.0, 45000.0] * 20
    )
    fields = {field.name: field for field in fields_of("segments", layers | {"segments": segments})}
    assert (fields["ksi_per_km_year"].places, fields["length_m"].places, fields["aadt"].places) == (3, 0, 0)
    # a widget cuts what is greater than its limit
    assert fields["aadt"].limit >= 10 * 45000
    assert fields["ksi_per_km_year_eb"].places == 2


def test_the_long_titles_stand_beside_the_columns(grid_city):
    titles = {"segments": titles_of_columns("segments", grid_city.layers)}
    with sqlite3.connect(":memory:") as connection:
        write_titles(connection, titles)
        rows = pd.read_sql("SELECT * FROM gpkg_data_columns", connection).set_index("column_name")
    assert list(rows.index) == names_written("segments", grid_city.layers["segments"])
    assert rows.loc["ksi_per_km_year_eb_low", "name"] == "KSI /km/yr shrunk low"
    assert rows.loc["ksi_per_km_year_eb_low", "description"] == "KSI per km and year, shrunk, lower limit"


def test_slight_collisions_are_called_by_what_the_records_mean(grid_city):
    segments = grid_city.layers["segments"].assign(n_serious=None, n_fatal=0)
    (told,) = [
        field
        for field in fields_of("segments", grid_city.layers | {"segments": segments})
        if field.name == "n_slight"
    ]
    assert told.long == "Collisions with injury, serious or slight"


def test_there_is_no_theme_of_what_a_city_lacks():
    plan = {"On foot": ("segments_on_foot", "collisions_on_foot"), "Types": ("segments",)}
    (found,) = themes(plan, {"segments", "collisions_on_foot"}, ["imagery"])
    assert (found.title, found.layers) == ("Types", ("segments", "imagery"))
