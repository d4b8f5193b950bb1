"""A verb that succeeds prints its result to standard output, as text or as the envelope, and nothing else."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from admin.__main__ import main
from admin.session import login
from tests.admin.session.test_submit import Server


def answered(words: list[str], capsys: pytest.CaptureFixture[str]) -> dict[str, Any]:
    """The data of the envelope that a verb prints."""
    assert main([*words, "--format", "json"]) == 0
    answer = json.loads(capsys.readouterr().out)
    assert {name: answer[name] for name in ("schema_version", "status", "exit_code")} == {
        "schema_version": "1",
        "status": "ok",
        "exit_code": 0,
    }
    assert "message" not in answer
    data: dict[str, Any] = answer["data"]
    return data


@pytest.fixture
def kit(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """A kit with which one logs in to a server whose jobs are all completed."""

    @contextmanager
    def log_in(kit: Path) -> Iterator[Server]:
        yield Server()

    monkeypatch.setattr(login, "admin_session", log_in)
    return str(tmp_path)


def test_twin_and_partition_tell_sizes_and_files(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    pooled, out = tmp_path / "pooled", tmp_path / "out"
    twin = ["twin", "--out", str(pooled), "--scale", "0.03", "--pooled"]
    sizes = answered(twin, capsys)["studies"]
    assert len(sizes) == 3
    words = ["partition", str(pooled / "manifest.csv"), "--out", str(out), "--sites", "2", "--least-patients", "2"]
    found = answered(words, capsys)
    assert sum(found["studies"].values()) == sum(sizes.values())
    assert (out / "split.json").samefile(found["split"])


def test_package_check_and_its_lists(source_jobs: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    package = ["package", "--jobs", str(source_jobs)]
    job = answered([*package, "trivial", "--out", str(tmp_path / "out")], capsys)["job"]
    assert Path(job).is_dir()
    assert answered(["check", job], capsys) == {"class_paths": 2}
    assert answered([*package, "--list"], capsys) == {"jobs": ["trivial"]}
    assert answered([*package, "trivial", "--list"], capsys)["settings"]["rounds.num_rounds"] == 3
    assert "fedprox" in answered([*package, "--list-methods"], capsys)["methods"]


def test_monitor_and_download_tell_status_and_folder(
    kit: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    done = {"job_id": "id-1", "job_status": "FINISHED:COMPLETED", "missed": []}
    assert answered(["monitor", "id-1", "--kit", kit], capsys) == done
    out = tmp_path / "out"
    found = answered(["download", "id-1", "--kit", kit, "--out", str(out)], capsys)
    assert found == {"job_id": "id-1", "result": str(out / "id-1")}
    assert main(["download", "id-2", "--kit", kit, "--out", str(out)]) == 0
    printed = capsys.readouterr().out.splitlines()
    assert printed == [str(out / "id-2"), f"report: python -m admin report {out / 'id-2' / 'workspace'}"]
    assert main(["download", "id-2", "--kit", kit, "--out", str(out)]) == 1, "it is there already"
    assert capsys.readouterr().out == ""


def test_a_job_that_was_aborted_is_4_with_its_status(
    kit: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(Server, "get_job_status", lambda *_: "FINISHED:ABORTED")
    assert main(["monitor", "id-1", "--kit", kit]) == 4
    captured = capsys.readouterr()
    assert captured.out == "FINISHED:ABORTED\n"
    assert captured.err.startswith("error: job id-1 ended as FINISHED:ABORTED: a person aborted it")


def test_plan_without_a_job_writes_the_projection_alone(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    page = tmp_path / "page.md"
    assert answered(["plan", "--projection", str(page)], capsys) == {"page": str(page)}


def test_vocabulary_tells_its_file(capsys: pytest.CaptureFixture[str]) -> None:
    found = answered(["vocabulary", "--check"], capsys)
    assert found["tokens"] == 4096
    assert found["file"].endswith("vocabulary.txt")


def test_a_reader_that_leaves_early_ends_the_verb_without_a_traceback() -> None:
    code = "from admin.verbs.answer import Answer; a = Answer(as_json=False); [a.add('x' * 999) for _ in range(999)]"
    left = subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    assert left.stdout is not None
    assert left.stderr is not None
    left.stdout.close()
    assert left.wait(30) == 1
    assert left.stderr.read() == b""
