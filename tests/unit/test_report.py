"""The report says what the numbers allow, to anyone, and runs nothing that came with the data."""

import base64
import hashlib
import io
import math
import re
from datetime import date
from html import unescape
from html.parser import HTMLParser
from importlib.resources import files

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from geo.errors import RoadprintError
from geo.outputs.report.figures.charts import Axis, ratio_axis, ratio_strip
from geo.outputs.report.figures.choice_chart import choice_chart
from geo.outputs.report.map.data import EDGE
from geo.outputs.report.map.figure import PICKED
from geo.outputs.report.map.packing import unpack
from geo.outputs.report.page import ReportData, _years, render, write_report
from geo.outputs.report.parts.cards import class_mix
from geo.outputs.thumbnails import thumbnail
from geo.outputs.wording import figure, interval, ratio_limits, verdict

VOID = {"meta", "img", "br", "line", "path", "rect", "circle", "input"}


class Page(HTMLParser):
    """Elements, text and nesting of a page, as a browser would find them."""

    def __init__(self, html):
        super().__init__()
        self.elements, self.text, self.open, self.crossed = [], [], [], []
        self.goes_on = False
        self.feed(html)

    def handle_starttag(self, tag, attrs):
        self.elements.append((tag, dict(attrs)))
        # a word that explains itself stands within a sentence
        self.goes_on = dict(attrs).get("class") == "term"
        if tag not in VOID:
            self.open.append(tag)

    def handle_endtag(self, tag):
        self.goes_on = tag == "a" and self.elements[-1][1].get("class") == "term"
        if tag not in VOID and self.open.pop() != tag:
            self.crossed.append(tag)

    def handle_data(self, data):
        if self.goes_on:
            self.text[-1] += data
        elif self.open and self.open[-1] not in ("style", "script"):
            self.text.append(data)

    def all(self, tag):
        return [attrs for name, attrs in self.elements if name == tag]

    @property
    def words(self):
        return " ".join(" ".join(self.text).split())


@pytest.fixture
def data(grid_city):
    red = thumbnail(np.stack([np.full((40, 40), v, dtype=np.uint8) for v in (200, 30, 30)]))
    tiles = grid_city.prototypes["tile_id"].unique()
    return ReportData(
        city="Grid & <City>",
        config={"city": "grid", "imagery": {"sources": ["<img src=x onerror=alert(1)>"]}, "area": None},
        run=dict(grid_city.layers["run"].itertuples(index=False)),
        clusters=grid_city.layers["clusters"],
        segments=grid_city.layers["segments"],
        choice=grid_city.choice,
        quality={
            "encoder": {"effective_rank": 31.2, "spread": 0.4, "silhouette": None, "warnings": ("rank < 2",)},
            "baseline": {"effective_rank": 3.1, "spread": 0.1, "silhouette": 0.3, "warnings": ()},
            "agreement_with_baseline": 0.25,
        },
        prototypes=grid_city.prototypes,
        thumbnails=dict.fromkeys(tiles[:-1], red),
        ledger=grid_city.layers["ledger"],
        licences={"Imagery": "by <Someone>", "Roads": ""},
        ratio_of="ksi",
        period=(date(2019, 1, 1), date(2023, 12, 31)),
        methods={"Intervals": "exact, 95 % <two-sided>"},
        tests=grid_city.layers["tests"],
        stretches=grid_city.layers["stretches"],
        findings=["of <roads>, 4 % carry half"],
    )


def changed(data, **fields):
    return ReportData(**{name: getattr(data, name) for name in data.__dataclass_fields__} | fields)


def test_text_of_the_data_stays_text(data):
    html = render(data)
    page = Page(html)
    assert not {"b", "iframe", "object", "everywhere", "someone", "city"} & {tag for tag, _ in page.elements}
    assert not [name for _, attrs in page.elements for name in attrs if name.startswith("on")]
    for text in (
        "<b>Bold & Sons</b> Road",
        "Grid & <City>",
        "by <Someone>",
        "rank < 2",
        "zero length <0.1 m",
        "ab<12>&",
    ):
        assert text in page.words


def test_findings_and_the_comparisons_that_were_made_are_told(data):
    page = Page(render(data))
    assert "Of <roads>, 4 % carry half." in page.words
    made = data.tests["p_value"].notna().sum()
    assert page.words.count("all clustered roads") == made
    assert "KSI collisions" in page.words


def test_the_page_needs_no_network(data):
    html = render(data)
    page = Page(html)
    addresses = [a[key] for _, a in page.elements for key in ("src", "href", "data") if key in a]
    assert addresses
    assert all(
        address.startswith(("data:image/jpeg;base64,", "data:text/csv;base64,", "#")) for address in addresses
    )
    assert "url(" not in html[html.index("<style>") : html.index("</style>")]
    assert "@import" not in html
    policy = next(a["content"] for a in page.all("meta") if a.get("http-equiv") == "Content-Security-Policy")
    assert policy.startswith("default-src 'none'; img-src data: blob:; ")


def test_no_script_runs_but_the_three_of_the_page(data):
    html = render(data)
    policy = re.search(r"script-src ([^;]*);", unescape(html))[1].split()
    scripts = re.findall(r"<script>(.*?)</script>", html, re.DOTALL)
    # the library of the map comes packed, and is let run by what it is when it is unpacked
    library = unpack(re.search(r'id="map-library">([^<]*)<', html)[1])
    scripts.insert(1, library)
    digests = [base64.b64encode(hashlib.sha256(text.encode()).digest()).decode() for text in scripts]
    assert policy == [f"'sha256-{digest}'" for digest in digests]
    assert len(digests) == 3
    assert html.lower().count("<script") == 7
    assert html.lower().count("</script") == 7


def test_the_page_is_sound_and_open_to_screen_readers(data):
    page = Page(render(data))
    assert page.crossed == []
    assert page.open == []
    assert page.all("html")[0]["lang"] == "en"
    assert len(page.all("h1")) == 1
    # what stands beside the name of its type says nothing more
    assert all(picture["alt"] or picture.get("class") == "face" for picture in page.all("img"))
    assert all(drawing.get("aria-label") or drawing.get("aria-hidden") for drawing in page.all("svg"))
    ids = [attrs["id"] for _, attrs in page.elements if "id" in attrs]
    assert len(ids) == len(set(ids))
    referred = [attrs["aria-labelledby"] for _, attrs in page.elements if "aria-labelledby" in attrs]
    assert set(referred) <= set(ids)
    leads = {link["href"].removeprefix("#") for link in page.all("a") if "download" not in link}
    assert leads <= set(ids)


def contrast(one, other):
    """Contrast of two colours by WCAG 2.1."""

    def luminance(colour):
        shares = [part / 255 for part in bytes.fromhex(colour)]
        linear = [s / 12.92 if s <= 0.04045 else ((s + 0.055) / 1.055) ** 2.4 for s in shares]
        return sum(weight * part for weight, part in zip((0.2126, 0.7152, 0.0722), linear, strict=True))

    low, high = sorted([luminance(one), luminance(other)])
    return (high + 0.05) / (low + 0.05)


STYLE = files("geo.outputs.report").joinpath("templates", "report.css").read_text()


def colours_of(pattern):
    """Colours that the style gives by a property, as RRGGBB."""
    named = dict(re.findall(r"--(\w+): (#\w+);", STYLE))
    found = {
        named.get(name, colour) for name, colour in re.findall(pattern + r"(?:var\(--(\w+)\)|(#\w+))", STYLE)
    }
    return {c[1:] if len(c) == 7 else "".join(2 * one for one in c[1:]) for c in found}


def test_every_colour_of_text_has_the_contrast_that_wcag_asks_for():
    texts = colours_of(r"[{;\s]color: ") | colours_of(r"(?:text|\.row|\.strong) \{[^}]*fill: ")
    grounds = colours_of(r"background: ")
    assert texts == {"1b1b1b", "565656", "1d4e89", "a8320a", "ffffff"}
    assert grounds == {"ffffff", "f4f4f1", "fdf1ec", "d9ead9", "f6ecc9", "f3d9d4", "fff3bf"}
    # white stands on what is darkened, whatever picture lies beneath
    assert "rgb(0 0 0 / .72)" in STYLE
    assert contrast("ffffff", "474747") >= 4.5
    texts.remove("ffffff")
    assert min(contrast(text, ground) for text in texts for ground in grounds) >= 4.5


def test_what_must_be_seen_besides_text_has_the_contrast_that_wcag_asks_for():
    drawn = colours_of(r"outline: 3px solid ") | {"1d4e89", "a8320a", EDGE[1:], PICKED[1:]}
    fields = {"6b6b6b"}
    assert all(f"1px solid #{colour}" in STYLE for colour in fields)
    assert min(contrast(one, ground) for one in drawn | fields for ground in ("ffffff", "f4f4f1")) >= 3


def test_the_same_data_give_the_same_page_in_whatever_order_they_come(tmp_path, data):
    turned = {
        name: getattr(data, name).iloc[::-1].reset_index(drop=True)
        for name in ("clusters", "segments", "choice", "prototypes")
    }
    write_report(tmp_path / "a.html", data)
    write_report(tmp_path / "b.html", changed(data, **turned))
    assert (tmp_path / "a.html").read_bytes() == (tmp_path / "b.html").read_bytes()
    assert {path.name for path in tmp_path.iterdir()} == {"a.html", "b.html"}


def test_each_type_says_only_what_its_test_allows(data):
    words = Page(render(data)).words
    there = "other roads that have a type in the same part of town"
    assert f"More KSI collisions per km and year than {there}: 1.3 to 3.4 times." in words
    assert f"About the same as {there}: 0.8 to 1.3 times" in words
    assert "Too few KSI collisions to tell." in words
    # the ratio as counted stands without its interval, which no claim rests on
    assert "As counted, whatever the part of town, and no ground for a claim: 2.1 times." in words
    assert "Association, not cause." in words


def test_where_traffic_is_taken_into_account_every_claim_says_so(data):
    """A ratio at equal traffic is another one than that of collisions per km."""
    like = "in the same part of town, with like traffic where it is known"
    tests = data.tests.assign(adjusted_for="log_aadt, part of town")
    told = changed(data, clusters=data.clusters.assign(interval=f"{like}; in class: {like}"), tests=tests)
    words = Page(render(told)).words
    there = f"other roads that have a type {like}"
    assert f"More KSI collisions per km and year than {there}: 1.3 to 3.4 times." in words
    assert f"times the KSI collisions per km of other roads {like}" in words
    plain = Page(render(data)).words
    assert "like traffic" not in plain


def test_a_type_is_told_beside_roads_of_its_class_with_what_that_allows(data):
    same = data.tests.assign(comparison="same class", q_value=0.5, share_compared=1.0, reason=None)
    same = same[same["outcome"] == "n_ksi"].reset_index(drop=True)
    same.loc[1, "share_compared"] = 0.184
    ratios = pd.DataFrame({"": [1.0, 1.6, np.nan], "_low": [0.8, 1.2, np.nan], "_high": [1.3, 2.1, np.nan]})
    told = data.clusters.assign(
        **{f"rate_ratio_in_class_adjusted{limit}": ratios[limit] for limit in ratios},
        rate_ratio_in_class=[1.1, 1.9, np.nan],
        q_value_in_class=[0.5, 0.01, np.nan],
        interval="in the same part of town; in class: not tested: fewer than 5 <expected>",
    )
    page = Page(render(changed(data, clusters=told, tests=pd.concat([data.tests, same], ignore_index=True))))
    there = "other roads of its class in the same part of town"
    assert f"About the same as {there}: 0.8 to 1.3 times" in page.words
    assert (
        f"More KSI collisions per km and year than {there}: 1.2 to 2.1 times. "
        "This holds for the 18% of its length" in page.words
    )
    assert f"Not tested against {there}: fewer than 5 <expected>. Nothing is claimed." in page.words
    labels = [drawing["aria-label"] for drawing in page.all("div") if drawing.get("class") == "forest"]
    assert len(labels) == 3
    assert "Rate ratio to other roads of its class: 1, interval 0.8 to 1.3." in labels[0]
    assert "Rate ratio to other roads of its class: not known" in labels[2]


def test_types_of_a_typology_are_told_with_what_is_like_none_and_what_the_city_lacks(data):
    segments = data.segments.copy()
    segments["cluster_baseline"] = pd.array([1] * len(segments), dtype="Int64")
    segments.loc[segments.index[:3], "cluster"] = pd.NA
    used = {"digest": "ab", "version": 2, "cities": ["York", "Hull <&>"], "types": 5, "lacking": [4, 5]}
    used |= {"like_none": 3, "like_none_share": 0.07}
    words = Page(render(changed(data, segments=segments, quality=data.quality | {"typology": used}))).words
    assert "a typology (version 2), found in York, Hull <&> together" in words
    assert "3 segments, 7 % of the length with imagery, are like none of its 5 types" in words
    assert "This city lacks types 4, 5." in words
    assert "like none of the types" in words
    assert "no imagery" not in words
    assert "typology" not in Page(render(data)).words


def test_the_numbers_of_types_that_were_tried_are_drawn_and_told(data):
    page = Page(render(data))
    said = next(drawing["aria-label"] for drawing in page.all("svg") if drawing.get("class") == "chart")
    assert said == (
        "Silhouette and stability for 2 to 4 types. Silhouette is highest, 0.34, with 3 types. "
        "Stability is highest, 0.95, with 3 types. 3 types were chosen: silhouette 0.34, stability 0.95."
    )
    chart = choice_chart(data.choice)
    assert [len(measure.points) for measure in chart.measures] == [2, 3]
    assert chart.chosen == chart.across[1][0]
    assert choice_chart(data.choice.iloc[:1]) is None


def test_a_negative_silhouette_lies_within_the_drawing():
    chart = choice_chart(
        pd.DataFrame(
            {"k": [2, 3], "silhouette": [-0.6, 0.2], "stability": [1.0, 0.5], "chosen": [False, True]}
        )
    )
    lowest = max(y for _, y in chart.measures[0].points)
    assert lowest < chart.up[0][0]
    assert chart.up[0][1] == "-1"


def test_what_is_claimed_of_all_collisions_stands_in_the_table_of_types_too(data):
    of_all = data.tests.drop_duplicates("cluster").assign(outcome="n_collisions", ratio_adjusted=2.34)
    html = render(changed(data, tests=pd.concat([data.tests, of_all], ignore_index=True)))
    table = html[html.index('id="glance"') : html.index('id="types"')]
    claimed = re.findall(r"<strong>([^<]+)</strong>", table)
    assert claimed == ["2.3", "2.1"]
    assert table.count("KSI:</span>") == table.count("collisions:</span>") == 3


def test_a_page_without_q_values_claims_nothing(data):
    tested, plain = (
        render(data),
        render(changed(data, clusters=data.clusters.assign(p_value=None, q_value=None))),
    )
    assert "No type could be tested here, so no difference is claimed." in Page(plain).words
    assert "Nothing is claimed." not in Page(tested).words
    assert Page(plain).words.count("Nothing is claimed.") == 3
    for word in ("More KSI", "Fewer KSI", "About the same"):
        assert word not in Page(plain).words
    assert tested.count('scope="col"') == plain.count('scope="col"') + 1


def test_unknown_ksi_is_said_to_be_unknown_and_never_zero(data):
    nulls = dict.fromkeys(["n_ksi", "ksi_per_km_year", "low", "high"])
    blind = changed(
        data,
        clusters=data.clusters.assign(**nulls),
        segments=data.segments.assign(n_ksi=pd.array([None] * len(data.segments), dtype="Int64")),
        ratio_of="collisions",
    )
    words = Page(render(blind)).words
    assert "KSI (killed or seriously injured) is not known here." in words
    assert "KSI collisions not known Prototypes" in words
    assert "More collisions per km and year than other roads that have a type" in words


def test_without_collisions_the_page_speaks_of_looks_alone(data):
    counts = [
        name
        for name in data.segments
        if name.startswith(("n_", "ksi", "coll", "years")) and name != "n_tiles"
    ]
    results = [
        name
        for name in data.clusters
        if name not in {"cluster", "n_segments", "length_km", "prototype_tiles"}
    ]
    silent = changed(
        data,
        segments=data.segments.assign(**dict.fromkeys(counts)),
        clusters=data.clusters.assign(**dict.fromkeys(results)),
        period=None,
    )
    words = Page(render(silent)).words
    assert "No collisions are given." in words
    assert "with the collisions recorded" not in words
    assert "than other roads that have a type:" not in words
    assert "About the same" not in words


def test_a_city_without_imagery_has_a_page_too(data):
    none = changed(
        data,
        clusters=data.clusters.iloc[:0],
        prototypes=data.prototypes.iloc[:0],
        segments=data.segments.assign(cluster=pd.array([None] * len(data.segments), dtype="Int64")),
        quality={},
    )
    assert "No types were found: no segment has imagery." in Page(render(none)).words


def test_a_tile_without_a_picture_is_said_to_have_none(data):
    page = Page(render(data))
    shown = data.prototypes["tile_id"].isin(list(data.thumbnails)).sum()
    pictures = [picture for picture in page.all("img") if "data-tile" in picture]
    assert len(pictures) == shown == len(data.prototypes) - 3
    assert page.words.count("no picture") == 3


@pytest.mark.parametrize(
    ("low", "high", "q", "begins"),
    [
        (1.3, 3.4, 0.01, "More"),
        (1.3, 3.4, None, "Not tested"),
        (1.3, 3.4, math.nan, "Not tested"),
        (1.3, 3.4, 0.2, "Not claimed"),
        (0.2, 0.9, 0.01, "Fewer"),
        (1.0, 2.0, 0.05, "No difference"),
        (0.8, 1.3, 0.9, "About the same"),
        (0.3, 4.0, 0.9, "No difference"),
        (0.0, math.inf, 1.0, "Too few"),
        (None, 2.0, 0.01, "Not known"),
    ],
)
def test_a_verdict_follows_from_the_interval(low, high, q, begins):
    assert verdict(low, high, q, "ksi").startswith(begins)


def test_a_difference_that_the_many_comparisons_do_not_bear_out_is_none():
    said = verdict(1.05, 2.0, 0.2, "collisions")
    assert said == (
        "Not claimed: 1.1 to 2 times the collisions per km and year of other roads that have a type, but among as many "
        "comparisons as were made chance makes such intervals too (q = 0.2)."
    )
    # narrow as it is, an interval without 1 is not about the same either
    assert verdict(1.02, 1.3, 0.2, "collisions").startswith("Not claimed")


@given(st.floats(0, 50), st.floats(0, 50), st.floats(0, 1))
def test_a_difference_is_claimed_only_where_q_and_interval_bear_it_out(one, other, q):
    low, high = sorted([one, other])
    claims = verdict(low, high, q, "ksi").startswith(("More", "Fewer"))
    assert claims == (q <= 0.05 and not low <= 1 <= high)


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (0, "0"),
        (12.0, "12"),
        (0.004321, "0.00432"),
        (1234567, "1 234 567"),
        (math.nan, "not known"),
        (None, "not known"),
    ],
)
def test_figures_keep_their_significant_digits_and_no_exponent(value, text):
    assert figure(value).replace("\N{NO-BREAK SPACE}", " ") == text


def test_an_interval_without_an_upper_limit_says_so():
    assert interval(0.5, math.inf) == "0.5 or more"
    assert interval(math.nan, 1) == "not known"


def test_the_mix_of_classes_is_by_length_and_names_what_is_not_known():
    segments = pd.DataFrame(
        {
            "cluster": pd.array([1] * 6 + [None], dtype="Int64"),
            "length_m": [50.0, 20.0, 10.0, 10.0, 6.0, 4.0, 99.0],
            "road_class": ["primary", "residential", None, "service", "track", "path", "trunk"],
        }
    )
    expected = "primary 50%, residential 20%, class not known 10%, service 10%, 2 other classes 10%"
    assert class_mix(segments) == {1: expected}


def test_a_ratio_of_1_lies_in_the_middle_and_doubling_mirrors_halving():
    axis = Axis(8.0)
    middle = axis.place(1)
    assert axis.place(2) - middle == pytest.approx(middle - axis.place(0.5), abs=0.11)
    assert axis.place(8) - axis.place(4) == pytest.approx(axis.place(2) - axis.place(1), abs=0.11)
    assert [label for _, label in axis.ticks] == ["1/8", "1/4", "1/2", "1", "2", "4", "8"]


def test_an_interval_that_leaves_the_axis_ends_in_arrows_and_an_unknown_one_is_not_drawn():
    axis = Axis(4.0)
    endless = ratio_strip(1.0, 0.0, math.inf, axis)
    assert (endless.below, endless.above) == (True, True)
    assert (endless.low, endless.high) == (axis.place(0.25), axis.place(4))
    assert ratio_strip(math.nan, 0.5, 2.0, axis) is None


def test_the_axis_holds_all_finite_ratios_and_never_goes_beyond_sixteen():
    def axis(*ratios):
        return ratio_axis(pd.DataFrame([ratios], columns=["ratio", "low", "high"]))

    assert axis(1.5, 0.9, 2.5).reach == 4
    assert axis(1.0, 0.0, math.inf).reach == 2
    assert axis(90.0, 0.001, 1e5).reach == 16
    assert axis(None, None, None).reach == 2


@pytest.mark.parametrize(
    ("share", "title"), [(1.0, "Road types"), (0.2, "KSI collisions per km and year, shrunk")]
)
def test_paper_gets_the_colours_that_the_page_opens_with_and_the_places_of_the_list(data, share, title):
    segments = data.segments
    kept = segments["cluster"].where(segments.index < share * len(segments))
    html = render(changed(data, segments=segments.assign(cluster=kept)))
    (drawing,) = [svg for svg in Page(html).all("svg") if svg.get("class") == "map"]
    assert f"north is up. {title}" in drawing["aria-label"]
    still = html[html.index('<svg class="map"') :]
    still = still[: still.index("</svg>")]
    assert re.findall(r'class="place">(\d+)<', still) == [str(n) for n in range(1, 21)]


def test_a_thumbnail_is_a_jpeg_of_the_same_picture():
    left_red = np.zeros((3, 60, 90), dtype=np.uint8)
    left_red[0, :, :45] = 255
    picture = Image.open(io.BytesIO(thumbnail(left_red)))
    assert (picture.format, picture.mode, picture.size) == ("JPEG", "RGB", (160, 107))
    assert np.abs(np.array(picture.getpixel((20, 50)), dtype=int) - [255, 0, 0]).max() < 12
    assert max(picture.getpixel((140, 50))) < 12


@pytest.mark.parametrize("shape", [(60, 60, 3), (1, 60, 60), (3, 0, 60)])
def test_what_is_no_picture_makes_no_thumbnail(shape):
    with pytest.raises(RoadprintError, match=re.escape(str(shape))):
        thumbnail(np.zeros(shape, dtype=np.uint8))
    with pytest.raises(RoadprintError, match="float64"):
        thumbnail(np.zeros((3, 60, 60)))


@pytest.mark.parametrize(
    ("low", "high", "words"),
    [
        (1.02, 2.51, "1.02 to 2.51"),
        (0.4, 0.9996, "0.4 to 0.9996"),
        (1.0, 2.51, "1 to 2.5"),
        (0.8, 1.3, "0.8 to 1.3"),
        (1.004, float("inf"), "1.004 or more"),
        (None, 2.0, "not known"),
    ],
)
def test_limits_of_a_ratio_show_on_which_side_of_1_they_lie(low, high, words):
    assert ratio_limits(low, high) == words


@pytest.mark.parametrize(
    ("years", "words"),
    [(1.0, "1 year"), (5.0, "5 years"), (1 / 365, "1 day"), (31 / 365, "31 days"), (0.5, "0.5 years")],
)
def test_years_are_counted_in_words(years, words):
    assert _years(pd.DataFrame({"years": [years, years]})) == words


def test_junctions_have_a_part_of_their_own_in_which_text_stays_text(data, grid_city):
    layers = grid_city.layers
    picks = pd.DataFrame(
        {"cluster": [1], "kind": ["prototype"], "rank": [1], "junction_id": ["j01"], "tile_id": ["j01-00"]}
    )
    told = changed(
        data,
        junctions=layers["junctions"],
        junction_clusters=layers["junction_clusters"],
        junction_prototypes=picks,
    )
    page = Page(render(told))
    assert "Types of junction by their look" in page.words
    assert "crossroads (4 arms): 8; <T> or Y (3 arms): 4" in page.words
    assert not page.crossed
    assert "Types of junction by their look" not in Page(render(data)).words
    none = changed(told, junction_clusters=layers["junction_clusters"].iloc[:0])
    assert "No types of junction were found" in Page(render(none)).words
