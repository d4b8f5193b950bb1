"""The lines of ``monitor --format json``, and the bytes and sites in what a person sees."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from admin.__main__ import main
from admin.session.display import progress_lines
from admin.session.display.progress_display import line
from admin.session.display.progress_lines import ProgressLines
from admin.session.display.progress_picture import size
from admin.session.job_progress import Progress
from tests.admin.session.test_supervisor import Server, slept
from tests.admin.verbs.test_status_runs import add_job, server

__all__ = ["server", "slept"]  # fixtures
STATE = Progress("align", 0, 2, {"lake": 1.5}, {}, elapsed=3.0, sites=("lake", "north"), bytes_down=2000, bytes_up=10)


def test_every_object_has_the_documented_keys_and_a_repeated_state_is_written_after_a_pause(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    now, written = [100.0], list[dict[str, Any]]()
    monkeypatch.setattr(progress_lines.time, "monotonic", lambda: now[0])
    lines = ProgressLines("id-1", written.append)
    for seconds in (0.0, 5.0, 9.0):
        now[0] = 100.0 + seconds
        lines.show(STATE)
    assert len(written) == 1
    now[0] = 110.5
    lines.show(STATE)
    assert len(written) == 2
    assert written[0].pop("time").endswith("+00:00")
    assert written[0] == {
        "event": "progress",
        "job_id": "id-1",
        "phase": "align",
        "round": 1,
        "rounds": 2,
        "sites": ["lake", "north"],
        "losses": {"lake": 1.5},
        "weights": {},
        "bytes_down": 2000,
        "bytes_up": 10,
        "elapsed_seconds": 3.0,
        "remaining_seconds": None,
        "notes": [],
    }
    page = (Path(__file__).parents[3] / "docs" / "operating.md").read_text(encoding="utf-8")
    assert [key for key in ("time", *written[0]) if f"`{key}`" not in page] == []


def test_monitor_writes_a_line_for_each_change_and_the_envelope_last(
    server: Server, slept: list[float], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    add_job(server, "pilot", 0, 0, 1, "FINISHED:COMPLETED")
    assert main(["monitor", "id-1", "--kit", str(tmp_path), "--format", "json"]) == 0
    *lines, envelope = [json.loads(text) for text in capsys.readouterr().out.splitlines()]
    assert [(one["event"], one["round"], one["sites"]) for one in lines] == [
        ("progress", 1, ["lake", "north"]),
        ("progress", 2, ["lake", "north"]),
    ]
    assert lines[1]["bytes_down"] == 1500
    assert (envelope["status"], envelope["data"]["job_status"]) == ("ok", "FINISHED:COMPLETED")


def test_a_person_sees_sites_and_bytes() -> None:
    assert line(STATE).startswith(
        "round 1/2  align  elapsed 0:00:03  remaining -  to sites 2.0 kB  from sites 10 B  sites lake north  loss lake="
    )


@pytest.mark.parametrize(
    ("count", "said"), [(0, "0 B"), (999, "999 B"), (1000, "1.0 kB"), (999_990, "1.0 MB"), (12_345_678, "12.3 MB")]
)
def test_bytes_have_decimal_units(count: int, said: str) -> None:
    assert size(count) == said
