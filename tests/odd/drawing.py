"""What is drawn to look for crashes: tables, attributes of roads and keys of a city's file, odd in several ways."""

import gzip
import io
import json
from datetime import date

import yaml
from hypothesis import strategies as st

COLUMNS = ("id", "date", "x", "y", "severity", "n_casualties", "road_name", "pedestrian", "cyclist")


STRANGE = (
    *(
        "",
        " ",
        "0",
        "-0",
        "-1",
        "1",
        "01",
        "1.0",
        "1,5",
        "1.234.567,8",
        "1e400",
        "-1E-9",
        "inf",
        "nan",
        "NULL",
        "#N/A",
    ),
    *(
        "None",
        "null",
        "?",
        "-",
        "--",
        "+",
        ".",
        ",",
        ";",
        '"',
        '""',
        "'",
        "\\",
        "/",
        "//",
        "0/0",
        "%",
        "%Y",
        "{}",
        "[]",
    ),
    *(
        "2021-02-12",
        "2021-02-30",
        "0000-00-00",
        "9999-12-31",
        "0001-01-01",
        "10000-01-01",
        "31/12/2021",
        "12/31/2021",
    ),
    *(
        "12.2.21",
        "2021-W06-5",
        "2021-02-12T08:30:00Z",
        "2021-02-12T08:30:00+99:99",
        "2021-02-12T24:00:00",
        "24:61",
    ),
    *(
        "2021",
        "21",
        "202102",
        "20210212",
        "44239",
        "44239.5",
        "1613088000000",
        "-99999999999999",
        "99999999999999999999",
    ),
    *(
        "52°21'18.9\"N",
        "1°49.5' W",
        "90°",
        "181",
        "412098.2",
        "POINT (1 2)",
        "POINT EMPTY",
        "POINT (nan nan)",
        "LINESTRING (",
    ),
    *(
        "SRID=99999;POINT(1 2)",
        "(52.3, -1.8)",
        "1 2 3 4",
        "fatal",
        "FATAL ",
        "serious",
        "slight",
        "none",
        "Ünfäll",
        "死亡",
    ),
    *(
        "yes",
        "No",
        "ja",
        "x",
        "TRUE",
        "\u00a0",
        "\u200b",
        "\ufeff",
        "\u2028",
        "\x00",
        "\x1f",
        "\x85",
        "１",
        "²",
        "Ⅳ",
        "½",
        "−1",
    ),
    *(
        "a\nb",
        "a\r\nb",
        "a\tb",
        "💥",
        "e\u0301",
        "\ud7ff",
        "\U0010ffff",
        "١٢",
        "=1+1",
        "@x",
        "<b>",
        "${HOME}",
        "../..",
        "a" * 5000,
    ),
)


CELL = st.one_of(
    st.sampled_from(STRANGE),
    st.text(st.characters(exclude_categories=("Cs",)), max_size=12),
    st.floats(allow_nan=True).map(str),
    st.integers().map(str),
    st.dates(date(1600, 1, 1), date(2900, 1, 1)).flatmap(
        lambda d: st.sampled_from(
            ["%d/%m/%Y", "%Y-%m-%dT%H:%M:%S", "%m/%d/%y", "%d.%m.%Y %H:%M", "%b %d, %Y", "%Y%m%d"]
        ).map(d.strftime)
    ),
    st.tuples(st.floats(-2, -1.7), st.floats(52.3, 52.4)).map(lambda p: f"{p[0]:.6f}"),
)


PLAUSIBLE = {
    "id": st.integers(0, 30).map(str),
    "date": st.dates(date(2019, 1, 1), date(2023, 12, 31)).map(str),
    "x": st.floats(-1.825, -1.818).map("{:.6f}".format),
    "y": st.floats(52.354, 52.36).map("{:.6f}".format),
    "severity": st.sampled_from(("fatal", "serious", "slight", "1", "2", "3", "K", "A")),
    "pedestrian": st.sampled_from(("0", "1", "yes", "no", "")),
}
NAMES = st.one_of(
    st.sampled_from(COLUMNS),
    st.sampled_from(("", " ", "id ", "ID", "date", "_broken", "geometry", "fid", "Unnamed: 0")),
    st.text(max_size=6),
)


ENCODINGS = (
    "utf-8",
    "utf-8-sig",
    "utf-16",
    "utf-16-le",
    "utf-16-be",
    "utf-32",
    "latin-1",
    "cp1252",
    "cp437",
    "shift_jis",
    "mac-roman",
)


@st.composite
def tables(draw):
    """Draw bytes of a table: cells, header, delimiter, quotes, line ends, encoding; at times cut or packed."""
    columns = draw(st.permutations(COLUMNS))
    columns = [*columns, *draw(st.lists(NAMES, max_size=2))] if draw(st.booleans()) else list(columns)
    kinds = {
        column: PLAUSIBLE.get(column, CELL)
        if draw(st.booleans())
        else st.one_of(CELL, st.sampled_from(draw(st.lists(CELL, min_size=1, max_size=3))))
        for column in columns
    }
    rows = [[draw(kinds[column]) for column in columns] for _ in range(draw(st.integers(0, 12)))]
    delimiter = draw(st.sampled_from(",;\t|"))
    end = draw(st.sampled_from(("\n", "\r\n", "\r")))
    quoted = draw(st.booleans())
    lines = [
        delimiter.join(_quoted(cell, delimiter) if quoted else cell for cell in line)
        for line in [columns, *rows]
    ]
    before = draw(st.sampled_from(("", "", "", "sep=;\n", "Crashes\n\n", "# x\n", "\ufeff", "\n", "\x00")))
    text = before + end.join(lines) + draw(st.sampled_from(("", end, "Total" + delimiter + "3", '"')))
    data = text.encode(draw(st.sampled_from(ENCODINGS)), errors="replace")
    if draw(st.integers(0, 9)) == 0:
        data = data[: draw(st.integers(0, len(data)))] + draw(st.binary(max_size=8))
    return gzip.compress(data) if draw(st.integers(0, 9)) == 0 else data


def _quoted(cell, delimiter):
    return (
        '"' + cell.replace('"', '""') + '"'
        if any(mark in cell for mark in (delimiter, '"', "\n", "\r"))
        else cell
    )


@st.composite
def mappings(draw):
    """Draw the keys that tell how a table is read."""
    mapped = {column: column for column in COLUMNS if column in {"x", "y"} or draw(st.integers(0, 4))}
    options = {
        "decimal": st.sampled_from((".", ",")),
        "crs": st.sampled_from(("EPSG:4326", "EPSG:27700", "EPSG:3857", "27700")),
        "encoding": st.sampled_from(("utf-8", "latin-1", "utf-16", "no-such")),
        "delimiter": st.sampled_from((",", ";", "\t", "|", "::")),
        "date_format": st.sampled_from(("%d/%m/%Y", "%Y-%m-%d", "%Q", "ISO8601", "%", "%H:%M")),
        "time_zone": st.sampled_from(("Europe/London", "America/New_York", "Asia/Tokyo")),
        "skip_lines": st.integers(0, 4),
        "empty_is_none": st.booleans(),
        "year": st.sampled_from(COLUMNS),
        "id": st.sampled_from((["id", "date"], "n_casualties")),
        "cyclist": st.builds(
            lambda v: {"column": "cyclist", "values": v}, st.lists(CELL, min_size=1, max_size=2)
        ),
    }
    mapped |= {key: draw(value) for key, value in options.items() if draw(st.integers(0, 3)) == 0}
    if draw(st.integers(0, 4)) == 0:
        del mapped["x"], mapped["y"]
        mapped["point"] = draw(st.sampled_from(COLUMNS))
    section = {"schema": "columns", "columns": mapped}
    values = {"fatal": ["fatal", "1"], "serious": ["serious", "2"], "slight": ["slight", "3"]}
    section |= (
        {"severity_values": values}
        if draw(st.booleans())
        else {"severity_scheme": draw(st.sampled_from(("kabco", "german", "swiss")))}
    )
    keys = {
        "rows": st.sampled_from(("collisions", "persons", "vehicles")),
        "repeated_ids": st.sampled_from(("refuse", "first", "each")),
        "keep": st.dictionaries(
            st.sampled_from(COLUMNS), st.lists(CELL, min_size=1, max_size=2), min_size=1, max_size=1
        ),
        "period": st.just(["2019-01-01", "2023-12-31"]),
    }
    return section | {key: draw(value) for key, value in keys.items() if draw(st.integers(0, 5)) == 0}


STATS19_NAMES = (
    "collision_index",
    "collision_year",
    "collision_ref_no",
    "location_easting_osgr",
    "location_northing_osgr",
    "longitude",
    "latitude",
    "collision_severity",
    "number_of_casualties",
    "date",
    "first_road_class",
    "first_road_number",
    "junction_detail",
)


CASUALTY_NAMES = (
    "collision_index",
    "vehicle_reference",
    "casualty_reference",
    "casualty_class",
    "casualty_severity",
    "casualty_type",
)


CODE = st.one_of(
    CELL,
    st.integers(-1, 12).map(str),
    st.sampled_from(("412098", "273034", "-1.82", "52.35", "Fatal", "Slight", "Pedestrian", "12/02/2021")),
)


VALUE = st.recursive(
    st.one_of(st.none(), st.booleans(), st.integers(-(2**63), 2**63 - 1), st.floats(), CELL),
    lambda below: st.one_of(
        st.lists(below, max_size=2),
        st.dictionaries(st.sampled_from(("primary", "common", "a")), below, max_size=2),
    ),
    max_leaves=4,
)


NUMBER = st.one_of(st.floats(-1.83, -1.81), st.floats(52.35, 52.36), st.floats())


SHAPES = st.one_of(
    st.lists(st.tuples(st.floats(-1.83, -1.81), st.floats(52.35, 52.36)), min_size=2, max_size=4).map(
        lambda xy: {"type": "LineString", "coordinates": xy}
    ),
    st.lists(st.tuples(NUMBER, NUMBER), max_size=4).map(lambda xy: {"type": "LineString", "coordinates": xy}),
    st.sampled_from(
        (
            None,
            {"type": "Point", "coordinates": [0, 0]},
            {"type": "LineString", "coordinates": []},
            {"type": "GeometryCollection", "geometries": []},
        )
    ),
)


CLASSES = st.one_of(
    VALUE,
    st.sampled_from(
        (
            "primary",
            "residential",
            "footway",
            "proposed",
            "['residential', 'tertiary']",
            "residential;service",
        )
    ),
)


@st.composite
def features(draw):
    """Draw a GeoJSON file of roads."""
    fields = (
        "highway",
        "name",
        "ref",
        "bridge",
        "layer",
        "junction",
        "oneway",
        "tunnel",
        "osm_id",
        "u",
        "v",
        "startNode",
        "endNode",
        "names",
        "connectors",
        "level_rules",
        "cell",
    )
    chosen = draw(st.lists(st.sampled_from(fields), unique=True, max_size=8))
    rows = [
        {
            "type": "Feature",
            "properties": {
                name: draw(CLASSES if name == "highway" else VALUE) for name in ["highway", *chosen]
            },
            "geometry": draw(SHAPES),
        }
        for _ in range(draw(st.integers(1, 6)))
    ]
    return json.dumps({"type": "FeatureCollection", "features": rows})


SCALAR = st.one_of(
    st.sampled_from(
        (
            "",
            "~",
            "null",
            "yes",
            "no",
            "on",
            "1",
            "01",
            "0x1f",
            "1_0",
            "1e3",
            ".inf",
            ".nan",
            "1:40",
            "2019-01-01",
            "2019-02-30",
            "[1",
            "{",
            "&a",
            "*a",
            "!!int x",
            "'",
            '"',
            "|",
            ">",
            "- x",
            "a: b",
            "%",
            "@",
            "${HOME}",
            "#",
        )
    ),
    st.text(st.characters(exclude_categories=("Cs",)), max_size=10),
    st.recursive(
        st.one_of(st.none(), st.booleans(), st.integers(), st.floats(), CELL, st.dates()),
        lambda b: st.one_of(st.lists(b, max_size=3), st.dictionaries(CELL, b, max_size=2)),
        max_leaves=5,
    ).map(lambda v: yaml.safe_dump(v, default_flow_style=True).strip().removesuffix("\n...")),
)


KEYS = (
    "city",
    "crs",
    "area",
    "imagery.sources",
    "imagery.bands",
    "imagery.scale",
    "imagery.nodata",
    "roads.source",
    "roads.layer",
    "roads.keep",
    "roads.class_field",
    "segments.max_length_m",
    "tiles.tile_m",
    "tiles.mode",
    "encoder.name",
    "clusters.k",
    "clusters.k_range",
    "collisions.sources",
    "collisions.schema",
    "collisions.columns",
    "collisions.columns.id",
    "collisions.severity_values",
    "collisions.severity_values.fatal",
    "collisions.keep",
    "collisions.period",
    "collisions.rows",
    "exposure.sources",
    "exposure.columns",
    "safety.concentration.weights",
    "output.folder",
    "run.runner",
    "nothing",
)


def write_keys(tree, indent=0):
    out = io.StringIO()
    for key, value in tree.items():
        if isinstance(value, dict):
            out.write(f"{'  ' * indent}{key}:\n{write_keys(value, indent + 1)}")
        else:
            out.write(f"{'  ' * indent}{key}: {value}\n")
    return out.getvalue()
