"""Text of inputs as a terminal may be given it: no sign in it moves the cursor, wipes the screen or turns a line."""

from __future__ import annotations

import re

_STEERING = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]")
"""Control characters beside tab and line feed, and signs that turn the direction of what follows."""


def visible(text: str) -> str:
    r"""Write signs that steer a terminal as Python writes them; all others, of any script, stay.

    Examples
    --------
    >>> visible("High \x1b[2JStreet"), visible("שדרות")
    ('High \\x1b[2JStreet', 'שדרות')
    """
    return _STEERING.sub(lambda sign: ascii(sign[0])[1:-1], text)


def in_line(text: str) -> str:
    r"""Write text so that it also stays in one line.

    Examples
    --------
    >>> in_line("High\nStreet")
    'High Street'
    """
    return " ".join(visible(text).split())
