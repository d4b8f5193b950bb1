from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from admin.site.prepare.prepared_site import image_files, left_out, study_headers, study_images
from fedaid.data.header.facts import Header
from fedaid.data.table import read_table
from fedaid.errors import InputError
from tests.admin.site.prepare.conftest import write_image

Prepare = Callable[..., int]


def test_every_study_of_the_manifest_has_the_facts_of_its_own_image(export: Path, prepare: Prepare) -> None:
    write_image(export / "images" / "ap", seed=30, patient="q", accession="AP1", study="1.9.30", view="AP")
    (export / "reports" / "AP1.txt").write_text("FINDINGS: Supine.")
    assert prepare() == 0
    headers = study_headers(export / "site")
    rows = read_table(export / "site" / "manifest.csv").rows
    assert {row.cell("study_id"): row.cell("view") for row in rows} == {
        study: header.view_position for study, header in headers.items()
    }
    assert sorted(header.view_position or "" for header in headers.values()) == ["AP"] + ["PA"] * 8
    assert {(header.rows, header.columns, header.modality) for header in headers.values()} == {(24, 20, "CR")}


def test_every_image_file_is_known_and_none_by_its_name(export: Path, prepare: Prepare) -> None:
    (export / "images" / "CANARY.dcm").write_text("text")
    assert prepare() == 0
    files = image_files(export / "site")
    assert len(files) == 9
    assert {image.reason for image in files.values()} == {None, "image-unsupported"}
    assert set(files) >= {image.file for image in study_images(export / "site").values()}
    assert "canary" not in repr(files).lower()


def test_what_was_left_out_is_known_by_code_and_name(export: Path, prepare: Prepare) -> None:
    (export / "images" / "=notes.dcm").write_text("text")
    (export / "reports" / "canary-a0.txt").unlink()
    assert prepare("--max-bad-share", "0.5") == 0
    found = {bad.reason: bad.name for bad in left_out(export / "site")}
    assert found == {"image-unsupported": "=notes.dcm", "pair-no-report": "CANARY-0/file 0"}


def test_a_journal_without_headers_is_read_again(
    export: Path, prepare: Prepare, capsys: pytest.CaptureFixture[str]
) -> None:
    assert prepare() == 0
    before, journal = study_headers(export / "site"), export / "site" / "private" / "files.jsonl"
    lines = [json.loads(line) for line in journal.read_text().splitlines()]
    journal.write_text("".join(json.dumps({k: v for k, v in line.items() if k != "header"}) + "\n" for line in lines))
    capsys.readouterr()
    assert prepare("--format", "json") == 0
    again = json.loads(capsys.readouterr().out)["data"]
    assert (again["headers_read"], again["images_decoded"]) == (8, 0)
    assert study_headers(export / "site") == before
    assert Header() not in before.values()


def test_a_folder_that_was_not_prepared_is_refused(tmp_path: Path) -> None:
    for read in (image_files, study_images, left_out):
        with pytest.raises(InputError, match="Run `python -m admin prepare` first"):
            read(tmp_path)
