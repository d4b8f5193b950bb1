from __future__ import annotations

import json
from pathlib import Path

from admin.results.report.cross_sites import cross_sites
from admin.results.report.run_files import RunFiles, read_run_files


def test_the_shared_model_comes_first_then_the_sites_own(judged: RunFiles) -> None:
    found = cross_sites(judged)
    assert found["sites"] == ["lake", "north"]
    assert [row["model"] for row in found["rows"]] == ["shared model", "lake alone", "north alone"]


def test_a_cell_is_the_recall_of_its_model_at_its_site_or_null(judged: RunFiles) -> None:
    rows = cross_sites(judged)["rows"]
    values = [[cell and cell["value"] for cell in row["cells"]] for row in rows]
    assert values == [[0.7, 0.6], [0.4, None], [0.2, 0.58]]


def test_without_an_evaluation_it_says_what_to_run(plain: RunFiles) -> None:
    assert "evaluate_global" in cross_sites(plain)["missing"]


def test_what_was_left_out_is_told_with_its_reason(run: Path, evaluation: Path) -> None:
    file = evaluation / "app_server" / "fedaid" / "evaluation.json"
    left_out = {"global": {}, "local:south": {"south": "no answer in time"}}
    file.write_text(json.dumps(json.loads(file.read_text()) | {"left_out": left_out}))
    told = [{"model": "south alone", "site": "south", "reason": "no answer in time"}]
    assert cross_sites(read_run_files(run, evaluation))["left_out"] == told
