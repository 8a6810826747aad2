"""The allocator takes the setting where it is glibc's."""

import platform
import sys

from flows.shards import share_arenas


def test_few_arenas_where_the_allocator_is_glibcs():
    expected = sys.platform.startswith("linux") and platform.libc_ver()[0] == "glibc"
    assert share_arenas() == expected
