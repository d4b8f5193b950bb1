"""The log that a hospital may send: known harmless lines only, and no canary whatever the log holds."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

import fedaid.errors
from admin.__main__ import main
from admin.site.kit.redacted_log import Redaction, harmless, place_in_code

JOB = "8fc2619f-6927-4ebd-a401-989362e99390"
TIME = "2026-12-01 02:42:24,563"
CONTEXT = f"[identity=hospital-lake, run={JOB}, peer=server, peer_run={JOB}, task_name=align, task_id={JOB}] - "
CANARIES = ("ZQMUELLER", "/srv/zqdata", "zquser", "1234567890")
LOG = f"""{TIME} - worker_process - INFO - Worker_process started.
{TIME} - ClientRunner - INFO - [identity=hospital-lake, run={JOB}] - client runner started
{TIME} - Communicator - INFO - Received from server. getTask: align size: 21.7KB (21706 Bytes) time: 0.060302 seconds
{TIME} - FederatedClient - INFO - pull_task completed. Task name:ZQMUELLER Status:True
{TIME} - ClientRunner - INFO - client runner started for ZQMUELLER
{TIME} - ZQMUELLER - INFO - Worker_process started.
{TIME} - FedAIDExecutor - ERROR - {CONTEXT}batch_size must be at least 2, got 1: /srv/zqdata/ZQMUELLER.csv line 3.
{TIME} - FedAIDExecutor - ERROR - {CONTEXT}batch_size must be at least 2, got ZQMUELLER
{TIME} - own_filter - ERROR - [identity=x, task_name=ZQMUELLER] - cannot read /srv/zqdata/ZQMUELLER^HANS.dcm of zquser
Traceback (most recent call last):
  File "/home/zquser/venv/lib/python3.11/site-packages/fedaid/errors.py", line 14, in ZQMUELLER
    raise ValueError("ZQMUELLER 1234567890")
  File "/srv/zqdata/fedaid/ZQMUELLER.py", line 7, in read
  File "/srv/zqdata/fedaid/../fedaid/errors.py/ZQMUELLER", line 8, in read
ValueError: ZQMUELLER 1234567890 is not in /srv/zqdata
ZqmuellerError: ZQMUELLER
ZQMUELLER
KeyError
report text of ZQMUELLER, born 1234567890
{TIME} - X - WARNING - this machine refuses a class of the job: ZQMUELLER.Filter is not in allow_list
{TIME} - X - ERROR - this machine refuses a class of the job: fedaid.errors.InputError is not in allow_list
"""


def test_only_harmless_lines_and_places_are_left() -> None:
    redaction = Redaction(LOG.splitlines())
    assert list(redaction) == [
        f"{TIME} INFO Worker_process started.",
        f"{TIME} INFO client runner started",
        f"{TIME} INFO Received from server. getTask: align size: 21.7KB (21706 Bytes) time: 0.060302 seconds",
        f"{TIME} INFO Worker_process started.",
        f"{TIME} ERROR [align] batch_size must be at least 2, got 1",
        f"{TIME} ERROR [align] (message left out)",
        f"{TIME} ERROR (message left out)",
        "    at fedaid/errors.py, line 14",
        "    at a file of no known package, line 7",
        "    at a file of no known package, line 8",
        "    raised ValueError",
        "    raised KeyError",
        f"{TIME} WARNING (message left out)",
        f"{TIME} ERROR this machine refuses a class of the job: fedaid.errors.InputError",
    ]
    assert redaction.left_out == {"INFO": 2, "ERROR": 2, "WARNING": 1, "other": 5}


def test_the_command_writes_a_file_for_the_owner_without_a_canary_and_sends_nothing(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    kit, out = tmp_path / "hospital-lake", tmp_path / "sent.txt"
    (kit / JOB).mkdir(parents=True)
    (kit / JOB / "log.txt").write_text(LOG)
    other = "11111111" + JOB[8:]
    ended = "child worker process finished with RC"
    (kit / "log.txt").write_text(
        f"{TIME} - ClientExecutor - INFO - run ({JOB}): {ended} 1\n{TIME} - X - INFO - run ({other}): {ended} 0\n"
    )
    assert main(["log", str(kit), JOB, "--out", str(out), "--format", "json"]) == 0
    written, printed = out.read_text(), capsys.readouterr().out
    assert f"{TIME} INFO run ({JOB}): {ended} 1" in written
    assert other not in written
    assert [word for word in CANARIES if word.lower() in (written + printed).lower()] == []
    assert out.stat().st_mode & 0o077 == 0
    assert json.loads(printed)["data"]["left_out"] == {"INFO": 2, "ERROR": 2, "WARNING": 1, "other": 5}
    assert main(["log", str(kit), JOB, "--out", str(out)]) == 1
    assert "--out must not exist" in capsys.readouterr().err


@pytest.mark.parametrize("job", ["../secret", "ZQMUELLER", JOB])
def test_a_kit_without_the_job_or_a_wrong_number_is_refused(
    job: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["log", str(tmp_path), job, "--out", str(tmp_path / "out.txt")]) == 1
    assert "must" in capsys.readouterr().err
    assert not (tmp_path / "out.txt").exists()


def test_a_place_is_named_only_if_the_package_has_that_file() -> None:
    assert place_in_code(fedaid.errors.__file__) == "fedaid/errors.py"
    assert place_in_code("/x/fedaid/ZQMUELLER.py") == place_in_code("/x/y.py") == "a file of no known package"


@pytest.mark.parametrize("text", ["", "client runner started ", "xWorker_process started.", "align: out of ZQ"])
def test_a_message_that_is_only_like_one_of_the_list_is_left_out(text: str) -> None:
    assert harmless(text) == ""
