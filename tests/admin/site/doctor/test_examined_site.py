from __future__ import annotations

import json
import stat
from pathlib import Path

import pytest

from admin.__main__ import main
from admin.twin.faults.identity_faults import CANARIES
from tests.admin.site.doctor.conftest import Visit

FORMS = {"doctor.html", "doctor.txt", "doctor.json"}


@pytest.fixture(scope="module")
def out(spoilt: Visit, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The output of the spoilt hospital."""
    folder = tmp_path_factory.mktemp("out")
    assert main(["doctor", str(spoilt.root), "--out", str(folder)]) == 1
    return folder


def test_both_outputs_are_written_and_nothing_else_stays(out: Path) -> None:
    assert {path.name for path in out.iterdir()} == {"private", "shareable"}
    for folder in out.iterdir():
        assert {path.name for path in folder.iterdir()} == FORMS


def test_the_private_output_is_closed_to_others(out: Path) -> None:
    assert stat.S_IMODE((out / "private").stat().st_mode) == 0o700
    assert {stat.S_IMODE((out / "private" / name).stat().st_mode) for name in FORMS} == {0o600}


def test_no_byte_of_the_shareable_output_is_of_a_patient(out: Path, spoilt: Visit) -> None:
    cases = spoilt.collected.evidence.cases
    secrets = {text for case in cases for text in (case.name, case.patient, case.image, Path(case.image).name)}
    secrets |= {case.cells["report_path"] for case in cases} | {case.text for case in cases}
    secrets |= {line for case in cases if case.report for line in case.report.splitlines() if len(line) > 25}
    secrets |= (
        set(CANARIES.values()) | {str(spoilt.root)} | {name for names in spoilt.planted.values() for name in names}
    )
    secrets -= {""}
    assert len(secrets) > 400
    written = b"".join(path.read_bytes() for path in sorted((out / "shareable").iterdir()))
    hits = [secret for secret in secrets if secret.encode(errors="surrogateescape") in written]
    assert hits == []


def test_the_same_scan_finds_the_studies_in_the_private_output(out: Path, spoilt: Visit) -> None:
    written = (out / "private" / "doctor.html").read_bytes()
    assert spoilt.planted["sideways-image"][0].encode() in written


def test_no_small_count_is_shared(out: Path) -> None:
    shared = json.loads((out / "shareable" / "doctor.json").read_text())
    counts = [check[key] for check in shared["checks"] for key in ("count", "of")]
    counts += [count for check in shared["checks"] for count in check["detail"].values()]
    counts += [count for cells in shared["distributions"].values() for count in cells.values()]
    assert len(counts) > 150
    assert all(count in ("", "0", "<5", "hidden") or int(count) % 5 == 0 for count in counts)


def test_a_healthy_hospital_passes_and_its_output_lies_in_it_by_default(
    healthy: Visit, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["doctor", str(healthy.root), "--format", "json", "--least-cell", "1"]) == 0
    printed = json.loads(capsys.readouterr().out)["data"]
    assert printed["fired"]["error"] == 0
    assert printed["studies"] == "110"
    written = {path.name for path in (healthy.root / "doctor" / "private").iterdir()}
    assert written == FORMS


@pytest.mark.parametrize("arguments", [["nowhere"], [".", "--least-cell", "0"]])
def test_what_cannot_be_examined_is_one_line_and_another_code(
    arguments: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    assert main(["doctor", *arguments, "--format", "json"]) == 1
    assert arguments[-2 if len(arguments) > 1 else -1] in json.loads(capsys.readouterr().out)["message"]
    assert list(tmp_path.iterdir()) == []


def test_a_folder_without_a_manifest_is_refused(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["doctor", str(tmp_path), "--out", str(tmp_path / "out")]) == 1
    assert "SITE_DIR must hold manifest.csv" in capsys.readouterr().err
