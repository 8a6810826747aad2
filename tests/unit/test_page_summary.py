"""What Prefect's page says of a run is what the run says, and nothing that the data bring is read as Markdown."""

from pathlib import Path
from types import SimpleNamespace
from uuid import uuid4

import pytest
from markdown_it import MarkdownIt

from flows.page import progress
from flows.page.addresses import served_at
from flows.page.progress import RunProgress
from flows.page.results import places
from flows.page.summary import Ended, in_markdown, plain
from geo.ledger import Entry
from geo.outputs.names import looks_of
from geo.outputs.report.parts.worst import worst_roads
from tasks.store.stage import StageResult

ODD = "A|B <script>alert(1)</script> [x](javascript:y) **b** `c` &amp; _d_ ~~e~~ <http://z.example> $f$ \\ !g"
MARKDOWN = MarkdownIt("commonmark").enable(["table", "strikethrough"])
STAGES = ("roads", "tiles", "features", "report")


def ended(**more):
    return Ended(**({"city": "demo-town", "run_id": "1a2b", "message": "no types; 0 rows rejected"} | more))


def shown(text):
    """Give the plain text that a reader sees of Markdown, and the kinds of things that it is made of."""
    tokens = [each for token in MARKDOWN.parse(text) for each in (token, *(token.children or ()))]
    return "".join(each.content for each in tokens if each.type.startswith("text")), {
        one.type for one in tokens
    }


@pytest.mark.parametrize(
    "text",
    [ODD, "1. first", "0.86 (0.1)", "7", "3)", "- one", "12) x", "# head", "> said", "+ more", "*", "---"],
)
def test_what_the_data_say_is_shown_as_it_is(text):
    text_seen, kinds = shown(f"- {plain(text)}")
    assert text_seen == text
    assert kinds <= {
        *("bullet_list_open", "bullet_list_close", "list_item_open", "list_item_close"),
        *("paragraph_open", "paragraph_close", "inline", "text", "text_special"),
    }
    assert plain("two\n\n  lines") == "two lines"


@pytest.fixture
def told(grid_city):
    layers = grid_city.layers
    titles = {cluster: title for cluster, (title, _) in looks_of(layers["clusters"]).items()}
    stretches = layers["stretches"].copy()
    stretches.loc[stretches["expected_rank"].idxmin(), "name"] = "A|B <b>"
    worst = worst_roads(stretches, layers["segments"], titles)
    refused = {"stage": "roads", "item": "roads", "status": "rejected", "reason": ODD, "count": 2}
    page = in_markdown(
        ended(
            told=[("Types of road", ODD)],
            worst=worst.rows,
            outcome=worst.outcome,
            users=worst.users,
            report="https://maps.example/report.html",
            warnings=[ODD],
            refused=[refused],
            places=[
                ("Report", "/srv/a_b/report.html", "https://maps.example/report.html"),
                ("Tables", "/srv/a_b", None),
            ],
        )
    )
    return page, worst


def test_the_summary_has_sentences_the_ten_worst_roads_warnings_what_was_rejected_and_places(told):
    page, worst = told
    text, kinds = shown(page)
    # the sentence, the warning and the reason
    assert text.count(ODD) == 3
    assert "A|B <b>" in text
    assert "html_inline" not in kinds
    assert "html_block" not in kinds
    html = MARKDOWN.render(page)
    assert html.count("<table>") == 2
    roads = html[html.index("The ten worst roads") : html.index("Warnings")]
    assert roads.count("<tr>") == 1 + min(10, len(worst.rows))
    assert all(row["ranks"] in text for row in worst.rows[:10])
    assert [
        part for part in html.split('href="')[1:] if not part.startswith("https://maps.example/report.html")
    ] == []
    assert "/srv/a_b/report.html" in text
    assert "Tables: /srv/a_b" in text


def test_columns_that_tell_nothing_are_left_out(told):
    rows = [row | {"n_ksi": "not known", "type": ""} for row in told[1].rows[:3]]
    page = in_markdown(ended(worst=rows, outcome="collisions", users=()))
    head = next(line for line in page.splitlines() if "Road" in line)
    assert "The three worst roads" in page
    assert "Rate: collisions per km and year" in page
    assert not {"KSI", "With", "Type"} & {cell.strip() for cell in head.split("|")}
    assert "](" not in page


def test_where_no_road_has_a_rank_the_summary_says_why():
    assert "No road has a rank" in shown(in_markdown(ended()))[0]


def test_places_are_plain_text_where_nobody_serves_them(tmp_path):
    run = tmp_path / "runs" / "leeds" / "1a2b"
    plan = SimpleNamespace(
        report=run / "report.html",
        workbook=run / "tables.xlsx",
        geopackage=run / "leeds.gpkg",
        run_folder=run,
        folder=run.parent,
    )
    assert [address for _, _, address in places(plan, None)] == [None] * 4
    elsewhere = served_at(f"{tmp_path / 'other'}=https://maps.example")
    assert [address for _, _, address in places(plan, elsewhere)] == [None] * 4
    report, *_, folder = places(plan, served_at("https://maps.example/runs"))
    assert report == ("Report", str(run / "report.html"), "https://maps.example/runs/leeds/1a2b/report.html")
    assert folder[2] == "https://maps.example/runs/leeds/1a2b/"


def done(name):
    return StageResult(name, Path(), 1.0, (Entry(name, "done", "", 3),), cached=False, counts=(name,))


def test_the_progress_of_a_run_is_one_bar_that_never_goes_back(monkeypatch):
    sent = []
    monkeypatch.setattr(progress, "send", lambda _, number, **told: sent.append((number, told)))
    monkeypatch.setattr(progress, "UPDATE_S", 0.0)
    number = uuid4()
    page = RunProgress(number, [1.0, 1.0, 6.0, 2.0])
    for name in STAGES:
        page.expect(10, 2)
        for _ in range(4):
            page.advance(2)
        page.finish(done(name))
    assert {one for one, _ in sent} == {number}
    shares = [told["progress"] for _, told in sent]
    assert shares == sorted(shares)
    assert shares[-1] == 100
    assert [
        share for share, told in zip(shares, (told for _, told in sent), strict=True) if share == 100
    ] == [100]
    # of the features, which are six tenths of the run, six tenths were done then
    assert any(share == pytest.approx(20 + 60 * 0.6) for share in shares)
    assert sent[-1][1]["description"].splitlines() == [
        f"- {name}: 3 done (1.0 s)" for name in reversed(STAGES)
    ]


def test_the_time_that_a_run_takes_tells_more_than_its_stages_and_the_bar_never_falls(monkeypatch):
    page = RunProgress(uuid4(), [1.0] * 10)
    for told, shown in ((None, 0.0), (0.4, 40.0), (None, 40.0), (0.3, 40.0), (0.7, 70.0)):
        monkeypatch.setattr(progress, "run_pace", lambda told=told: SimpleNamespace(share=lambda: told))
        assert page.share() == pytest.approx(shown)


def test_stages_that_were_left_out_count_as_behind(monkeypatch):
    sent = []
    monkeypatch.setattr(progress, "send", lambda _, __, **told: sent.append(told["progress"]))
    page = RunProgress(uuid4(), [1.0] * 8)
    page.finish(done("clusters"))
    page.reach(4)
    assert sent == [12.5, 50]
