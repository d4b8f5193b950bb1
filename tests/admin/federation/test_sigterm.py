from __future__ import annotations

import os
import signal
import threading
import time
from contextlib import ExitStack

import pytest

from admin.federation.sigterm import sigterm_leaves


def test_sigterm_unwinds_the_block() -> None:
    left: list[str] = []

    def work() -> None:
        with ExitStack() as stack:
            stack.enter_context(sigterm_leaves())
            stack.callback(left.append, "cleaned up")
            os.kill(os.getpid(), signal.SIGTERM)
            time.sleep(5)

    with pytest.raises(SystemExit) as raised:
        work()
    assert raised.value.code == 143
    assert left == ["cleaned up"]


def test_the_former_handler_is_put_back() -> None:
    before = signal.getsignal(signal.SIGTERM)
    with sigterm_leaves():
        assert signal.getsignal(signal.SIGTERM) is not before
    assert signal.getsignal(signal.SIGTERM) is before


def test_in_another_thread_it_does_nothing() -> None:
    done: list[str] = []

    def work() -> None:
        with sigterm_leaves():
            done.append("ran")

    thread = threading.Thread(target=work)
    thread.start()
    thread.join(5)
    assert done == ["ran"]
