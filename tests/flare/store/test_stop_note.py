from __future__ import annotations

from pathlib import Path

import pytest

from fedaid.errors import InputError, NotYet
from fedaid.flare.store.stop_note import (
    ANSWERS,
    INPUT,
    LASTING,
    NOT_YET,
    SITE_INPUT,
    STOP,
    STORAGE,
    StopNote,
    read_stop,
    stop_note,
    write_stop,
)
from fedaid.sealed_folder import Damaged, NothingWhole

PARTS = {"got": 0, "where": "args", "remedy": "Fix."}


@pytest.mark.parametrize(
    ("error", "code", "lasting"),
    [
        (InputError("rho", "be above 0", **PARTS), INPUT, True),
        (NotYet("sites", "be those of the run", sites=["lake"], **PARTS), NOT_YET, False),
        (NothingWhole("all damaged"), INPUT, True),
        (Damaged("best model"), STORAGE, False),
        (OSError(28, "no space"), STORAGE, False),
        (RuntimeError("too few answers"), ANSWERS, False),
    ],
)
def test_the_code_says_whether_another_job_would_stop_in_the_same_way(
    error: Exception, code: str, lasting: bool
) -> None:
    note = stop_note(error, invalid={}, spare=0)
    assert (note.code, note.text, note.code in LASTING) == (code, str(error), lasting)


@pytest.mark.parametrize(("invalid", "spare", "code"), [(1, 0, SITE_INPUT), (1, 1, ANSWERS), (2, 1, SITE_INPUT)])
def test_sites_that_must_be_mended_are_lasting_only_if_the_quorum_needs_them(
    invalid: int, spare: int, code: str
) -> None:
    sites = {f"site-{number}": "no manifest" for number in range(invalid)}
    assert stop_note(RuntimeError("too few"), invalid=sites, spare=spare) == StopNote(code, "too few", sites)


def test_the_first_reason_counts(tmp_path: Path) -> None:
    write_stop(tmp_path, StopNote(INPUT, "cause", {"lake": "away"}))
    write_stop(tmp_path, StopNote(ANSWERS, "effect"))
    assert read_stop(tmp_path) == StopNote(INPUT, "cause", {"lake": "away"})


NOT_NOTES = ("", "{", "[]", '{"code": "new", "text": ""}', '{"code": "input"}', '{"code": "input", "text": 1}')


@pytest.mark.parametrize("text", NOT_NOTES)
def test_a_file_that_is_not_as_it_was_written_is_no_note(tmp_path: Path, text: str) -> None:
    (tmp_path / STOP).write_text(text)
    assert read_stop(tmp_path) is None
    assert read_stop(tmp_path / "none") is None
