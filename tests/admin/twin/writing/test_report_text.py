from __future__ import annotations

import numpy as np
import pytest

from admin.twin.findings import KINDS, Finding, Findings
from admin.twin.writing.phrases import STYLES
from admin.twin.writing.report_text import write_report

EVERY_SHAPE = [
    Finding(name, side, zone, extent)
    for name, kind in KINDS.items()
    for side in kind.sides
    for zone in kind.zones
    for extent in kind.extents
]


def report(findings: Findings, style: str, *, seed: int = 0, follow_up: bool = False) -> str:
    return write_report(findings, np.random.default_rng(seed), style=style, follow_up=follow_up)


@pytest.mark.parametrize("style", STYLES)
def test_every_attribute_of_a_finding_is_stated(style: str) -> None:
    words = STYLES[style].words
    for finding in EVERY_SHAPE:
        for seed in range(4):
            text = report(Findings((finding,)), style, seed=seed).lower()
            for attribute in (finding.side, finding.zone, finding.extent):
                assert words.get(attribute, attribute).lower() in text


@pytest.mark.parametrize("style", STYLES)
def test_findings_that_differ_read_differently(style: str) -> None:
    texts = {report(Findings((finding,)), style) for finding in EVERY_SHAPE}
    assert len(texts) == len(EVERY_SHAPE) > 50


@pytest.mark.parametrize("style", STYLES)
def test_a_style_words_every_kind_in_more_than_one_way(style: str) -> None:
    assert set(STYLES[style].positive) == set(KINDS)
    assert all(len(set(ways)) >= 2 for ways in STYLES[style].positive.values())


@pytest.mark.parametrize("style", STYLES)
def test_what_is_present_is_not_denied(style: str) -> None:
    negatives = STYLES[style].negative["effusion"]
    for seed in range(20):
        text = report(Findings((Finding("effusion", "left", extent="small"),)), style, seed=seed)
        assert not any(sentence in text for sentence in negatives)


@pytest.mark.parametrize("style", STYLES)
def test_a_normal_study_is_called_normal(style: str) -> None:
    assert any(sentence in report(Findings(), style) for sentence in STYLES[style].normal)


@pytest.mark.parametrize("style", STYLES)
def test_a_report_has_no_unfilled_place_and_no_double_blank(style: str) -> None:
    text = report(Findings(tuple(EVERY_SHAPE)), style)
    assert "{" not in text
    assert "  " not in text
    assert text.endswith("\n")
    assert not text.endswith(" \n")


def test_a_structured_report_has_its_headings_and_compares() -> None:
    text = report(Findings(), "structured", follow_up=True)
    assert [line.split(":")[0] for line in text.splitlines()] == ["HISTORY", "COMPARISON", "FINDINGS", "IMPRESSION"]
    assert "COMPARISON: Prior radiograph." in text
