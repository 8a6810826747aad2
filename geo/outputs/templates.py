"""Templates of the outputs, read in one way: what is put in is escaped, and a name that is not given is an error."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import jinja2


def templates(package: str, folder: str, **filters: Callable[..., Any]) -> jinja2.Environment:
    """Give the templates of a package.

    Parameters
    ----------
    package, folder
        Name of the package, and of the folder in it that holds the templates.
    filters
        Functions that the templates may call, by their names there.
    """
    environment = jinja2.Environment(
        loader=jinja2.PackageLoader(package, folder),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters.update(filters)
    return environment
