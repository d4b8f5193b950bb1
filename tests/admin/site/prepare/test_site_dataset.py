from __future__ import annotations

import csv
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from admin.__main__ import main
from fedaid.data.cache import cached_images
from fedaid.data.manifest import read_manifest
from fedaid.data.pixels import decode_pool
from fedaid.data.pixels.image import read_radiograph
from tests.admin.site.prepare.conftest import write_image

Prepare = Callable[..., int]
ROOT = Path(__file__).parents[4]


def result(capsys: pytest.CaptureFixture[str]) -> dict[str, object]:
    answer = json.loads(capsys.readouterr().out)
    found: dict[str, object] = answer["data"] | {"error": answer.get("message", "")}
    return found


def rows(file: Path) -> list[dict[str, str]]:
    with file.open(encoding="utf-8", newline="") as opened:
        return list(csv.DictReader(opened))


def test_an_export_becomes_a_dataset_that_training_reads(export: Path, prepare: Prepare) -> None:
    assert prepare() == 0
    studies = read_manifest(export / "site").studies
    assert sorted(study.text for study in studies) == [f"Clear lungs. Study {n}." for n in range(8)]
    assert len({study.patient_id for study in studies}) == 7
    assert rows(export / "site" / "quarantine.csv") == []


def test_training_maps_the_prepared_pixels_and_starts_no_decoder(
    export: Path, prepare: Prepare, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert prepare() == 0
    monkeypatch.setattr(decode_pool.DecodePool, "__init__", None)
    images = cached_images(read_manifest(export / "site").studies, export / "cache", image_size=16)
    assert len(images.studies) == 8
    assert images.skipped == {}
    assert all(images.pixels[row].max() > 0.6 for row in images.studies)


def assert_own_images(export: Path) -> None:
    """Each report names the seed of its image."""
    images = cached_images(read_manifest(export / "site").studies, export / "cache", image_size=16)
    for row, study in images.studies.items():
        path = export / "expected"
        write_image(path, seed=int(study.text.split()[-1].strip(".")), patient="p", accession="a", study="1.2")
        np.testing.assert_array_equal(images.pixels[row], read_radiograph(path, 16).astype(np.float16))


def test_each_image_stands_beside_its_own_report(export: Path, prepare: Prepare) -> None:
    assert prepare() == 0
    assert_own_images(export)


def test_the_second_run_reads_and_decodes_nothing_and_writes_the_same(
    export: Path, prepare: Prepare, capsys: pytest.CaptureFixture[str]
) -> None:
    assert prepare("--format", "json") == 0
    first = result(capsys)
    before = {file: file.read_bytes() for file in sorted((export / "site").rglob("*")) if file.is_file()}
    assert prepare("--format", "json") == 0
    second = result(capsys)
    assert (first["headers_read"], first["images_decoded"]) == (8, 8)
    assert (second["headers_read"], second["images_decoded"]) == (0, 0)
    assert {file: file.read_bytes() for file in before} == before


def test_added_files_are_all_that_is_new_and_nobody_changes_the_split(
    export: Path, prepare: Prepare, capsys: pytest.CaptureFixture[str]
) -> None:
    assert prepare() == 0
    before = rows(export / "site" / "manifest.csv")
    write_image(export / "images" / "0", seed=99, patient="new", accession="A99", study="1.9.99")
    (export / "reports" / "A99.txt").write_text("Clear.")
    capsys.readouterr()
    assert prepare("--format", "json") == 0
    assert (news := result(capsys))["headers_read"] == 1
    assert news["images_decoded"] == 1
    after = rows(export / "site" / "manifest.csv")
    assert len(after) == 9
    assert all(line in after for line in before)


def test_every_bad_file_is_counted_once_with_its_code(
    export: Path, prepare: Prepare, capsys: pytest.CaptureFixture[str]
) -> None:
    images, reports = export / "images", export / "reports"
    (images / "notes.dcm").write_text("text")
    (images / "CANARY-1" / "file 1").write_bytes((images / "CANARY-1" / "file 1").read_bytes()[:-9])
    os.mkfifo(images / "fifo")
    (images / "away").symlink_to("/etc/hostname")
    (reports / "canary-a2.txt").write_bytes(b"\xff\xfe\0")
    (reports / "canary-a3.txt").write_text("HISTORY: cough.")
    (reports / "canary-a4.txt").unlink()
    (reports / "CANARY-A5.TXT").write_text("Another.")
    (reports / "nobody.txt").write_text("Clear.")
    assert prepare("--format", "json", "--max-bad-share", "1") == 0
    assert result(capsys)["quarantined"] == {
        "image-missing": 1, "image-outside-root": 1, "image-unreadable": 1, "image-unsupported": 1,
        "pair-ambiguous": 3, "pair-no-image": 1, "pair-no-report": 1, "report-empty": 1, "report-unreadable": 1,
    }  # fmt: skip
    assert len(rows(export / "site" / "manifest.csv")) == 3
    assert all(line["remedy"].endswith(".") for line in rows(export / "site" / "quarantine.csv"))


def test_the_best_view_of_a_study_that_can_be_read_is_used(export: Path, prepare: Prepare) -> None:
    for seed, view in enumerate(("LL", "AP", "PA"), start=20):
        path = export / "images" / f"{view}.dcm"
        write_image(path, seed=seed, patient="v", accession="V", study="1.9.50", view=view)
    (export / "images" / "PA.dcm").write_bytes((export / "images" / "PA.dcm").read_bytes()[:-9])
    (export / "reports" / "V.txt").write_text("Views.")
    assert prepare() == 0
    line = next(line for line in rows(export / "site" / "manifest.csv") if line["view"] != "PA")
    assert line["view"] == "AP"
    assert [bad["code"] for bad in rows(export / "site" / "quarantine.csv")] == ["image-unreadable"]


def test_image_and_report_of_different_patients_are_no_pair(export: Path, prepare: Prepare) -> None:
    table = "accession,patient_id,report\n" + "".join(f"CANARY-A{n},CANARY-P{max(n, 1)},Clear.\n" for n in range(7))
    (export / "reports.csv").write_text(table + "CANARY-A7,someone else,Clear.\n")
    assert prepare(reports="reports.csv") == 0
    assert [bad["code"] for bad in rows(export / "site" / "quarantine.csv")] == ["patient-conflict"]
    assert len(rows(export / "site" / "manifest.csv")) == 7


def test_reports_named_by_accession_number_do_not_find_images_of_that_file_name(
    export: Path, prepare: Prepare, capsys: pytest.CaptureFixture[str]
) -> None:
    write_image(export / "images" / "12.dcm", seed=12, patient="q", accession="99", study="1.9.12")
    (export / "reports" / "12.txt").write_text("IMPRESSION: Of a study whose image is not here.")
    assert prepare("--format", "json") == 0
    assert result(capsys)["quarantined"] == {"pair-no-image": 1, "pair-no-report": 1}


def test_too_many_bad_files_stop_it_with_a_clear_line(
    export: Path, prepare: Prepare, capsys: pytest.CaptureFixture[str]
) -> None:
    for number in range(3):
        (export / "reports" / f"canary-a{number}.txt").unlink()
    assert prepare("--max-bad-share", "0.3") == 1
    assert "38% cannot be used, more than --max-bad-share 30%" in capsys.readouterr().err
    assert not (export / "site" / "manifest.csv").exists()
    assert len(rows(export / "site" / "quarantine.csv")) == 3


def test_without_a_preset_reports_must_be_named(export: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["prepare", "--images", str(export / "images"), "--out", str(export / "site")]) == 1
    assert "--reports must be given" in capsys.readouterr().err


def test_strict_stops_at_the_first_bad_file(export: Path, prepare: Prepare, capsys: pytest.CaptureFixture[str]) -> None:
    (export / "images" / "a.dcm").write_text("text")
    (export / "images" / "b.dcm").write_text("text")
    assert prepare("--strict") == 1
    assert "first bad file, image-unsupported: Give a DICOM" in capsys.readouterr().err
    assert len(rows(export / "site" / "quarantine.csv")) == 1


def test_no_identifier_is_in_what_training_reads_or_in_the_output(
    export: Path, prepare: Prepare, capsys: pytest.CaptureFixture[str]
) -> None:
    (export / "images" / "CANARY-bad.dcm").write_text("text")
    assert prepare() == 0
    printed = capsys.readouterr()
    assert "canary" not in (printed.out + printed.err).lower()
    for file in (export / "site").rglob("*"):
        if file.is_file() and file.name != "quarantine.csv":
            assert b"canary" not in file.read_bytes().lower(), file.name
            assert b"1.9." not in file.read_bytes(), file.name
        assert "canary" not in file.name.lower()


def test_what_is_private_is_closed_to_others(export: Path, prepare: Prepare) -> None:
    assert prepare() == 0
    site = export / "site"
    assert (site / "private").stat().st_mode & 0o077 == 0
    for file in (site / "quarantine.csv", site / "private" / "key", site / "manifest.csv"):
        assert file.stat().st_mode & 0o077 == 0, file.name


@pytest.mark.parametrize(
    ("journal", "lines"),
    [("files.jsonl", 0), ("files.jsonl", 30), ("images-16.jsonl", 0), ("images-16.jsonl", 30), ("reports.jsonl", 9)],
)
def test_a_run_that_was_killed_goes_on_with_what_is_left(
    journal: str, lines: int, export: Path, prepare: Prepare, capsys: pytest.CaptureFixture[str]
) -> None:
    for number in range(8, 200):
        name = f"more {number}"
        write_image(export / "images" / name, seed=number, patient=name, accession=name, study=f"1.8.{number}")
        (export / "reports" / f"{name}.txt").write_text(f"IMPRESSION: Seen {number}.")
    private = export / "site" / "private"
    command = [sys.executable, "-m", "admin", "prepare", "--images", export / "images", "--reports", export / "reports"]
    process = subprocess.Popen(
        [*command, "--out", export / "site", "--image-size", "16"], cwd=ROOT, stdout=subprocess.DEVNULL
    )
    while written(private / journal) <= lines and process.poll() is None:
        time.sleep(0.001)
    process.send_signal(signal.SIGKILL)
    process.wait()
    described, decoded = written(private / "files.jsonl"), written(private / "images-16.jsonl")
    assert prepare("--format", "json") == 0
    news = result(capsys)
    assert (news["studies"], news["headers_read"], news["images_decoded"]) == (200, 200 - described, 200 - decoded)
    assert_own_images(export)


def written(journal: Path) -> int:
    """Whole lines of a journal."""
    return journal.read_bytes().count(b"\n") if journal.exists() else 0


@pytest.mark.parametrize(
    "arguments",
    [
        ["--images", "/none"],
        ["--reports", "/none"],
        ["--image-size", "0"],
        ["--workers", "0"],
        ["--max-bad-share", "2"],
    ],
)
def test_a_setting_that_is_none_is_one_clear_line(
    arguments: list[str], prepare: Prepare, capsys: pytest.CaptureFixture[str]
) -> None:
    assert prepare(*arguments) == 1
    captured = capsys.readouterr()
    assert captured.out == ""
    assert captured.err.startswith(f"error: {arguments[0]}{':' if arguments[1] == '/none' else ''} ")
    assert captured.err.count("\n") == 1


def test_images_within_the_reports_are_refused(export: Path, capsys: pytest.CaptureFixture[str]) -> None:
    folders = ["--images", str(export / "images"), "--reports", str(export), "--out", str(export / "site")]
    assert main(["prepare", *folders]) == 1
    assert "two folders" in capsys.readouterr().err


def test_a_site_that_lost_its_key_is_refused_and_stays_as_it_was(
    export: Path, prepare: Prepare, capsys: pytest.CaptureFixture[str]
) -> None:
    assert prepare() == 0
    (export / "site" / "private" / "key").unlink()
    before = (export / "site" / "manifest.csv").read_bytes()
    capsys.readouterr()
    assert prepare("--format", "json") == 1
    assert "key file must exist" in str(result(capsys)["error"])
    assert (export / "site" / "manifest.csv").read_bytes() == before
    assert not (export / "site" / "private" / "key").exists()


def test_a_site_that_was_prepared_with_another_key_is_refused(
    export: Path, prepare: Prepare, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert prepare() == 0
    manifest = (export / "site" / "manifest.csv").read_bytes()
    other = tmp_path / "other_key"
    other.write_text("ab" * 32 + "\n")
    other.chmod(0o600)
    capsys.readouterr()
    assert prepare("--key", str(other), "--format", "json") == 1
    assert "--key must be the site's key, got a different key" in str(result(capsys)["error"])
    assert (export / "site" / "manifest.csv").read_bytes() == manifest
