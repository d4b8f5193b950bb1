from __future__ import annotations

import numpy as np

from admin.twin.findings import KINDS, SIDES, Finding, Findings, sample_findings
from fedaid.data.table import CHEXPERT_14

OFTEN = dict.fromkeys(KINDS, 0.5)


def samples(count: int, prevalence: dict[str, float]) -> list[Findings]:
    rng = np.random.default_rng(0)
    return [sample_findings(rng, prevalence) for _ in range(count)]


def test_every_label_of_a_kind_is_a_chexpert_name() -> None:
    assert {label for kind in KINDS.values() for label in kind.labels} <= set(CHEXPERT_14)


def test_a_normal_study_is_labelled_no_finding() -> None:
    assert Findings().labels == ("No Finding",)


def test_labels_are_distinct_and_in_the_usual_order() -> None:
    findings = Findings((Finding("tube"), Finding("line", "left"), Finding("cardiomegaly", extent="mild")))
    assert findings.labels == ("Cardiomegaly", "Support Devices")


def test_prevalence_zero_gives_a_normal_study() -> None:
    assert samples(20, {}) == [Findings()] * 20


def test_a_kind_occurs_as_often_as_its_prevalence_says() -> None:
    share = np.mean([bool(found.of("oedema")) for found in samples(2000, {"oedema": 0.3})])
    assert abs(share - 0.3) < 0.04


def test_attributes_are_those_of_the_kind() -> None:
    items = [item for found in samples(400, OFTEN) for item in found.items]
    assert {item.kind for item in items} == set(KINDS)
    for item in items:
        kind = KINDS[item.kind]
        assert item.side in kind.sides
        assert item.zone in kind.zones
        assert item.extent in kind.extents


def test_a_second_finding_of_a_kind_is_on_the_other_side() -> None:
    pairs = [found.of("nodule") for found in samples(300, {"nodule": 1.0}) if len(found.of("nodule")) == 2]
    assert len(pairs) > 30
    assert all({one.side, two.side} == set(SIDES) for one, two in pairs)


def test_a_lower_nodule_under_fluid_is_not_reported() -> None:
    for found in samples(300, {"nodule": 1.0, "effusion": 1.0}):
        wet = set(found.of("effusion")[0].sides)
        assert not [item for item in found.of("nodule") if item.zone == "lower" and item.side in wet]


def test_a_chronic_finding_comes_back_unchanged() -> None:
    pacemaker = Finding("pacemaker", "right")
    found = sample_findings(np.random.default_rng(0), {}, chronic=(pacemaker,))
    assert found.items == (pacemaker,) == found.chronic
