"""Which layer, sheet or member of a file holds the records: the only one with rows, or those that are named."""

from __future__ import annotations

from collections.abc import Mapping
from fnmatch import fnmatchcase

from geo.collisions.tables.table import Form
from geo.errors import LayerError


def choose(counts: Mapping[str, int], form: Form, name: str, *, what: str) -> list[str]:
    """Choose the parts of a file to read.

    Parameters
    ----------
    counts
        Rows of each part.
    form
        With the names, or patterns of names, that are asked for.
    name
        The file, for messages.
    what
        ``layer`` or ``sheet``: what the parts are called, and the key that names them.

    Raises
    ------
    LayerError
        Listing the parts with their rows, when one that is asked for is not there or has no rows, or when there is
        more than one with rows and none is asked for.
    """
    there = "; ".join(f"{part!r} ({count:,} rows)" for part, count in counts.items())
    if form.parts:
        return list(
            dict.fromkeys(
                one for wanted in form.parts for one in _found(wanted, counts, there, name, form, what)
            )
        )
    full = [part for part, count in counts.items() if count]
    if not full:
        raise LayerError(
            "it has no rows", where=name, todo=f"Give a table for {form.section} with rows in it."
        )
    if len(full) > 1:
        raise LayerError(
            f"it has more than one {what} with rows: {there}",
            where=name,
            todo=_todo(form, what, name, full[0]),
        )
    return full


def _found(wanted: str, counts: Mapping[str, int], there: str, name: str, form: Form, what: str) -> list[str]:
    found = [wanted] if wanted in counts else [part for part in counts if fnmatchcase(part, wanted)]
    if not found:
        raise LayerError(
            f"it has no {what} {wanted!r}; there are {there}", where=name, todo=_todo(form, what, name, "")
        )
    full = [part for part in found if counts[part]]
    if not full:
        fault = f"its {what} {wanted!r} has no rows; there are {there}"
        raise LayerError(fault, where=name, todo=_todo(form, what, name, ""))
    return full


def _todo(form: Form, what: str, name: str, first: str) -> str:
    after = f"after the file: {name}/{first or what.upper()}"
    if form.named_by is None:
        return f"Name the one with the records {after}."
    return f"Name the one with the records in {form.named_by}.{what} (several: a list), or {after}."
