from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

from admin.results.report.card import report_card
from admin.results.report.card_page import report_page
from admin.results.report.run_files import RunFiles


def test_the_card_is_strict_json(judged: RunFiles, plain: RunFiles) -> None:
    for files in (judged, plain):
        card = report_card(files)
        assert json.loads(json.dumps(card, allow_nan=False)) == card


def test_the_card_has_the_runs_own_numbers(plain: RunFiles, run: Path) -> None:
    results = json.loads((run / "app_server" / "fedaid" / "results.json").read_text())
    card = report_card(plain)
    assert card["run"]["best_round"] == results["best_round"]
    assert card["weights"]["rounds"][-1]["site_weights"] == results["site_weights"]
    assert card["exchange"]["down"] == sum(ways["align"]["down"] for ways in results["bytes"].values())


def test_the_card_and_its_page_say_where_the_run_began(plain: RunFiles) -> None:
    assert report_card(plain)["run"]["start"] is None
    start = {"name": "pilot", "sha256": "0a1b", "towers_only": True}
    card = report_card(replace(plain, results={**plain.results, "start": start}))
    assert card["run"]["start"] == start
    assert "The run began from the towers of the model pilot, sha256 <code>0a1b</code>." in report_page(card)


def test_the_card_says_which_site_missed_which_rounds(plain: RunFiles) -> None:
    missed = report_card(plain)["missed"]
    assert missed["rows"] == [{"site": "lake", "rounds": "1-2", "task": "align", "reason": "no answer in time"}]
    assert missed["retries"] == [{"round": 2, "task": "pretrain", "sites": ["north"]}]
    assert list(missed["skipped_generations"]) == ["round-00001"]


def test_what_was_not_given_says_so_in_words(plain: RunFiles) -> None:
    card = report_card(plain)
    missing = [name for name, part in card.items() if isinstance(part, dict) and "missing" in part]
    assert missing == [
        "gains", "matrix", "zero_shot", "multiclass", "linear_probe", "calibration", "subgroups", "geometry",
        "embedding", "examples", "ledger",
    ]  # fmt: skip
    assert all(card[name]["missing"].endswith(".") for name in missing)
