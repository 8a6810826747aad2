"""QGIS expressions that write figures and names of the layers on paper, as the report writes them."""

from __future__ import annotations

import re
from collections.abc import Mapping

from geo.outputs.wording import DAYS_BELOW, LONGEST, NOT_KNOWN, SUREST

WORD = 24
"""So many letters stand in a row at most: a longer word is cut where a line ends, and not lost beyond the page."""
BREAK = "\N{ZERO WIDTH SPACE}"


def literal(text: str) -> str:
    r"""Write a text as it stands in an expression inside ``[% %]``; nothing in it is worked out.

    Examples
    --------
    >>> print(literal("O'Hara [%1%]\n"))
    'O''Hara [%1%' || ']\n'
    """
    quoted = text.replace("\\", "\\\\").replace("'", "''").replace("\n", "\\n")
    return "'" + quoted.replace("%]", "%' || ']") + "'"


def breakable(text: str) -> str:
    """Let a text be cut within words that are longer than `WORD`."""
    return re.sub(rf"(\S{{{WORD}}})(?=\S)", rf"\1{BREAK}", text)


def name(column: str, most: int = LONGEST) -> str:
    """Write a name on one line, with an ellipsis where it is longer than `most` letters; NULL for none."""
    line = f"trim(regexp_replace(left(\"{column}\", {8 * most}), '\\\\s+', ' '))"
    cut = f"CASE WHEN length({line}) > {most} THEN left({line}, {most - 1}) || '…' ELSE {line} END"
    return f"nullif(regexp_replace({cut}, '(\\\\S{{{WORD}}})(?=\\\\S)', '\\\\1{BREAK}'), '')"


def count(column: str) -> str:
    """Write a count, or that it is not known."""
    return f"coalesce(format_number(\"{column}\", 0), '{NOT_KNOWN}')"


def figure(value: str) -> str:
    """Write a rate (an expression) with two digits that count, and never 0 where it is more; NULL for NULL."""
    places = f"CASE WHEN {value} >= 10 THEN 0 WHEN {value} >= 1 THEN 1 ELSE 2 END"
    return (
        f"CASE WHEN {value} IS NULL THEN NULL WHEN {value} = 0 THEN '0' WHEN {value} < 0.01 THEN 'under 0.01' "
        f"ELSE format_number({value}, {places}) END"
    )


def with_limits(column: str, low: str | None = None, high: str | None = None) -> str:
    """Write a figure with its 95 % interval, or that it is not known.

    Parameters
    ----------
    column, low, high
        Columns of the figure and of its limits; None: those that are named after it.
    """
    value, lower, upper = (f'"{name}"' for name in (column, low or f"{column}_low", high or f"{column}_high"))
    # a ratio to roads without a collision has no upper limit
    end = f"CASE WHEN {upper} > 1e300 THEN ' or more' ELSE ' to ' || {figure(upper)} END"
    return (
        f"coalesce({figure(value)} || coalesce(' (' || {figure(lower)} || {end} || ')', ''), '{NOT_KNOWN}')"
    )


def probability(column: str) -> str:
    """Write a probability, which is never wholly 0 or 1."""
    return (
        f"CASE WHEN \"{column}\" IS NULL THEN '{NOT_KNOWN}' WHEN \"{column}\" < {1 - SUREST:.3f} THEN 'under 0.01' "
        f'WHEN "{column}" > {SUREST} THEN \'over 0.99\' ELSE format_number("{column}", 2) END'
    )


def time(column: str = "years") -> str:
    """Write how long records go on, as `geo.outputs.wording.time_words` does, or that it is not known."""
    days, years = f'round(365.25 * "{column}")', f'round("{column}", 1)'
    return (
        f'CASE WHEN "{column}" IS NULL THEN \'a time that is not known\' WHEN "{column}" < {DAYS_BELOW} '
        f"THEN to_string({days}) || CASE WHEN {days} = 1 THEN ' day' ELSE ' days' END "
        f"ELSE to_string({years}) || CASE WHEN {years} = 1 THEN ' year' ELSE ' years' END END"
    )


def by_number(column: str, told: Mapping[int, str], otherwise: str = "NULL") -> str:
    """Choose a text by the number in a column."""
    if not told:
        return otherwise
    cases = " ".join(
        f'WHEN "{column}" = {number} THEN {literal(text)}' for number, text in sorted(told.items())
    )
    return f"CASE {cases} ELSE {otherwise} END"


def by_text(column: str, told: Mapping[str, str], otherwise: str = "NULL") -> str:
    """Choose a text by the text in a column."""
    cases = " ".join(f'WHEN "{column}" = {literal(key)} THEN {literal(text)}' for key, text in told.items())
    return f"CASE {cases} ELSE {otherwise} END" if told else otherwise


def lines(*expressions: str) -> str:
    """Put texts on lines of their own; what is NULL or empty has none."""
    return rf"array_to_string(array_filter(array({', '.join(expressions)}), @element <> ''), '\n')"


def shown(expression: str) -> str:
    """Write an expression as the text of a label has it."""
    return f"[% {expression} %]"
