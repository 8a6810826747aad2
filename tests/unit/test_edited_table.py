"""A table that an analyst keeps by hand is changed cell by cell: all else of it stays as it is."""

import stat

import pytest

from geo.errors import BusyError, ChangedError, SourceError
from geo.sources.edited import EditedTable

COLUMNS = ("cluster", "name", "colour", "note")


def table_of(tmp_path, content):
    path = tmp_path / "clusters.csv"
    path.write_bytes(content)
    return EditedTable(path, COLUMNS)


def written(table):
    table.write(lambda _: None)
    return table.path.read_bytes()


@pytest.mark.parametrize(
    ("before", "after"),
    [
        (b"cluster,name\n1,a\n2,b\n", b"cluster,name\n1,a\n2,new\n"),
        (b"cluster,name\r\n1,a\r\n2,b", b"cluster,name\r\n1,a\r\n2,new"),
        (
            b"\xef\xbb\xbfmine;Name ; CLUSTER\n'x';a;1\n;b; 2",
            b"\xef\xbb\xbfmine;Name ; CLUSTER\n'x';a;1\n;new; 2",
        ),
        (
            b'name\tcluster\tremark\n"a"""\t1\t"two\nlines"\n\tb2\n',
            b'name\tcluster\tremark\n"a"""\t1\t"two\nlines"\nnew\tb2\n',
        ),
        (
            b"note,cluster,name\nStra\xdfe \x81,1,a\nx,2,b\n",
            b"note,cluster,name\nStra\xdfe \x81,1,a\nx,2,new\n",
        ),
        (b"cluster,name\n\n1,a\n,,\n2,b\n\n", b"cluster,name\n\n1,a\n,,\n2,new\n\n"),
    ],
)
def test_a_cell_is_changed_and_all_else_stays_byte_for_byte(before, after, tmp_path):
    table = table_of(tmp_path, before)
    table.change(1, {"name": "new"})
    assert written(table) == after


def test_a_line_is_added_in_the_columns_of_the_file(tmp_path):
    table = table_of(tmp_path, b"mine;name;cluster\nx;a;1")
    table.add({"cluster": "2", "name": "b; c", "colour": ""})
    assert written(table) == b'mine;name;cluster\nx;a;1\n;"b; c";2\n'
    table.remove(1)
    assert table.as_bytes() == b"mine;name;cluster\nx;a;1\n"


def test_a_column_that_is_missing_comes_after_remarks_that_have_none(tmp_path):
    table = table_of(tmp_path, b"cluster,name\n1,a,a remark without a head\n2,b\n")
    table.add({"cluster": "3", "note": "n"})
    assert written(table) == b"cluster,name,,note\n1,a,a remark without a head\n2,b\n3,,,n\n"
    assert [row.get("note", "") for row in EditedTable(table.path, COLUMNS).rows] == ["", "", "n"]


def test_a_table_that_is_not_there_begins_with_its_columns(tmp_path):
    table = EditedTable(tmp_path / "new.csv", COLUMNS)
    table.add({"cluster": "1", "name": "Straße"})
    assert written(table).decode("utf-8-sig") == "cluster,name,colour,note\r\n1,Straße,,\r\n"


def test_letters_that_its_encoding_lacks_are_refused_and_nothing_is_written(tmp_path):
    before = b"cluster,name\n1,Stra\xdfe\n"
    table = table_of(tmp_path, before)
    table.change(0, {"name": "ул. Мира"})
    with pytest.raises(SourceError, match="Windows-1252"):
        written(table)
    assert table.path.read_bytes() == before
    assert [file.name for file in tmp_path.iterdir()] == ["clusters.csv"]


def test_what_another_program_wrote_meanwhile_is_not_written_over(tmp_path):
    table = table_of(tmp_path, b"cluster,name\n1,a\n")
    table.change(0, {"name": "b"})
    table.path.write_bytes(b"cluster,name\n1,by hand\n")
    with pytest.raises(ChangedError, match="another program"):
        written(table)
    assert table.path.read_bytes() == b"cluster,name\n1,by hand\n"


def test_a_table_that_a_spreadsheet_has_open_is_left_to_it(tmp_path):
    table = table_of(tmp_path, b"cluster,name\n1,a\n")
    (tmp_path / ".~lock.clusters.csv#").write_text(",ada,")
    with pytest.raises(BusyError, match="LibreOffice"):
        written(table)


def test_what_fails_its_check_is_not_written(tmp_path):
    table = table_of(tmp_path, b"cluster,name\n1,a\n")
    table.add({"cluster": "2"})

    def refuse(part):
        assert part.read_bytes().endswith(b"2,\n")
        raise SourceError("no")

    with pytest.raises(SourceError):
        table.write(refuse)
    assert table.path.read_bytes() == b"cluster,name\n1,a\n"
    assert [file.name for file in tmp_path.iterdir()] == ["clusters.csv"]


def test_a_table_that_is_a_link_is_changed_where_it_lies_and_keeps_who_may_read_it(tmp_path):
    table = table_of(tmp_path, b"cluster,name\n1,a\n")
    table.path.chmod(0o640)
    link = tmp_path / "link.csv"
    link.symlink_to(table.path)
    linked = EditedTable(link, COLUMNS)
    linked.change(0, {"name": "b"})
    linked.write(lambda _: None)
    assert link.is_symlink()
    assert table.path.read_bytes() == b"cluster,name\n1,b\n"
    assert stat.S_IMODE(table.path.stat().st_mode) == 0o640


@pytest.mark.parametrize("content", [b"cluster,name\n1,a\r2,b\n", b'cluster,name\n1,"a' + b"x" * 140_000])
def test_what_is_no_table_is_refused_with_its_line(content, tmp_path):
    with pytest.raises(SourceError, match="line"):
        table_of(tmp_path, content)
