"""Odd inputs by kind, one module a kind."""

from __future__ import annotations

import importlib
import pkgutil

from forms import FORMS, Form


def every_form() -> list[Form]:
    """List all forms; no two have one title."""
    for module in pkgutil.iter_modules(__path__):
        importlib.import_module(f"{__name__}.{module.name}")
    titles = [form.title for form in FORMS]
    assert len(set(titles)) == len(titles), sorted(t for t in titles if titles.count(t) > 1)
    return FORMS
