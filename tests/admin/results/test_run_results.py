from __future__ import annotations

import json
from pathlib import Path

import pytest

from admin.results.run_results import read_results, software_differences
from fedaid.errors import InputError
from tests.admin.results_folder import write_run


def test_sites_come_in_the_order_of_names_with_what_the_run_measured(tmp_path: Path) -> None:
    results = read_results(write_run(tmp_path))
    assert [site.name for site in results.sites] == ["lake", "north"]
    assert [site.pairs for site in results.sites] == [10, 30]
    assert [site.loss for site in results.sites] == [1.5, 0.5]
    assert [site.site_weight for site in results.sites] == [0.4, 0.6]
    assert results.tested("recall_at_5") == pytest.approx([0.75, 0.55])
    assert results.model == tmp_path / "app_server" / "fedaid" / "best-00002"


def test_chance_is_five_answers_among_the_test_studies(tmp_path: Path) -> None:
    assert read_results(write_run(tmp_path)).sites[0].chance_at_5 == pytest.approx(5 / 20)


def test_versions_that_differ_are_lines_and_older_runs_have_none(tmp_path: Path) -> None:
    assert software_differences(tmp_path) == []
    file = write_run(tmp_path) / "app_server" / "fedaid" / "results.json"
    assert software_differences(tmp_path) == []
    found = json.loads(file.read_text()) | {"software": {"differences": ["lake has torch 1.0, the server 2.0"]}}
    file.write_text(json.dumps(found))
    assert software_differences(tmp_path) == ["lake has torch 1.0, the server 2.0"]


def test_a_site_without_a_test_split_is_left_out_of_the_recalls(tmp_path: Path) -> None:
    file = write_run(tmp_path) / "app_server" / "fedaid" / "results.json"
    found = json.loads(file.read_text())
    del found["best"]["lake"]["test"]
    file.write_text(json.dumps(found))
    results = read_results(tmp_path)
    assert results.tested("recall_at_5") == pytest.approx([0.55])


def test_a_folder_that_is_no_run_folder_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"run folder must hold app_server.*workspace"):
        read_results(tmp_path)


def test_a_run_that_did_not_finish_is_refused_with_where_to_look(tmp_path: Path) -> None:
    (tmp_path / "app_server").mkdir()
    with pytest.raises(InputError, match=r"result must hold results.json.*see log.txt"):
        read_results(tmp_path)


def test_a_run_that_was_not_measured_is_refused_with_its_reason(tmp_path: Path) -> None:
    file = write_run(tmp_path) / "app_server" / "fedaid" / "results.json"
    file.write_text(json.dumps(json.loads(file.read_text()) | {"best": {}, "incomplete": "validate must have 2 sites"}))
    with pytest.raises(InputError, match=r"result must hold the metrics of a site.*validate must have 2 sites"):
        read_results(tmp_path)


def test_a_site_that_never_gave_an_update_still_has_its_row(tmp_path: Path) -> None:
    file = write_run(tmp_path) / "app_server" / "fedaid" / "results.json"
    found = json.loads(file.read_text())
    del found["pairs"]["lake"]
    file.write_text(json.dumps(found))
    assert [site.pairs for site in read_results(tmp_path).sites] == [0, 30]
