"""Words that explain themselves: the glossary of the page, and the links to it from where a word first stands."""

from __future__ import annotations

import re
from dataclasses import dataclass

from markupsafe import Markup


@dataclass(frozen=True, slots=True)
class Word:
    """A word of the glossary.

    Attributes
    ----------
    key
        Its place in the page is ``word-`` and this.
    title
        As it stands in the glossary.
    forms
        A regular expression of what stands for it in a text; empty: an everyday word, which is no link.
    says
        What it means, to somebody who knows no statistics.
    """

    key: str
    title: str
    forms: str
    says: str


WORDS = (
    Word(
        "ksi",
        "KSI",
        "KSI",
        "Killed or seriously injured: collisions in which somebody was, each counted once however many people were.",
    ),
    Word(
        "segment",
        "Segment",
        "",
        "A piece of road between two junctions, or a part of it where the road changes.",
    ),
    Word(
        "type",
        "Type",
        "",
        "A group of roads that look alike from above. Collisions played no part in making it, and it has no name but "
        "what an analyst gives it.",
    ),
    Word(
        "interval",
        "Interval",
        "[Ii]ntervals?|[Ll]imits",
        "The range that the true figure lies in, in 95 of 100 cases like it ('0.8 to 1.3'). A wide one says that the "
        "records tell little; a rate of 0 with a high upper end is not a safe road.",
    ),
    Word(
        "ratio",
        "Rate ratio",
        "[Rr]ate ratios?|[Rr]atios?",
        "How many times as many collisions a kilometre and year these roads have as those that they are compared "
        "with: 1 is as many, 2 twice as many, 1/2 half as many.",
    ),
    Word(
        "p",
        "p",
        "p values?|p",
        "How often chance alone would show a difference at least as clear, if there were none: 0.04 is once in 25.",
    ),
    Word(
        "q",
        "q",
        "q values?|q",
        "p made stricter for how many comparisons were made. Of all differences that are claimed up to a q of 0.05, at "
        "most one in twenty is false on average.",
    ),
    Word(
        "chance",
        "Beyond chance",
        "[Bb]eyond chance",
        "More than would come about if collisions fell at random. It says nothing of why.",
    ),
    Word(
        "shrunk",
        "Shrunk (empirical Bayes, EB)",
        "[Ss]hrunk|[Ee]mpirical Bayes|EB",
        "A road's own record, drawn towards that of roads like it, the more the fewer collisions it tells of. So "
        "neither one bad year nor a lucky one decides.",
    ),
    Word(
        "stretch",
        "Stretch",
        "[Ss]tretch(?:es)?",
        "A part of one road, from street to street, of a few hundred metres. Stretches do not overlap.",
    ),
    Word(
        "injury",
        "High-injury network",
        "[Hh]igh-injury(?: network)?",
        "The fewest roads that, the worst first, hold half of those killed or seriously injured.",
    ),
    Word(
        "margin",
        "Margin",
        "[Mm]argins?",
        "How clearly a road is of its type: 0 as near to another type, 1 at the centre of its own.",
    ),
    Word(
        "prototype",
        "Prototype",
        "[Pp]rototypes?",
        "One of the roads that are most typical of their type.",
    ),
    Word(
        "silhouette",
        "Silhouette",
        "[Ss]ilhouettes?",
        "How far apart types are: 1 is best, 0 means that they run into each other.",
    ),
    Word(
        "stability",
        "Stability",
        "[Ss]tability",
        "Whether other samples of the roads give the same types again: 1 is always.",
    ),
    Word(
        "exposure",
        "Exposure",
        "[Ee]xposure",
        "What a rate is divided by: kilometres of road times years of records, not how many people were there.",
    ),
    Word(
        "fingerprint",
        "Fingerprint",
        "[Ff]ingerprints?|[Ee]mbeddings?",
        "What a network made of the pictures of a road, in numbers: roads that look alike have like ones.",
    ),
    Word(
        "expected",
        "Safety performance function",
        "[Ss]afety performance functions?",
        "A formula for how many collisions roads of such a length, class and traffic have on average.",
    ),
)
_TOKEN = re.compile(r"<[^>]*>|[^<]+")
_NAME = re.compile(r"</?([a-z0-9]+)")
_HEADINGS, _ACTIVE = (
    ("h1", "h2", "h3", "h4", "summary", "legend", "label", "dt"),
    ("a", "button", "select", "option"),
)
_PLAIN = frozenset(
    (*_HEADINGS, *_ACTIVE, "code", "figcaption", "noscript", "script", "strong", "style", "svg")
)
"""Elements whose text stays as it is: what is a link or a button already, headings, drawings, and names."""
_FORMS = re.compile(
    r"(?<![\w-])(?:"
    + "|".join(f"(?P<{word.key}>{word.forms})" for word in WORDS if word.forms)
    + r")(?![\w-])"
)


def explained(html: str) -> Markup:
    """Make a link to the glossary of each of its words, where it first stands in a section.

    Parameters
    ----------
    html
        Markup whose text is escaped, so that ``<`` begins a tag and nothing else.

    Returns
    -------
    The same with ``<a class="term" href="#word-ksi">KSI</a>``; nothing in elements that are links, headings, drawings
    or names, nor in sections of the class ``settings``, nor in the glossary itself.
    """
    parts: list[str] = []
    seen: set[str] = set()
    plain = 0

    def link(found: re.Match[str]) -> str:
        key = str(found.lastgroup)
        if key in seen:
            return found[0]
        seen.add(key)
        return f'<a class="term" href="#word-{key}">{found[0]}</a>'

    for token in _TOKEN.findall(html):
        if not token.startswith("<"):
            parts.append(token if plain else _FORMS.sub(link, token))
            continue
        parts.append(token)
        name = _NAME.match(token)
        if name is None:
            continue
        if name[1] == "section":
            seen.clear()
            if 'class="settings"' in token or 'aria-labelledby="words"' in token:
                seen.update(word.key for word in WORDS)
        elif name[1] in _PLAIN and not token.endswith("/>"):
            plain += -1 if token.startswith("</") else 1
    return Markup("".join(parts))  # noqa: S704
