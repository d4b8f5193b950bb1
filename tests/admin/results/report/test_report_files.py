from __future__ import annotations

import json
from pathlib import Path

import pytest

from admin.__main__ import main
from admin.results.report.card import report_card
from admin.results.report.report_files import write_report
from admin.results.report.run_files import read_run_files


def test_it_writes_a_page_and_its_json_and_prints_where(
    run: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "out"
    assert main(["report", str(run), "--out", str(out)]) == 0
    assert capsys.readouterr().out.strip() == str(out / "report.html")
    assert json.loads((out / "report.json").read_text()) == report_card(read_run_files(run))
    assert (out / "report.html").read_text().startswith("<!DOCTYPE html>")


def test_by_default_both_lie_in_the_run_folder(run: Path) -> None:
    assert main(["report", str(run)]) == 0
    assert {"report.html", "report.json"} <= {path.name for path in run.iterdir()}


def test_an_evaluation_changes_the_answer(run: Path, evaluation: Path) -> None:
    assert main(["report", str(run), "--evaluation", str(evaluation)]) == 0
    assert "lake gains from joining." in (run / "report.html").read_text()


def test_two_pages_of_one_run_are_the_same(run: Path, evaluation: Path, tmp_path: Path) -> None:
    pages = [write_report(run, out=tmp_path / name, evaluation=evaluation).read_bytes() for name in ("a", "b")]
    assert pages[0] == pages[1]


def test_a_folder_without_a_run_is_one_line(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["report", str(tmp_path)]) == 1
    said = capsys.readouterr().err
    assert said.startswith("error: run folder must hold app_server")
    assert said.count("\n") == 1


def test_examples_need_the_place_where_the_data_lie(run: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["report", str(run), "--allow-examples"]) == 1
    assert "--allow-examples must be used with --sites" in capsys.readouterr().err
    assert not (run / "report.html").exists()
