"""Two finished runs side by side."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from admin.__main__ import main
from admin.results.report.card import report_card
from admin.results.report.run_comparison import ABSENT, compare_cards, comparison_text
from admin.results.report.run_files import read_run_files
from tests.admin.results.report.card_folder import change, write_card_run


@pytest.fixture
def other(tmp_path: Path) -> Path:
    """A run with another learning rate, another loss at a site and another code."""
    folder = change(
        write_card_run(tmp_path / "other"),
        lambda results: results["last"]["lake"]["valid"].update(loss=1.1),
    )
    file = folder / "app_server" / "config" / "config_fed_server.json"
    file.write_text(
        file.read_text().replace('"num_rounds": 10', '"num_rounds": 100').replace('"run_name": ""', '"run_name": "x"')
    )
    (folder / "app_server" / "custom" / "fedaid" / "errors.py").write_text("# another\n")
    (folder / "meta.json").write_text(json.dumps({"job_id": "5678", "name": "<b>warmer"}))
    return folder


def test_it_says_what_differs_and_by_how_much(run: Path, other: Path) -> None:
    found = compare_cards(report_card(read_run_files(run)), report_card(read_run_files(other)))
    config = json.loads((run / "app_server" / "config" / "config_fed_server.json").read_text())
    rounds = str(config["workflows"][0]["args"]["num_rounds"])
    [changed] = found["settings"]
    assert changed["setting"].endswith(".num_rounds")
    assert (changed["this"], changed["other"]) == (rounds, f"{rounds}0")
    assert [row["what"] for row in found["software"]] == ["code that the job shipped (all files)"]
    lake = next(row for row in found["sites"] if row["site"] == "lake")
    assert lake["loss"] == [1.5, 1.1]
    assert lake["site_weight"] == [0.66, 0.66]
    assert found["mean"]["loss"] == [pytest.approx(1.0), pytest.approx(0.8)]
    assert found["curves"]["loss"][0] == [[0, pytest.approx(2.7)], [1, pytest.approx(1.65)], [2, pytest.approx(1.0)]]


def test_a_site_that_one_run_does_not_have_is_a_dash(run: Path, other: Path) -> None:
    cards = [report_card(read_run_files(folder)) for folder in (run, other)]
    cards[1]["run"]["sites"] = ["lake", "west"]
    rows = {row["site"]: row for row in compare_cards(*cards)["sites"]}
    assert rows["west"]["loss"] == [None, None]
    assert rows["west"]["pairs"] == [None, None]


def test_a_setting_that_one_run_does_not_state_is_absent_there(run: Path, other: Path) -> None:
    cards = [report_card(read_run_files(folder)) for folder in (run, other)]
    cards[0]["settings"]["config_fed_client.json"]["executors.new"] = "7"
    assert {
        "file": "config_fed_client.json",
        "setting": "executors.new",
        "this": "7",
        "other": ABSENT,
    } in compare_cards(*cards)["settings"]


def test_the_verb_prints_a_table_and_writes_a_page_that_stands_alone(
    run: Path, other: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    command = ["report", str(run), "--against", str(other), "--out", str(tmp_path / "out")]
    assert main(command) == 0
    shown = capsys.readouterr().out
    assert shown.splitlines()[0].startswith("this run: fedaid_pretrain, 2 rounds, best 2, job 1234")
    assert "lake: last validation loss" in shown
    assert "1.500" in shown
    assert "1.100" in shown
    page = (tmp_path / "out" / "comparison.html").read_text()
    assert "&lt;b&gt;warmer" in page
    assert "<script" not in page
    assert "://" not in page
    assert page.count("<svg") >= 2
    assert json.loads((tmp_path / "out" / "comparison.json").read_text())["format"] == 1


def test_a_run_against_itself_and_with_other_options_is_refused(
    run: Path, other: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["report", str(run), "--against", str(run)]) == 1
    assert "--against must be another run" in capsys.readouterr().err
    assert main(["report", str(run), "--against", str(other), "--evaluation", str(run)]) == 1
    assert "--against takes only --out" in capsys.readouterr().err
    assert not (run / "comparison.html").exists()


def test_equal_runs_have_nothing_that_differs(run: Path, tmp_path: Path) -> None:
    cards = [report_card(read_run_files(folder)) for folder in (run, write_card_run(tmp_path / "twin"))]
    assert "No setting differs." in comparison_text(compare_cards(*cards))
