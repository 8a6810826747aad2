"""Tables of collisions whose columns differ: read together by what all have, or told apart."""

import pandas as pd
import pytest
from test_first_city import collisions, drawn, imagery, streets, values

from flows.cli import main
from geo.config import load
from geo.errors import ConfigurationError
from tasks.starting import first
from tasks.starting.draft import draw_up

LATER = "collisions.sources=[Smallton/crashes_2022.csv, Smallton/crashes_2023.csv]"


@pytest.fixture
def folder(tmp_path):
    place = tmp_path / "Smallton"
    imagery(place / "imagery" / "a_2021-06-01.tif")
    streets().to_file(place / "roads.gpkg")
    collisions().to_csv(place / "crashes_2022.csv", index=False)
    return place


def later(**columns):
    """Strew as many collisions a year later, of which some killed in another word."""
    table = collisions()
    days = pd.date_range("2023-01-01", "2023-12-31", periods=len(table)).strftime("%Y-%m-%d")
    words = table["severity"].replace({"Fatal": "Killed"})
    return table.assign(crash_id=table["crash_id"] + 1000, date=days, severity=words, **columns)


def test_years_with_a_column_more_are_offered_together_and_read_by_what_both_have(folder):
    later(weather="dry").to_csv(folder / "crashes_2023.csv", index=False)
    draft = drawn(folder)
    assert [guess.key for guess in draft.open] == ["collisions.sources"]
    assert [one.value for one in draft.open[0].options] == [
        ["Smallton/crashes_2022.csv"],
        ["Smallton/crashes_2023.csv"],
    ]
    found = values(draft)
    assert found["collisions.sources"] == ["Smallton/crashes_*.csv"]
    # of all the years, not of the first
    assert found["collisions.severity_values"]["fatal"] == ["Fatal", "Killed"]
    assert found["collisions.period"] == ["2022-01-01", "2023-12-31"]
    first.write(draft)
    assert len(load(draft.file).collisions.sources) == 1


def test_years_that_are_named_together_are_mapped_together(folder, monkeypatch, capsys):
    later(weather="dry").to_csv(folder / "crashes_2023.csv", index=False)
    monkeypatch.chdir(folder.parent)
    assert main(["init", "Smallton", "--set", LATER, "-q"]) == 0
    written = load(folder.parent / capsys.readouterr().out.strip())
    assert written.collisions.severity_values["fatal"] == ["Fatal", "Killed"]


def test_tables_that_are_called_otherwise_are_refused_as_one_list_and_asked_about_again(folder):
    later().rename(columns={"severity": "harm_level", "date": "day_of_crash"}).to_csv(
        folder / "crashes_2023.csv", index=False
    )
    both = "[Smallton/crashes_2022.csv, Smallton/crashes_2023.csv]"
    with pytest.raises(ConfigurationError, match=r"crashes_2022\.csv alone has date, severity") as refused:
        drawn(folder, {"collisions.sources": both})
    assert "Name one of them" in refused.value.todo
    answers = iter([both, "[Smallton/crashes_2023.csv]"])
    asked = []

    def answer(guess):
        asked.append(guess.doubt)
        return next(answers)

    found = values(drawn(folder, ask=answer))
    assert found["collisions.sources"] == ["Smallton/crashes_2023.csv"]
    assert found["collisions.columns.severity"] == "harm_level"
    assert [doubt.startswith("The tables crashes_2022.csv") for doubt in asked] == [False, True]


def test_two_versions_of_one_year_are_not_offered_together(folder):
    table = collisions().assign(weather="dry")
    table.to_csv(folder / "crashes_2021.csv", index=False)
    (source,) = drawn(folder).open
    assert all(len(option.value) == 1 and "*" not in option.value[0] for option in source.options)
    assert "*" not in source.value[0]


def test_published_tables_of_several_folders_that_are_named_are_read_together(folder, tmp_path):
    for year in (2022, 2023):
        place = folder / str(year)
        place.mkdir()
        at = streets().geometry.centroid.to_crs(4326)
        pd.DataFrame(
            {
                "collision_index": [f"{year}{i}" for i in range(len(at))],
                "collision_severity": "3",
                "date": f"05/01/{year}",
                "longitude": at.x,
                "latitude": at.y,
            }
        ).to_csv(place / "collisions.csv", index=False)
    named = {"collisions.sources": "[Smallton/2022/collisions.csv, Smallton/2023/collisions.csv]"}
    draft = draw_up([folder], tmp_path / "city.yaml", named)
    (schema,) = (guess for guess in draft.guesses if guess.key == "collisions.schema")
    assert schema.value == "stats19"
    assert "12 collisions" in " ".join(schema.why)


def test_a_file_that_cannot_be_written_is_told_before_anything_is_asked(folder):
    def answer(guess):
        raise AssertionError(guess.key)

    with pytest.raises(ConfigurationError, match="no such folder"):
        draw_up([folder], folder / "nowhere" / "city.yaml", ask=answer)


def test_a_file_that_is_named_and_not_there_is_refused_with_the_one_that_is_called_like_it(folder):
    for key in ("roads.source", "imagery.sources", "collisions.sources"):
        with pytest.raises(
            ConfigurationError, match=r"there is no Smallton/roads\.gpk; did you mean roads\.gpkg"
        ):
            drawn(folder, {key: "Smallton/roads.gpk"})
    later(weather="dry").to_csv(folder / "crashes_2023.csv", index=False)
    answers = iter(["9", "Smallton/nowhere.csv", "2"])
    asked = []

    def answer(guess):
        asked.append(guess.doubt)
        return next(answers)

    assert values(drawn(folder, ask=answer))["collisions.sources"] == ["Smallton/crashes_2022.csv"]
    assert asked[1].startswith("There are 3 to choose from. ")
    assert asked[2].startswith("There is no Smallton/nowhere.csv. ")


def test_an_example_is_not_called_a_guess(folder, monkeypatch, capsys):
    monkeypatch.chdir(folder.parent)
    (folder / "roads.gpkg").unlink()
    assert main(["init", "Smallton"]) == 2
    err = capsys.readouterr().err
    assert "--set roads.source=roads.gpkg    (for example)" in err
    assert "No layer of lines was found" in err
