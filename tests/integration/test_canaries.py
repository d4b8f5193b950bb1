"""Invented people in every place of an export: none of them is in anything that prepare makes or prints."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.catalogue.canaries import BARE, EXCLUDED, WORDS, Hit, canary_hits, scan, scan_bytes

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("canaries")


@pytest.fixture(scope="module")
def hits(folder: Path) -> list[Hit]:
    return canary_hits(folder)


def test_the_scan_finds_every_canary_where_it_was_planted(hits: list[Hit], folder: Path) -> None:
    assert {hit.canary for hit in scan(folder / "export", excluded=())} == set(WORDS)
    assert len(WORDS) > 45


@pytest.mark.parametrize("encoding", ["utf-8", "utf-16-le", "utf-16-be"])
def test_the_scan_sees_through_case_and_encoding(encoding: str) -> None:
    data = b"\0\xff" + "zQNAme".encode(encoding) + b"\xff"
    assert [hit.canary for hit in scan_bytes(data, WORDS, where="x")] == ["Zqname"]


def test_no_canary_is_in_any_byte_of_the_sites_nor_in_what_was_printed(hits: list[Hit]) -> None:
    assert hits == []


def test_the_scan_covered_manifest_pixels_reports_and_journals(hits: list[Hit], folder: Path) -> None:
    for site, studies in (("text", 2), ("table", 3)):
        names = {str(path.relative_to(folder / site)) for path in (folder / site).rglob("*") if path.is_file()}
        assert {"manifest.csv", "images-16.npy", "private/files.jsonl", "private/reports.jsonl"} <= names
        assert sum(name.startswith("reports/") for name in names) == studies


def test_only_the_private_list_of_what_was_left_out_names_files(hits: list[Hit], folder: Path) -> None:
    for site in ("text", "table"):
        unscanned = scan(folder / site, excluded=())
        assert {hit.where for hit in unscanned} == set(EXCLUDED) == {"quarantine.csv"}
        assert (folder / site / "quarantine.csv").stat().st_mode & 0o077 == 0


def test_a_name_without_a_cue_is_the_known_limit_and_stays_in_its_report_only(hits: list[Hit], folder: Path) -> None:
    for site, studies in (("text", 2), ("table", 3)):
        found = [hit.where for hit in scan(folder / site, [BARE])]
        assert len(found) == studies
        assert all(where.startswith("reports/") for where in found)
