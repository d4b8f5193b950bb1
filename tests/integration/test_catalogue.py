"""Every bad input of the data catalogue at once, through the real commands: as many are counted as were planted."""

from __future__ import annotations

import csv
from collections import Counter
from pathlib import Path

import pytest

from fedaid.data.manifest import read_manifest
from tests.catalogue.bad_manifests import BAD_MANIFESTS
from tests.catalogue.run import ITEMS, Outcome, permissions_bind, prepare, run_catalogue

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("catalogue")


@pytest.fixture(scope="module")
def outcome(folder: Path) -> Outcome:
    return run_catalogue(folder)


def test_the_catalogue_is_whole(outcome: Outcome) -> None:
    assert len(ITEMS) + len(BAD_MANIFESTS) == 59
    assert len({row.name for row in outcome.rows}) == len(outcome.rows) == 59 - (not permissions_bind())


def test_as_many_are_counted_by_code_as_were_planted(outcome: Outcome) -> None:
    assert outcome.counted == outcome.injected
    assert sum(outcome.injected.values()) > 50


def test_each_item_has_the_code_that_it_must_have(outcome: Outcome) -> None:
    assert [row for row in outcome.rows if row.counted != row.expected] == []


def test_prepare_survives_them_all_and_keeps_what_is_sound(outcome: Outcome) -> None:
    assert outcome.exit_code == 0
    assert outcome.studies[0] == outcome.studies[1]


def test_what_is_kept_can_be_read_by_training(outcome: Outcome, folder: Path) -> None:
    manifest = read_manifest(folder / "site")
    assert (len(manifest.studies), manifest.skipped) == (outcome.studies[1], {})


def test_the_identifiers_of_a_report_are_counted_and_gone(outcome: Outcome, folder: Path) -> None:
    texts = "".join(path.read_text(encoding="utf-8") for path in (folder / "site" / "reports").iterdir())
    assert len(texts) > 1000
    assert not [word for word in ("Quillfeather", "2021", "00482911", "2231") if word in texts]


def test_each_thing_left_out_is_one_line_of_the_list_with_a_remedy(outcome: Outcome, folder: Path) -> None:
    with (folder / "site" / "quarantine.csv").open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    assert Counter(row["code"] for row in rows) == outcome.quarantined
    assert all(row["remedy"].endswith(".") for row in rows)


def test_a_second_run_says_the_same_and_reads_nothing_again(outcome: Outcome, folder: Path) -> None:
    export = folder / "export"
    again = prepare(export / "images", export / "reports", folder / "site", "--image-size", "16")
    assert (again.result["headers_read"], again.result["images_decoded"]) == (0, 0)
    assert (again.studies, again.quarantined) == (outcome.studies[1], outcome.quarantined)
