"""Credentials in addresses are kept here, apart from every configuration, table and text.

A configuration says ``${NAME}`` where a credential stands; one that was written out is replaced by such a name as soon
as it is read. The value is put in where a source is opened (`geo.addresses`), and taken out of messages (`redact`).
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable, Iterable, Mapping
from functools import partial
from threading import Lock
from typing import Any
from urllib.parse import quote, unquote

HIDDEN, BLOCK = "hidden:", "secret:"
"""What names begin with of credentials that were written out, and of those that the flow's server keeps."""
PLACEHOLDER = re.compile(r"\$\{((?:hidden:|secret:)?[A-Za-z0-9_][A-Za-z0-9_.-]*)\}")
SHORTEST = 4
"""Values with fewer characters are not searched for in texts: they would be found in every other word."""
_STARS = "***"
_NAMES = (
    r"(?P<name>(?:[?&;#]|%3f|%26)(?:tk|pat|otp|pin|code|[\w.-]*(?:token|key|secret|sig|signature|pass|password|passwd"
    r"|passphrase|passcode|pwd|auth|authorization|credentials?|login|keyid|sas|jwt|bearer|cookie|session|sessionid)"
    r"(?:[_-]?v?\d+)?)(?:=|%3d))"
)
# in a sentence an address ends where its quotes do; one by itself may hold anything
_SENTENCE = (
    re.compile(r"(?<=://)[^/?#\s\"'<>]+(?=@)"),
    re.compile(_NAMES + r"(?P<value>(?:(?!%26)[^&\s\"'<>])+)", re.IGNORECASE),
)
_ADDRESS = (
    re.compile(r"(?<=://)[^/?#]+(?=@)"),
    re.compile(_NAMES + r"(?P<value>(?:(?!%26)[^&])+)", re.IGNORECASE),
)
_ALONE = re.compile(r"/vsi|[a-z][a-z0-9+.-]*://", re.IGNORECASE)

_values: dict[str, str] = {}
_lock = Lock()


def remember(values: Mapping[str, str]) -> None:
    """Keep values by name, in this process."""
    with _lock:
        _values.update(values)


def recall(name: str) -> str | None:
    """Give the value of a name; None where it is not known here."""
    return _values.get(name)


def recall_all(names: Iterable[str]) -> dict[str, str]:
    """Give the values of names, as far as they are known here."""
    return {name: value for name in names if (value := _values.get(name)) is not None}


def hide(address: str) -> str:
    """Replace credentials that are written out in an address by names, and remember them.

    The name follows from the rest of the address, not from the credential, which nothing can be learnt of from it.
    """
    if not _may_hold(address):
        return address
    place = hashlib.blake2b(strike(address, setting=True).encode(), digest_size=4).hexdigest()
    found: dict[str, str] = {}

    def keep(value: str) -> str:
        if PLACEHOLDER.fullmatch(value):
            return value
        name = f"{HIDDEN}{place}.{len(found)}"
        found[name] = value
        return f"${{{name}}}"

    login, parameter = _patterns(address, setting=True)
    hidden = login.sub(lambda m: keep(m.group()), address)
    hidden = parameter.sub(lambda m: m.group("name") + keep(m.group("value")), hidden)
    remember(found)
    return hidden


def hide_all(value: Any) -> Any:  # noqa: ANN401 - whatever YAML holds
    """Replace credentials in all texts of a configuration, see `hide`."""
    return _each_text(value, hide)


def _each_text(value: Any, change: Callable[[str], str]) -> Any:  # noqa: ANN401 - whatever YAML holds
    """Change all texts of a structure."""
    if isinstance(value, dict):
        return {key: _each_text(below, change) for key, below in value.items()}
    if isinstance(value, list):
        return [_each_text(below, change) for below in value]
    return change(value) if isinstance(value, str) else value


def strike(text: str, *, setting: bool = False) -> str:
    """Replace credentials in the addresses of a text by stars, known or not; names of them stay.

    Parameters
    ----------
    text
        A sentence, or an address.
    setting
        Whether it is a value of a configuration: one that begins like an address is nothing else.
    """
    if not _may_hold(text):
        return text

    def stars(value: str) -> str:
        name = PLACEHOLDER.match(value)
        # in a sentence, its punctuation may follow
        return value if name is not None and not value[name.end() :].strip(".,:;)]}") else _STARS

    login, parameter = _patterns(text, setting=setting)
    text = login.sub(lambda m: stars(m.group()), text)
    return parameter.sub(lambda m: m.group("name") + stars(m.group("value")), text)


def redact(text: str) -> str:
    """Take every credential out of a text: those known here by their value, others by their place in an address."""
    for value, shown in _searched():
        text = text.replace(value, shown)
    return strike(text)


def strike_all(value: Any) -> Any:  # noqa: ANN401 - whatever YAML holds
    """Take credentials out of all texts of a configuration as it was written; whatever else they say stays."""
    return _each_text(value, partial(strike, setting=True))


def _searched() -> list[tuple[str, str]]:
    """List what to search for and what to put there, the longest first; credentials may be found in other spellings."""
    with _lock:
        known = list(_values.items())
    found: dict[str, str] = {}
    for name, value in known:
        shown = _STARS if name.startswith(HIDDEN) else f"${{{name}}}"
        parts = [value, value.partition(":")[2]] if name.startswith(HIDDEN) else [value]
        for part in parts:
            for spelling in (part, quote(part, safe=""), quote(part), unquote(part)):
                if len(spelling) >= SHORTEST:
                    found.setdefault(spelling, shown)
    return sorted(found.items(), key=lambda pair: -len(pair[0]))


def _patterns(text: str, *, setting: bool) -> tuple[re.Pattern[str], re.Pattern[str]]:
    """Say where logins and values stand: in an address by itself, or in a text."""
    alone = _ALONE.match(text) and (setting or not any(map(str.isspace, text)))
    return _ADDRESS if alone else _SENTENCE


def _may_hold(text: str) -> bool:
    """Tell whether a text may hold an address at all."""
    return "://" in text or "/vsi" in text or "%3" in text.lower()
