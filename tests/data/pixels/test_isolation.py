from __future__ import annotations

import os
import signal
import threading
import time

import numpy as np
import pytest

from fedaid.data.pixels.isolation import decoded_in_child


def test_the_numbers_come_back_in_their_shape() -> None:
    grey = np.arange(6, dtype=np.int16).reshape(2, 3) - 3
    result = decoded_in_child(lambda: grey, (2, 3))
    assert result.dtype == np.float64
    assert result.tolist() == grey.tolist()


def test_the_work_is_done_in_another_process() -> None:
    assert decoded_in_child(lambda: [[os.getpid()]], (1, 1))[0, 0] != os.getpid()


def test_it_works_from_a_thread() -> None:
    results: list[float] = []
    thread = threading.Thread(target=lambda: results.append(decoded_in_child(lambda: [[7]], (1, 1))[0, 0]))
    thread.start()
    thread.join(30)
    assert results == [7.0]


@pytest.mark.parametrize("number", [signal.SIGSEGV, signal.SIGABRT])
def test_a_crash_is_an_error_and_not_the_end(number: int, capfd: pytest.CaptureFixture[str]) -> None:
    def crash() -> np.ndarray:
        os.kill(os.getpid(), number)
        return np.zeros((1, 1))

    with pytest.raises(ValueError, match="decoder failed"):
        decoded_in_child(crash, (1, 1))
    assert capfd.readouterr().err == ""


def test_an_exception_is_an_error() -> None:
    with pytest.raises(ValueError, match="decoder failed"):
        decoded_in_child(lambda: np.zeros((1, 1))[5], (1, 1))


def test_another_number_of_values_is_an_error() -> None:
    with pytest.raises(ValueError, match="decoder failed"):
        decoded_in_child(lambda: np.zeros(7), (2, 3))


def test_a_decoder_that_hangs_is_ended() -> None:
    def hang() -> np.ndarray:
        time.sleep(60)
        return np.zeros((1, 1))

    start = time.monotonic()
    with pytest.raises(ValueError, match="decoder failed"):
        decoded_in_child(hang, (1, 1), seconds=1)
    assert time.monotonic() - start < 30


def test_no_child_is_left_behind() -> None:
    child = int(decoded_in_child(lambda: [[os.getpid()]], (1, 1))[0, 0])
    with pytest.raises(ChildProcessError):
        os.waitpid(child, os.WNOHANG)
