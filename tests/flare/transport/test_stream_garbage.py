from __future__ import annotations

import weakref

import pytest

from fedaid.flare.transport.array_exchange import StreamGarbage


class Message:
    """Refers to itself, as FLARE's do."""

    def __init__(self) -> None:
        self.future = self


@pytest.mark.parametrize(("sizes", "gone"), [([60, 39], False), ([60, 40], True), ([100], True), ([100, 99], True)])
def test_what_was_sent_is_gone_after_so_many_bytes(sizes: list[int], gone: bool) -> None:
    garbage, sent = StreamGarbage(100), weakref.ref(Message())
    for size in sizes:
        garbage.note(size)
    assert (sent() is None) is gone


def test_the_count_starts_anew_after_a_look() -> None:
    garbage = StreamGarbage(100)
    garbage.note(150)
    sent = weakref.ref(Message())
    garbage.note(99)
    assert sent() is not None
    garbage.note(1)
    assert sent() is None


@pytest.mark.parametrize("after", [True, False])
def test_at_a_site_it_is_gone_after_a_message_too_because_the_site_trains_next(after: bool) -> None:
    garbage, received = StreamGarbage(10**9, after_messages=after), weakref.ref(Message())
    garbage.received()
    assert (received() is None) is after
