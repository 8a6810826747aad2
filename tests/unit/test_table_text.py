"""Records written as text: whatever its encoding, separator, titles and totals, the rows are the same or refused."""

import bz2
import csv
import gzip
import io
import lzma
import unicodedata

import pandas as pd
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from record_files import ROWS, TEXT, cells, written

from geo.collisions.tables.reading import read_rows
from geo.collisions.tables.table import Form
from geo.errors import LayerError, SourceError

# ---- text: packed, of any ending, in any encoding that is told or sure


@pytest.mark.parametrize("ending", [".csv", ".CSV", ".dat", "", ".txt", ".xlsx"])
def test_text_is_told_by_its_content_and_not_by_its_ending(tmp_path, ending):
    assert cells(written(tmp_path, f"c{ending}", TEXT)) == ROWS


@pytest.mark.parametrize(
    ("ending", "pack"),
    [("gz", gzip.compress), ("bz2", bz2.compress), ("xz", lzma.compress), ("csv", gzip.compress)],
)
def test_a_compressed_table_is_the_table(tmp_path, ending, pack):
    assert cells(written(tmp_path, f"c.csv.{ending}", pack(TEXT.encode()))) == ROWS


@pytest.mark.parametrize(
    "data",
    [
        TEXT.encode("utf-8-sig"),
        TEXT.encode("utf-16"),
        b"\xfe\xff" + TEXT.encode("utf-16-be"),
        TEXT.encode("utf-16-le"),
        TEXT.encode("utf-16-be"),
        TEXT.encode("utf-32"),
    ],
    ids=["utf-8", "utf-16", "big-endian", "unmarked", "unmarked big-endian", "utf-32"],
)
def test_unicode_is_found_out(tmp_path, data):
    assert cells(written(tmp_path, "c.csv", data)) == ROWS


def test_a_mark_of_unicode_counts_more_than_the_key(tmp_path):
    assert cells(written(tmp_path, "c.csv", TEXT.encode("utf-8-sig")), encoding="latin-1") == ROWS


def test_text_in_another_encoding_is_refused_with_what_its_words_would_be(tmp_path):
    path = written(tmp_path, "c.csv", TEXT.encode("latin-1"))
    with pytest.raises(SourceError, match=r"(?s)'Straße' as cp1252.*collisions\.columns\.encoding"):
        read_rows(str(path))
    assert cells(path, encoding="latin-1") == ROWS


def test_an_encoding_that_would_make_two_letters_of_one_is_refused(tmp_path):
    path = written(tmp_path, "c.csv", TEXT)
    with pytest.raises(SourceError, match=r"(?s)latin-1 is named for it, but it is text in UTF-8.*Straße"):
        read_rows(str(path), Form(encoding="latin-1"))


def test_an_encoding_in_which_bytes_mean_nothing_is_refused(tmp_path):
    path = written(tmp_path, "c.csv", TEXT.encode("cp850").replace(b"Weg", b"M\x81hlweg"))
    with pytest.raises(SourceError, match=r"(?s)some bytes mean nothing.*as cp850"):
        read_rows(str(path), Form(encoding="latin-1"))


def test_text_that_was_read_wrongly_before_is_told(tmp_path):
    twice = TEXT.encode().decode("cp1252")
    (note,) = read_rows(str(written(tmp_path, "c.csv", twice))).notes
    assert (note.item, note.count) == ("characters", 1)
    assert "'StraÃŸe' for 'Straße'" in note.reason
    plain = TEXT.replace("Weg", "Groß\u2013Weg Spaß\u201c É\u2019s")
    assert read_rows(str(written(tmp_path, "d.csv", plain))).notes == []


def test_letters_in_two_pieces_are_one(tmp_path):
    road = "K\u006f\u0308nigsweg"
    assert cells(written(tmp_path, "c.csv", TEXT.replace("Weg", road)))[2][4] == "Königsweg"
    pd.DataFrame({"road": [road]}).to_parquet(tmp_path / "c.parquet")
    assert cells(tmp_path / "c.parquet")[1] == ["Königsweg"]


def test_quotes_behind_a_backslash_are_quotes(tmp_path):
    said = TEXT.replace("Weg", '"said \\"stop; now\\" twice"').replace("Ring", '"a;b"')
    assert [row[4] for row in cells(written(tmp_path, "c.csv", said))[1:]] == [
        "Straße",
        'said "stop; now" twice',
        "a;b",
    ]


@pytest.mark.parametrize("end", ["\r", "\r\n", "\n"])
def test_line_ends_of_every_system_part_rows(tmp_path, end):
    assert cells(written(tmp_path, "c.csv", TEXT.replace("\n", end))) == ROWS


def test_zero_bytes_are_no_text_and_told(tmp_path):
    rows = read_rows(str(written(tmp_path, "c.csv", TEXT.replace("Weg", "Weg\0\0"))))
    assert rows.frame["road"].tolist() == ["Straße", "Weg", "Ring"]
    assert [(note.item, note.count) for note in rows.notes] == [("characters", 2)]


# ---- what stands before and after a table


@pytest.mark.parametrize(
    ("before", "told"),
    [
        ("sep=;\n", 0),
        ("\n\n", 0),
        ("Collisions in Town\n", 1),
        ("Collisions in Town;;;;\n;;;;\nas of;May;;;\n", 0),
        ("Collisions in Town;;;;\n;;;;\nPolice;;;;\n", 2),
        ('"Collisions, all";\n', 1),
        ("# made by; the police; in; June; 2024\n# second\n", 2),
    ],
)
def test_titles_before_the_header_are_found_and_told(tmp_path, before, told):
    path = written(tmp_path, "c.csv", before + TEXT)
    if "May" in before:
        # two cells may be names: it is asked for
        assert cells(path, skip_lines=3) == ROWS
        return
    assert cells(path) == ROWS
    assert sum(n.count for n in read_rows(str(path)).notes if "before the header" in n.reason) == told


def test_a_header_that_is_not_sure_is_asked_for_with_the_lines_that_there_are(tmp_path):
    lines = ["Report", "2019;2020;2021;2022;2023", *("1;2;3;4;5" for _ in range(5))]
    path = written(tmp_path, "c.csv", "\n".join(lines))
    with pytest.raises(LayerError, match=r"(?s)2019 \| 2020 \| 2021.*collisions\.columns\.skip_lines"):
        read_rows(str(path))
    assert cells(path, skip_lines=1)[0] == ["2019", "2020", "2021", "2022", "2023"]


@pytest.mark.parametrize(
    "end",
    [
        "Total;;;;3\n",
        "TOTAL:;3;;;\n",
        "\n(3 rows affected)\n",
        "-----\n",
        "Quelle: Polizei der Stadt\n",
        ";;;;\n",
    ],
)
def test_a_total_or_a_note_at_the_end_is_no_row_and_told(tmp_path, end):
    rows = read_rows(str(written(tmp_path, "c.csv", TEXT + end)))
    assert rows.frame["id"].tolist() == ["1", "2", "3"]
    assert not rows.frame["_broken"].any()
    assert [(note.item, note.status, note.count) for note in rows.notes] == [("lines", "skipped", 1)]


def test_a_line_that_is_cut_short_is_a_broken_row_and_no_note(tmp_path):
    frame = read_rows(str(written(tmp_path, "c.csv", TEXT + "4;2022-0"))).frame
    assert frame["_broken"].tolist() == [False, False, False, True]


def test_separators_at_the_end_of_every_line_make_no_column(tmp_path):
    ended = "\n".join(line + (";;" if i else "") for i, line in enumerate(TEXT.splitlines()))
    rows = read_rows(str(written(tmp_path, "c.csv", ended)))
    assert list(rows.frame.columns[:-1]) == ROWS[0]
    assert not rows.frame["_broken"].any()
    named = "\n".join(line + ";;" for line in TEXT.splitlines())
    assert cells(written(tmp_path, "d.csv", named)) == ROWS


def test_a_file_of_files_is_one_table_where_their_headers_are_one(tmp_path):
    rows = read_rows(str(written(tmp_path, "c.csv", TEXT + TEXT)))
    assert rows.frame["id"].tolist() == ["1", "2", "3"] * 2
    assert [note.count for note in rows.notes] == [1]
    other = TEXT.replace("id;when;lng;lat", "id;when;lat;lng")
    with pytest.raises(LayerError, match=r"another header stands among its rows: id \| when \| lat"):
        read_rows(str(written(tmp_path, "d.csv", TEXT + other)))


def test_rows_of_another_width_than_the_header_are_refused_if_they_are_most(tmp_path):
    lines = ["id;when;lng", *("1;2;3;4" for _ in range(9))]
    with pytest.raises(LayerError, match=r"(?s)9 of 9.*another number of cells.*skip_lines"):
        read_rows(str(written(tmp_path, "c.csv", "\n".join(lines))))


def test_a_decimal_comma_parts_no_cells(tmp_path):
    assert cells(written(tmp_path, "c.csv", "x;y\n1,5;2,5\n3,5;4,5\n")) == [
        ["x", "y"],
        ["1,5", "2,5"],
        ["3,5", "4,5"],
    ]


word = st.one_of(
    st.sampled_from(
        ["", "1", "-1.5", "2019-01-02", "A1, north", "Straße;", "x|y", "O'Neil", '"quoted"', "a\nb", "#3"]
    ),
    st.sampled_from(["Total", "  ", "12,5", "sep=;", "a\tb", "{", "[1]"]),
    st.text(st.characters(codec="utf-8", exclude_categories=["Cs", "Cc"]), max_size=8),
)
rows = st.lists(st.tuples(st.integers(1, 10**6).map(str), word, word, word), min_size=1, max_size=8)


@settings(max_examples=100, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(rows, st.sampled_from(",;\t|"), st.sampled_from(["utf-8", "utf-16", "utf-8-sig"]), st.booleans())
def test_what_was_written_is_what_is_read(tmp_path, rows, delimiter, encoding, quoted):
    text = io.StringIO(newline="")
    writer = csv.writer(text, delimiter=delimiter, quoting=csv.QUOTE_ALL if quoted else csv.QUOTE_MINIMAL)
    writer.writerows([["id", "when", "road", "note"], *rows])
    path = written(tmp_path, "c.csv", text.getvalue().encode(encoding))
    assert cells(path)[1:] == [[unicodedata.normalize("NFC", cell) for cell in row] for row in rows]
