"""Words of the report explain themselves, once in each section, and nothing else becomes a link."""

import re

import pytest

from geo.outputs.report.parts.glossary import WORDS, explained


def links(html):
    return re.findall(r'<a class="term" href="#word-(\w+)">([^<]*)</a>', explained(html))


def test_a_word_is_a_link_where_it_first_stands_in_each_section():
    html = "<section><p>KSI and KSI, q = 0.03</p></section><section><p>KSI shrunk</p></section>"
    assert links(html) == [("ksi", "KSI"), ("q", "q"), ("ksi", "KSI"), ("shrunk", "shrunk")]
    assert re.sub("<[^>]*>", "", explained(html)) == re.sub("<[^>]*>", "", html)


@pytest.mark.parametrize(
    "html",
    [
        "<h2>KSI</h2>",
        '<a href="#x">KSI</a>',
        "<button>KSI</button>",
        "<summary>How <em>KSI</em> is made</summary>",
        '<svg aria-label="KSI"><text>KSI</text></svg>',
        "<strong>Interval Road</strong>",
        '<img alt="KSI, q">',
        '<section class="settings"><td>q</td></section>',
        '<section aria-labelledby="words"><dd>q</dd></section>',
        "<p>MKSI, ksi, q-value-like, p5, Q Street, marginal, unshrunk</p>",
        "<code>q</code>",
    ],
)
def test_links_headings_drawings_names_and_parts_of_words_stay_as_they_are(html):
    assert explained(html) == html


def test_what_comes_after_an_element_that_stays_as_it_is_is_explained_again():
    assert links("<h2>KSI</h2><svg><path d='M0 0'/><text>q</text></svg><p>KSI &lt;b&gt; q</p>") == [
        ("ksi", "KSI"),
        ("q", "q"),
    ]


def test_every_word_has_a_key_of_its_own_and_is_found_by_its_forms():
    assert len({word.key for word in WORDS}) == len(WORDS)
    assert all(len(word.says) > 40 for word in WORDS)
    for said, key in (
        ("KSI", "ksi"),
        ("EB", "shrunk"),
        ("limits", "interval"),
        ("rate ratio", "ratio"),
        ("p", "p"),
    ):
        assert links(f"<p>the {said} of it</p>") == [(key, said)]
    for said, key in (
        ("q value", "q"),
        ("stretches", "stretch"),
        ("high-injury", "injury"),
        ("Margin", "margin"),
    ):
        assert links(f"<p>{said}</p>") == [(key, said)]
