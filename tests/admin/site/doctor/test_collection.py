from __future__ import annotations

import csv
import shutil
from dataclasses import replace
from pathlib import Path

import pytest

from admin.__main__ import main
from admin.site.doctor.collection import collect, quarantined
from admin.site.doctor.examination import examine, has_error
from admin.twin.consortium import DEMO_HOSPITALS, write_consortium
from fedaid.errors import InputError
from tests.admin.site.doctor.conftest import Visit


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A small hospital."""
    folder = tmp_path_factory.mktemp("small")
    write_consortium(folder, hospitals=[replace(DEMO_HOSPITALS[0], studies=12)], image_size=96)
    return folder / DEMO_HOSPITALS[0].name


def test_a_data_managers_own_manifest_is_collected(healthy: Visit) -> None:
    evidence = healthy.collected.evidence
    assert not evidence.prepared
    assert evidence.refusal is None
    assert len(evidence.cases) == 110
    assert all(case.usable and case.header and case.picture and case.size for case in evidence.cases)
    assert sum(evidence.grey_levels) > 0
    assert (evidence.stray_images, evidence.stray_reports) == ((), ())


def test_the_studies_to_look_at_are_drawn_by_the_seed(site: Path, tmp_path: Path) -> None:
    drawn = [list(collect(site, tmp_path, seed=seed).sheet) for seed in (1, 1, 2)]
    assert drawn[0] == drawn[1] != drawn[2]
    assert len(drawn[0]) == 10


def test_a_prepared_site_is_collected_with_its_headers(site: Path, tmp_path: Path) -> None:
    ready = tmp_path / "ready"
    (site / "images" / "broken.dcm").write_bytes(b"text")
    assert (
        main(["prepare", "--images", str(site / "images"), "--reports", str(site / "reports"), "--out", str(ready)])
        == 0
    )
    (site / "images" / "broken.dcm").unlink()
    evidence = collect(ready, tmp_path).evidence
    assert evidence.prepared
    assert len(evidence.cases) == 12
    assert all(case.usable and case.header and case.header.modality == "DX" for case in evidence.cases)
    assert all(case.picture and case.letters and not case.letters.found for case in evidence.cases)
    assert evidence.quarantined == {"image-unsupported": 1}
    assert evidence.stray_reports == ()
    fired = {result.check.name for result in examine(evidence) if result.found.fired}
    assert "quarantined" in fired


def test_a_manifest_that_nobody_can_read_gives_findings_and_no_crash(site: Path, tmp_path: Path) -> None:
    spoilt = tmp_path / "spoilt"
    shutil.copytree(site, spoilt)
    with (site / "manifest.csv").open(newline="") as file:
        rows = list(csv.reader(file))
    (spoilt / "manifest.csv").write_bytes("\n".join(",".join(row[:4]) for row in rows).encode() + b"\n\xe9,x")
    evidence = collect(spoilt, tmp_path).evidence
    fired = {result.check.name for result in examine(evidence) if result.found.fired}
    assert {"manifest-refused", "manifest-malformed", "image-missing"} <= fired
    assert sum(case.usable for case in evidence.cases) == 12


@pytest.mark.parametrize("content", [b"", b"\0\0\0", b"study_id\n", b"a;b\n1;2\n", b'"unclosed'])
def test_no_manifest_is_too_bad(content: bytes, tmp_path: Path) -> None:
    (tmp_path / "manifest.csv").write_bytes(content)
    assert has_error(examine(collect(tmp_path, tmp_path).evidence))


def test_a_bad_grammar_is_told_as_a_refusal(site: Path, tmp_path: Path) -> None:
    spoilt = tmp_path / "spoilt"
    shutil.copytree(site, spoilt)
    (spoilt / "report_grammar.yml").write_text("finding: [x]\n")
    assert "did you mean" in (collect(spoilt, tmp_path).evidence.refusal or "").lower()


def test_a_folder_without_a_manifest_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"SITE_DIR must hold manifest\.csv"):
        collect(tmp_path, tmp_path)


def test_a_quarantine_that_is_none_counts_nothing(tmp_path: Path) -> None:
    (tmp_path / "quarantine.csv").write_text("other\nx\n")
    assert quarantined(tmp_path / "quarantine.csv") == {}
