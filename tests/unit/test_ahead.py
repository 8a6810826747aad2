"""Items made ahead: all of them, in order, few at a time, and no thread outlives its use."""

import gc
import threading
import time

import pytest

from geo.imagery.reading.ahead import ahead


def test_all_items_come_in_their_order():
    with ahead(iter(range(100)), 3) as items:
        assert list(items) == list(range(100))


def test_no_more_are_made_than_may_wait():
    made = []

    def numbers():
        for i in range(20):
            made.append(i)
            yield i

    with ahead(numbers(), 2) as items:
        for used in items:
            time.sleep(0.005)
            # two wait, one is in the maker's hand
            assert len(made) <= used + 1 + 3
    assert len(made) == 20


def test_items_are_made_while_others_are_used():
    other = threading.Event()

    def numbers():
        yield 1
        other.set()
        yield 2

    with ahead(numbers(), 1) as items:
        assert next(items) == 1
        assert other.wait(60), "the second was not begun while the first was used"


def test_what_goes_wrong_in_making_is_raised_in_use_after_what_was_made_before():
    def faulty():
        yield 1
        raise OSError("the disk is gone")

    with ahead(faulty(), 4) as items:
        assert next(items) == 1
        with pytest.raises(OSError, match="the disk is gone"):
            next(items)


def test_what_goes_wrong_in_use_ends_the_making():
    closed = threading.Event()

    def endless():
        try:
            while True:
                yield 0
        finally:
            closed.set()

    before = threading.active_count()

    def use():
        with ahead(endless(), 2) as items:
            return next(items) / 0

    with pytest.raises(ZeroDivisionError):
        use()
    assert threading.active_count() == before
    gc.collect()
    assert closed.is_set()


def test_at_least_one_is_made_ahead():
    with pytest.raises(ValueError, match="depth=0"), ahead(iter([]), 0):
        pass
