from __future__ import annotations

from pathlib import Path

import pytest

from admin.results.failure import build_failure, failure_reason


@pytest.mark.parametrize(
    ("log", "reason"),
    [
        (
            "INFO - a\nERROR - Aborting current RUN due to FATAL_SYSTEM_ERROR received: align must.\nINFO - b",
            "align must.",
        ),
        (
            "Traceback\nfedaid.errors.InputError: rho must be above 0, got 0: args. Fix.\n",
            "rho must be above 0, got 0: args. Fix.",
        ),
        ("first InputError: old\nsecond InputError: new", "new"),
        ("FATAL_SYSTEM_ERROR received: cause\nFATAL_SYSTEM_ERROR received: effect\nInputError: x", "cause"),
        (
            "Error in element 'x': path: 'a.B', exception: 'InputError: rho must be above 0. Fix.'",
            "rho must be above 0. Fix.",
        ),
        ("InputError: name must be one of 'a', got 'b'", "name must be one of 'a', got 'b'"),
        (
            "FATAL_SYSTEM_ERROR received: job must have, got \n  seed: 1 in the run\n : args. Fix.\n2026 - INFO - b",
            "job must have, got \n  seed: 1 in the run\n : args. Fix.",
        ),
        ("INFO - all went well", ""),
    ],
)
def test_the_last_line_that_says_why_is_found(tmp_path: Path, log: str, reason: str) -> None:
    (tmp_path / "log.txt").write_text(log)
    assert failure_reason(tmp_path / "log.txt") == reason


def test_a_log_that_is_not_there_has_no_reason(tmp_path: Path) -> None:
    assert failure_reason(tmp_path / "log.txt") == ""


@pytest.mark.parametrize(
    ("end", "reason"),
    [
        (
            "in element '{}': path: 'w.#1', exception: 'InputError: rho must be above 0. Fix.'",
            "rho must be above 0. Fix.",
        ),
        (
            "in 'x': path: 'a', exception: 'TypeError: Can't load a.B: No module 'a''",
            "TypeError: Can't load a.B: No module 'a'",
        ),
        ("X: Error processing [a], exception: N: a, exception: N: B is not in allow_list", "N: B is not in allow_list"),
    ],
)
def test_what_the_server_cannot_build_is_given_without_its_configuration(tmp_path: Path, end: str, reason: str) -> None:
    log = tmp_path / "log.txt"
    log.write_text(f"1 - ERROR - FL server execution exception: ConfigError: Error {end}\nTraceback\n")
    assert build_failure(log) == reason
    log.write_text("1 - INFO - all went well\n")
    assert build_failure(log) == ""
