from __future__ import annotations

import json
import re
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from admin.results.report.card import report_card
from admin.results.report.card_page import report_page
from admin.results.report.run_files import RunFiles, read_run_files
from tests.admin.results.report.card_folder import change
from tests.admin.results.report.evaluation_folder import unlabelled, write_evaluation

SECTIONS = (
    "answer", "recall", "matrix", "learning", "weights", "findings", "subgroups",
    "embedding", "examples", "data", "exchange", "refused", "missed", "settings",
)  # fmt: skip
HOSTILE = '"><script>alert(1)</script><img src=x onerror=y>'


class Page(HTMLParser):
    """The tags, ids, addresses and words of a page."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.ids: list[str] = []
        self.addresses: list[str] = []
        self.words: list[str] = []
        self.feed(text)
        self.text = " ".join(" ".join(self.words).split())

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        for name, value in attrs:
            if name == "id":
                self.ids.append(value or "")
            if name in ("src", "href", "xlink:href", "action", "srcset", "data", "poster"):
                self.addresses.append(value or "")

    def handle_data(self, data: str) -> None:
        self.words.append(data)


@pytest.fixture
def page(judged: RunFiles) -> str:
    return report_page(report_card(judged))


@pytest.fixture
def bare(plain: RunFiles) -> str:
    return report_page(report_card(plain))


def test_a_page_needs_no_script_and_no_other_address(page: str, bare: str) -> None:
    for text in (page, bare):
        found = Page(text)
        assert not {"script", "link", "iframe", "object", "form", "base"} & set(found.tags)
        assert found.addresses
        assert all(address.startswith("#") for address in found.addresses)
        assert not re.search(r"https?://|url\((?!#)|@import|xmlns", text)
        assert "default-src 'none'" in text


def test_an_address_in_a_setting_is_shown_and_is_none(run: Path) -> None:
    file = run / "app_server" / "config" / "config_fed_server.json"
    file.write_text(json.dumps({"components": [{"id": "tracking", "args": {"uri": "https://tracker.example/a"}}]}))
    text = report_page(report_card(read_run_files(run)))
    assert "://" not in text
    assert "https://tracker.example/a" in Page(text).text


def test_every_section_is_there_whatever_is_missing(page: str, bare: str) -> None:
    for text in (page, bare):
        assert set(SECTIONS) <= set(Page(text).ids)


def test_every_link_of_the_page_leads_somewhere(page: str) -> None:
    found = Page(page)
    assert {address.removeprefix("#") for address in found.addresses} <= set(found.ids)


def test_a_missing_part_is_said_and_has_no_chart(bare: str) -> None:
    words = Page(bare).text
    assert "Run the jobs local_pretrain and evaluate_global" in words
    assert 'class="heat"' not in bare
    assert "--allow-examples" in words


def test_the_numbers_of_the_page_are_those_of_the_card(judged: RunFiles, page: str) -> None:
    card, words = report_card(judged), Page(page).text
    assert f"{100 * card['headline']['mean']['recall_at_5']['value']:.1f} %" in words
    assert "lake gains from joining." in words
    assert "+30.0 points" in words, "0.7 shared, 0.4 alone"
    assert "5.0 MB from the server" in words
    assert "71.2 %" in words, "lake's recall at 5 from image to report"
    for entry in card["weights"]["rounds"]:
        assert entry["cause"] in words
        assert all(f"{weight:.3f}" in words for weight in entry["site_weights"].values())
    assert all(value in words for found in card["hashes"].values() for value in [found])


def test_the_headline_says_two_things_and_on_what_evidence(page: str) -> None:
    words = Page(page[page.index('id="answer"') : page.index('class="tiles"')]).text
    assert "On its own patients: lake gains from joining. For north the test data cannot tell." in words
    assert "On the other sites' patients: north gains from joining." in words
    assert "After 2 rounds. Tested on 50 studies of lake, 50 studies of north." in words
    assert "Not converged: still gaining 25.0 points a round" in words


def test_the_heat_map_has_a_cell_for_each_model_and_site(page: str) -> None:
    matrix = page[page.index('id="matrix"') : page.index('id="learning"')]
    shares = re.findall(r"--share: ([0-9.]+)%", matrix)
    assert shares == [str(round(60 * recall, 1)) for recall in (0.7, 0.6, 0.4, 0.2, 0.58)]
    assert matrix.count("not reported") == 1, "what north does not report of lake's model"
    assert matrix.count('class="own"') == 2


def test_suppressed_cells_are_words(page: str) -> None:
    findings = Page(page[page.index('id="findings"') : page.index('id="embedding"')]).text
    assert "Fracture not reported not reported" in findings
    assert "<5" in findings
    assert "inverted" in findings
    assert "None" not in findings
    assert "nan" not in findings.lower().replace("finding", "")


def test_the_mean_precision_and_the_accuracy_among_five_findings_are_on_the_page(page: str) -> None:
    words = Page(page[page.index('id="findings"') : page.index('id="subgroups"')]).text
    assert "lake all 2 0.43 (0.38 to 0.48) 0.3 lake head 2 0.47 (0.42 to 0.52) 0.3" in words
    assert "In no mean of lake, because too few patients have them or do not: Fracture." in words
    assert "Consolidation not reported <5 patients not reported <5 patients Edema 0.51 10-19 patients" in words
    assert "mean of the classes 0.52 (0.47 to 0.57) chance 0.25" in words
    assert "Misplaced tube (own prompts, in no mean) 0.66 0.61 to 0.71" in words
    assert "0.71 to 0.81" in words, "the AUROC of single prompts"
    assert not re.search(r"\b(medium|tail) \d", words), "a bin without a finding is absent"


def test_geometry_and_both_gaps_are_on_the_page(page: str) -> None:
    words = Page(page).text
    assert "lake 0.83 (0.78 to 0.88) −1.94 (−1.99 to −1.89) −2.26 (−2.31 to −2.21) 0.31 (0.26 to 0.36)" in words
    assert "lake, by sex: M above F by +10.0 points (+5.0 to +15.0) in recall at 5." in words
    assert "lake, by sex: F above M by +0.04 (−0.01 to +0.09) in mean AUROC." in words


def test_measures_without_limits_have_a_page(run: Path, tmp_path: Path, models: dict[str, Any]) -> None:
    unlimited = {"value": 0.81, "low": None, "high": None}
    models["global"]["lake"]["zero_shot"]["macro_auroc"] = unlimited
    models["global"]["lake"]["zero_shot"]["findings"]["Cardiomegaly"]["auroc"] = unlimited
    text = report_page(report_card(read_run_files(run, write_evaluation(tmp_path / "few", models))))
    words = Page(text[text.index('id="findings"') : text.index('id="subgroups"')]).text
    assert "0.81 (not reported)" in words
    assert "None" not in words


def test_a_finding_that_one_site_does_not_have_is_not_reported_there(
    run: Path, tmp_path: Path, models: dict[str, Any]
) -> None:
    del models["global"]["lake"]["zero_shot"]["findings"]["Edema"]
    words = Page(report_page(report_card(read_run_files(run, write_evaluation(tmp_path / "one", models))))).text
    assert "Edema not reported 0.31" in words


def test_a_refused_update_is_shown(bare: str) -> None:
    assert "an update of 3.0 norms above the others" in Page(bare).text


def test_a_clipped_update_is_shown(bare: str) -> None:
    assert "Round Site Task Factor 2 lake pretrain 0.25" in Page(bare).text


def test_missed_rounds_retries_and_skipped_generations_are_shown(bare: str) -> None:
    words = Page(bare).text
    assert "lake 1-2 align no answer in time" in words
    assert "Round 2, pretrain: tried again at north" in words
    assert "round-00001 was damaged and skipped: model.safetensors has another sha256" in words


def test_a_run_without_a_fault_says_so(run: Path) -> None:
    change(run, lambda results: [results.pop(name) for name in ("missed", "retries", "skipped_generations")])
    assert "None: every site took part in every round." in Page(report_page(report_card(read_run_files(run)))).text


def test_a_site_without_a_part_in_the_run_is_shown(run: Path) -> None:
    absent = [{"attempt": 1, "site": "south", "reason": "ERROR: <b>not authorized"}]
    change(run, lambda results: results.update(missed=[], absent=absent))
    words = Page(report_page(report_card(read_run_files(run)))).text
    assert "Without site south in job 1 of the run: ERROR: <b>not authorized." in words
    assert "every site took part" not in words


def test_what_a_site_calls_itself_is_escaped(run: Path) -> None:
    def rename(found: Any) -> Any:
        if isinstance(found, dict):
            return {HOSTILE if key == "lake" else key: rename(value) for key, value in found.items()}
        return [rename(value) for value in found] if isinstance(found, list) else found

    change(run, lambda results: results.update(rename(dict(results))))
    change(run, lambda results: [results[name].pop("lake", None) for name in ("best", "pairs", "site_weights")])
    text = report_page(report_card(read_run_files(run)))
    found = Page(text)
    assert not {"script", "img"} & set(found.tags)
    assert HOSTILE in found.text


def test_sites_that_trained_alone_have_a_page(run: Path) -> None:
    def alone(results: dict[str, Any]) -> None:
        results["best_round"] = -1
        for entry in results["history"]:
            entry["site_weights"] = {}

    words = Page(report_page(report_card(read_run_files(change(run, alone))))).text
    assert "Each site trained alone" in words
    assert "There are no site weights" in words


def test_a_page_of_fifty_sites_and_two_hundred_rounds_stays_below_its_size(run: Path) -> None:
    names = [f"hospital-{number:02d}" for number in range(50)]

    def grow(results: dict[str, Any]) -> None:
        draw = np.random.default_rng(0).random
        weights = dict.fromkeys(names, 0.02)
        results["best"], results["site_weights"] = dict.fromkeys(names, results["best"]["lake"]), weights
        results["history"] = [
            {
                "round": n,
                "site_weights": {name: float(draw()) for name in names},
                "valid": {name: {"loss": float(draw()), "recall_at_5": float(draw())} for name in names},
                "refused": {},
            }
            for n in range(200)
        ]

    assert len(report_page(report_card(read_run_files(change(run, grow))))) < 1_500_000


def test_a_run_without_any_test_split_has_a_page(run: Path) -> None:
    change(run, lambda results: [splits.pop("test") for splits in results["best"].values()])
    words = Page(report_page(report_card(read_run_files(run)))).text
    assert words.count("no site has a test split") == 2, "among the first numbers, and in the section"


def test_sites_without_labels_have_a_page(run: Path, tmp_path: Path, models: dict[str, Any]) -> None:
    models["global"] = dict.fromkeys(models["global"], unlabelled())
    page = report_page(report_card(read_run_files(run, write_evaluation(tmp_path / "few", models))))
    findings = Page(page[page.index('id="findings"') : page.index('id="subgroups"')]).text
    assert findings.count("no site has labels of enough patients") == 1, "for all three ways to measure them"
    assert "not reported" not in findings
