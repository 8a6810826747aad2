"""Sections of several kinds, told apart by one of their keys, listed in a registry beside the code that serves them.

A registry is named here and not imported as other modules are: every stage reads the configuration, and none of them
shall hang on the code of encoders, clusterings or schemas that it does not use.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from importlib import import_module
from typing import Annotated, Any, ClassVar, Protocol, TypeVar, Union

from pydantic import BaseModel, Discriminator, Tag
from pydantic.fields import FieldInfo

from geo.config.section import Section
from geo.errors import ConfigurationError, meant

NO_KIND = "no_such_kind"
"""Type of the fault of a section that is of no kind of its registry."""


OneKind = TypeVar("OneKind", bound=BaseModel)


class Kind(Protocol):
    """One kind of a section.

    Attributes
    ----------
    tag
        What its key begins with, up to a colon.
    form
        How its key is written: ``timm:NAME``.
    """

    tag: ClassVar[str]
    form: ClassVar[str]


def names_of(kind: type[Any]) -> tuple[str, ...]:
    """List what the key of a kind may begin with: its tag, or ``names`` where it stands for several."""
    return tuple(getattr(kind, "names", ())) or (str(getattr(kind, "tag", "")),)


def one_of(registry: str, *, key: str) -> Any:  # noqa: ANN401 - a type that is made when it runs
    """Make the type of a section that is of one of a registry's kinds.

    Parameters
    ----------
    registry
        Name of a module with ``KINDS``, classes of sections (see `Kind`); the first is that of a section without `key`.
    key
        That tells the kind: what of it comes before a colon, or all of it.
    """
    kinds: tuple[type[Any], ...] = import_module(registry).KINDS
    tags = {name: kind.tag for kind in kinds for name in names_of(kind)}

    def tag_of(value: object) -> str | None:
        if not isinstance(value, Mapping):
            return getattr(value, "tag", None)
        named = value.get(key, kinds[0].tag)
        return tags.get(named.partition(":")[0], named) if isinstance(named, str) else None

    tagged = tuple(Annotated[kind, Tag(kind.tag)] for kind in kinds)
    forms = ", ".join(kind.form for kind in kinds)
    telling = Discriminator(
        tag_of,
        custom_error_type=NO_KIND,
        custom_error_message=f"one of {forms} is expected",
        custom_error_context={"key": key},
    )
    return Annotated[Union[tagged], telling]  # noqa: UP007 - of as many as there are


def as_kind(section: Section, kinds: Sequence[type[OneKind]], *, where: str, tag: str) -> OneKind:
    """Bring a section that was made without a file, from the keys that all kinds have, to the kind that it names.

    Parameters
    ----------
    section
        What is known of it.
    kinds
        Those of its registry.
    where
        The key that names the kind, for messages.
    tag
        The kind that it names.

    Raises
    ------
    ConfigurationError
        When there is no such kind, naming those that there are.
    pydantic.ValidationError
        When the kind needs keys that the section does not have.
    """
    for kind in kinds:
        if tag in names_of(kind):
            return kind.model_validate(section.model_dump(exclude_unset=True))
    forms = ", ".join(str(getattr(kind, "form", kind.__name__)) for kind in kinds)
    names = [name for kind in kinds for name in names_of(kind)]
    raise ConfigurationError(
        f"there is no {tag!r}{meant(tag, names)}", where=where, todo=f"Take one of {forms}."
    )


def is_of_kinds(field: FieldInfo) -> bool:
    """Tell whether a field holds a section of one of several kinds."""
    return field.discriminator is not None or any(isinstance(mark, Discriminator) for mark in field.metadata)


def of_which_kind(kinds: tuple[type[BaseModel], ...], key: str) -> list[str]:
    """Name the kinds that have a key, by what their own key begins with."""
    return [name or kind.__name__ for kind in kinds if key in kind.model_fields for name in names_of(kind)]
