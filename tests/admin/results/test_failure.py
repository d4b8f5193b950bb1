from __future__ import annotations

from pathlib import Path

import pytest

from admin.results.failure import failure_reason


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
        ("INFO - all went well", ""),
    ],
)
def test_the_last_line_that_says_why_is_found(tmp_path: Path, log: str, reason: str) -> None:
    (tmp_path / "log.txt").write_text(log)
    assert failure_reason(tmp_path / "log.txt") == reason


def test_a_log_that_is_not_there_has_no_reason(tmp_path: Path) -> None:
    assert failure_reason(tmp_path / "log.txt") == ""
