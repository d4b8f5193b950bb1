from __future__ import annotations

import os
import sys
from multiprocessing.connection import wait
from pathlib import Path

import pytest

from fedaid.data.letters.letters import Letters
from fedaid.data.pixels.decode_process import Answer, DecodeProcess, Limits, Lost, Request

SAYS = "import sys; sys.stdin.readline(); print('\"ready\"', flush=True); sys.stdin.readline(); print({!r}, flush=True)"


def saying(answer: str) -> DecodeProcess:
    return DecodeProcess(None, Limits(), command=[sys.executable, "-c", SAYS.format(answer)])


def heard(process: DecodeProcess, tmp_path: Path) -> Answer | None:
    process.ask(Request(5, tmp_path))
    try:
        while process.request is not None:
            wait([process.fileno()], 60)
            answer = process.hear()
        return answer
    finally:
        process.end()


def test_an_answer_carries_the_key_of_its_request(tmp_path: Path) -> None:
    said = '{"reason": "image-colour", "tags": {"study": "1"}, "header": {"rows": 7}}'
    assert heard(saying(said), tmp_path) == Answer(5, "image-colour", {"study": "1"}, {"rows": 7})


def test_an_answer_says_what_was_seen_of_letters(tmp_path: Path) -> None:
    said = '{"reason": null, "tags": {}, "header": {}, "letters": {"found": true, "share": 0.5, "seen": true}}'
    assert heard(saying(said), tmp_path) == Answer(5, None, letters=Letters(found=True, share=0.5, seen=True))


@pytest.mark.parametrize(
    "answer",
    [
        '{"reason": null, "tags": {}, "header": {}, "letters": {"found": "DOE", "share": 0.5, "seen": true}}',
        '{"reason": null, "tags": {}, "header": {}, "letters": "DOE"}',
        "no json", "[]", '{"reason": null}', '{"reason": "no code", "tags": {}, "header": {}}',
        '{"reason": null, "tags": {"a": 1}, "header": {}}', '{"reason": null, "tags": {}}',
        '{"reason": null, "tags": {}, "header": {"view_position": "DOE^JANE"}}',
        '{"reason": null, "tags": {}, "header": [1]}', "[" * 60000, "x" * 70000,
    ],
)  # fmt: skip
def test_an_answer_that_no_process_of_ours_gives_counts_as_its_end(answer: str, tmp_path: Path) -> None:
    with pytest.raises(Lost):
        heard(saying(answer), tmp_path)


def test_a_process_that_cannot_start_is_no_files_fault(tmp_path: Path) -> None:
    process = DecodeProcess(None, Limits(), command=[sys.executable, "-c", "raise SystemExit(1)"])
    with pytest.raises(RuntimeError, match="could not be started"):
        process.ask(Request(0, tmp_path))
    process.end()


def test_nothing_is_left_of_an_ended_process() -> None:
    process = DecodeProcess(None, Limits())
    process.end()
    with pytest.raises(ProcessLookupError):
        os.kill(process.pid, 0)


def test_no_path_shows_in_a_repr() -> None:
    assert "DOE" not in repr(Request(1, Path("/data/DOE^JANE")))
    assert "SECRET" not in repr(Answer(1, None, {"patient": "SECRET"}))
