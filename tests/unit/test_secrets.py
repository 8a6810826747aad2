"""Credentials are put into addresses where these are opened, and are found nowhere else."""

import logging
import pickle
import subprocess
import sys
import traceback
from pathlib import Path
from types import SimpleNamespace

import pytest
from prefect.settings import PREFECT_API_URL, temporary_settings

from flows.secrets import concealed, guard_logs, unlock, without_literals
from geo.addresses import digest_address, identity, reveal
from geo.config import load
from geo.errors import ConfigurationError, SourceError
from geo.secrets import hide, redact, remember, strike

WRITTEN_OUT = [
    ("https://tiles.example/a.tif?token={}", "https://tiles.example/a.tif?token=***"),
    ("/vsicurl/https://tiles.example/a.tif?v=2&api_key={}&w=9", "/vsicurl/https://tiles.example/a.tif?v=2&api_key=***&w=9"),
    ("https://blob.example/a.tif?se=2030&sig={}%3D", "https://blob.example/a.tif?se=2030&sig=***"),
    ("https://s3.example/a.tif?X-Amz-Security-Token={}&x=1", "https://s3.example/a.tif?X-Amz-Security-Token=***&x=1"),
    ("https://me:{}@tiles.example/a.tif", "https://***@tiles.example/a.tif"),
    ("https://{}@tiles.example/a.tif", "https://***@tiles.example/a.tif"),
    ("https://me:{}@else@tiles.example/a.tif", "https://***@tiles.example/a.tif"),
    ("https://tiles.example/a.tif?Token_v2={}'quoted\"<>&v=1", "https://tiles.example/a.tif?Token_v2=***&v=1"),
    ("https://tiles.example/a.tif?tk={}", "https://tiles.example/a.tif?tk=***"),
    ("https://tiles.example/a.tif?pass={}", "https://tiles.example/a.tif?pass=***"),
    ("https://tiles.example/a.tif#access_token={}", "https://tiles.example/a.tif#access_token=***"),
    ("/vsicurl?cookie={}&url=x", "/vsicurl?cookie=***&url=x"),
    (
        "/vsicurl?url=https%3A%2F%2Ftiles.example%2Fa.tif%3Ftoken%3D{}%26v%3D1",
        "/vsicurl?url=https%3A%2F%2Ftiles.example%2Fa.tif%3Ftoken%3D***%26v%3D1",
    ),
]  # fmt: skip
CITY = """
city: here
imagery: {{sources: ["{}"]}}
roads: {{source: roads.gpkg}}
"""


def city_file(tmp_path, source):
    file = tmp_path / "city.yaml"
    file.write_text(CITY.format(source))
    return file


@pytest.mark.parametrize(("address", "shown"), WRITTEN_OUT)
def test_a_credential_that_is_written_out_is_hidden_and_comes_back_when_the_address_is_opened(address, shown):
    full = address.format("pLanted-7391")
    hidden = hide(full)
    assert "pLanted-7391" not in hidden
    assert reveal(hidden) == full
    assert strike(full) == shown
    assert "pLanted-7391" not in redact(f"HTTP error code : 403 on {full}, pLanted-7391 again")


def test_a_credential_with_a_space_is_hidden_whole():
    address = "/vsicurl?header.Authorization=Bearer pLanted-7391&url=https%3A%2F%2Ft.example"
    assert "pLanted-7391" not in hide(address)
    assert reveal(hide(address)) == address
    assert strike(address, setting=True).endswith("=***&url=https%3A%2F%2Ft.example")


def test_a_message_that_begins_with_an_address_keeps_its_words():
    said = strike("https://t.example/a.tif?token=pLanted-7391: the server says 403")
    assert said == "https://t.example/a.tif?token=*** the server says 403"


def test_a_variable_with_a_space_in_an_address_stays_a_name(tmp_path, monkeypatch):
    monkeypatch.setenv("AUTH", "Bearer pLanted-6120")
    (source,) = load(city_file(tmp_path, "/vsicurl?header.Authorization=${AUTH}&url=x")).imagery.sources
    assert "pLanted-6120" not in source
    assert "pLanted-6120" in reveal(source)


@pytest.mark.parametrize("address", ["https://t.example/${TOK}/a.tif", "https://t.example/a.tif?odd=${TOK}"])
def test_what_stands_for_an_address_in_tables_shows_no_value_of_a_name(address, monkeypatch):
    monkeypatch.setenv("TOK", "pLanted-6121")
    before = digest_address(address)
    assert "pLanted-6121" not in before
    monkeypatch.setenv("TOK", "another one")
    assert digest_address(address) != before


def test_what_is_no_credential_stays_as_it_is():
    addresses = (
        "https://tiles.example/a.tif?postcode=AB1&mapcode=7&opacity=1",
        "https://tiles.example/monkey.tif?year=2024&style=aerial",
        "/data/a@b/token=1.tif",
        "s3://b/a.tif",
    )
    for plain in addresses:
        assert hide(plain) == redact(plain) == plain


def test_the_name_of_a_credential_does_not_follow_from_it_but_from_its_address():
    one, other = (hide(f"https://tiles.example/{name}.tif?token=first-token") for name in "ab")
    assert one.split("{")[1] != other.split("{")[1]
    assert hide("https://tiles.example/a.tif?token=second-token") == one


def test_a_variable_stays_a_name_in_addresses_and_is_replaced_elsewhere(tmp_path, monkeypatch):
    monkeypatch.setenv("TILES_TOKEN", "pLanted-8215")
    monkeypatch.setenv("DATA", str(tmp_path / "data"))
    config = load(city_file(tmp_path, "https://tiles.example/a.tif?token=${TILES_TOKEN}"))
    (source,) = config.imagery.sources
    assert source == "https://tiles.example/a.tif?token=${TILES_TOKEN}"
    assert reveal(source) == "https://tiles.example/a.tif?token=pLanted-8215"
    assert "pLanted-8215" not in repr(config) + config.model_dump_json()
    assert load(city_file(tmp_path, "${DATA}/*.tif")).imagery.sources == [str(tmp_path / "data" / "*.tif")]


def test_an_address_that_is_a_variable_altogether_is_taken_for_one(tmp_path, monkeypatch):
    monkeypatch.setenv("IMAGERY", "https://tiles.example/a.tif?token=pLanted-1111")
    (source,) = load(city_file(tmp_path, "${IMAGERY}")).imagery.sources
    assert source == "${IMAGERY}"
    assert reveal(source).endswith("token=pLanted-1111")
    assert identity(source) == "https://tiles.example/a.tif?token=***"


def test_imagery_is_the_same_when_its_token_changes_and_another_when_its_place_does(monkeypatch):
    monkeypatch.setenv("PLACE", "west")
    monkeypatch.setenv("TILES_TOKEN", "first")
    address = "https://tiles.example/${PLACE}.tif?token=${TILES_TOKEN}"
    before = identity(address)
    monkeypatch.setenv("TILES_TOKEN", "second")
    assert identity(address) == before
    monkeypatch.setenv("PLACE", "east")
    assert identity(address) != before


def test_a_secret_that_nobody_fetched_is_told_by_name():
    with pytest.raises(ConfigurationError, match=r"Secret block named 'nowhere'"):
        reveal("https://tiles.example/a.tif?token=${secret:nowhere}")


def test_a_secret_in_what_is_no_address_is_refused(tmp_path):
    with pytest.raises(ConfigurationError, match="no address"):
        load(city_file(tmp_path, "imagery/${secret:token}.tif"))


def test_a_configuration_brings_its_credentials_to_another_process(tmp_path):
    config = load(city_file(tmp_path, "https://tiles.example/a.tif?token=pLanted-4402"))
    file = tmp_path / "config.pickle"
    file.write_bytes(pickle.dumps(config))
    code = (
        "import pickle, sys; from pathlib import Path; from geo.addresses import reveal\n"
        "print(reveal(pickle.loads(Path(sys.argv[1]).read_bytes()).imagery.sources[0]))"
    )
    command = [sys.executable, "-c", code, str(file)]
    told = subprocess.run(
        command, capture_output=True, text=True, check=True, cwd=Path(__file__).parents[2]
    ).stdout
    assert told.strip() == "https://tiles.example/a.tif?token=pLanted-4402"


def test_faults_of_a_city_file_show_no_credential(tmp_path):
    broken = tmp_path / "broken.yaml"
    broken.write_text('imagery: {sources: ["https://t.example/a.tif?token=pLanted-5150"\nroads: }')
    wrong = city_file(tmp_path, "https://me:pLanted-5150@t.example/a.tif").rename(tmp_path / "wrong.yaml")
    faults = "area: {0}\ntiles: [{0}]\n".format("https://t.example/a?token=pLanted-5150")
    wrong.write_text(wrong.read_text() + faults)
    for file in (broken, wrong):
        with pytest.raises(ConfigurationError) as caught:
            load(file)
        assert "pLanted-5150" not in str(caught.value) + repr(caught.value)


def test_overrides_lose_their_credentials_before_anybody_records_them():
    given = {"imagery.sources": "['https://t.example/a.tif?token=pLanted-6006', b.tif]", "clusters.k": "5"}
    clean = without_literals(given)
    assert "pLanted-6006" not in str(clean)
    assert clean["clusters.k"] == "5"


def test_an_error_leaves_without_credentials_and_so_does_what_led_to_it():
    remember({"TILES_TOKEN": "pLanted-9090"})

    def read():
        raise OSError(5, "cannot read https://t.example/a?x=pLanted-9090", "pLanted-9090.tif")

    def fail(kind):
        try:
            read()
        except OSError as error:
            if kind is OSError:
                raise
            raise kind("failed for pLanted-9090") from error

    for kind in (SourceError, ValueError, OSError):
        with pytest.raises((kind, RuntimeError)) as caught, concealed():
            fail(kind)
        error = caught.value
        while error is not None:
            assert "pLanted-9090" not in str(error)
            error = error.__cause__ or (None if error.__suppress_context__ else error.__context__)


def test_lines_of_any_logger_show_no_credential(caplog):
    remember({"TILES_TOKEN": "pLanted-3131"})
    before = logging.getLogRecordFactory()
    try:
        guard_logs()
        guard_logs()
        with caplog.at_level(logging.DEBUG):
            logging.getLogger("rasterio").debug("open %s of %d", "https://t.example/a?x=pLanted-3131", 3)
            logging.getLogger("rasterio").warning("https://me:pLanted-3131@t.example")
    finally:
        logging.setLogRecordFactory(before)
    assert "pLanted-3131" not in caplog.text
    assert "of 3" in caplog.text


def read_in_vain():
    """Fail as GDAL does, with the address in its words."""
    raise OSError(f"town.tif?odd={reveal('${TOK}')}: cannot be read")


@pytest.mark.parametrize("task", ["shard_task", "remote_shard_task"])
def test_a_shard_that_fails_shows_no_credential_with_all_that_led_to_it(task, monkeypatch):
    from flows import shards

    def fail(_):
        try:
            read_in_vain()
        except OSError as error:
            raise SourceError("the imagery cannot be reached", where="a", todo="Look.") from error

    remember({"TOK": "pLanted-3317"})
    monkeypatch.setattr(shards, "encode_remotely", fail)
    with pytest.raises(SourceError) as caught:
        getattr(shards, task).fn(SimpleNamespace(work=lambda: fail(None)))
    shown = "".join(traceback.format_exception(caught.value))
    assert "pLanted-3317" not in shown
    assert "read_in_vain" in shown


def test_a_traceback_in_the_log_shows_no_credential(caplog):
    remember({"TOK": "pLanted-3318"})
    guard_logs()
    with pytest.raises(OSError, match="odd") as caught:
        read_in_vain()
    logging.getLogger("somebody").error("it failed", exc_info=caught.value)
    assert "odd=${TOK}" in caplog.text
    assert "pLanted-3318" not in caplog.text


def test_secret_blocks_need_a_server_that_keeps_them(tmp_path):
    city = tmp_path / "city.yaml"
    city.write_text(CITY.format("https://tiles.example/a.tif?token=${secret:tiles}"))
    with (
        temporary_settings(restore_defaults={PREFECT_API_URL}),
        pytest.raises(ConfigurationError, match=r"secret:tiles.*no Prefect server is configured") as refused,
    ):
        unlock(city, None)
    assert "PREFECT_API_URL" in refused.value.todo
