from __future__ import annotations

import pytest

from tests.admin.site.doctor.evidence_of import case, fires_for, look, site


@pytest.mark.parametrize(
    ("report", "labels", "contradicts"),
    [
        ("Small left effusion.", ("Pleural Effusion",), False),
        ("Small left effusion.", ("No Finding",), True),
        ("No effusion. Left nodule.", ("Pleural Effusion",), True),
        ("Effusion and nodule.", ("Pneumothorax", "Lung Lesion"), False),
        ("Small left effusion.", ("COVID-19",), False),
        ("Small left effusion.", (), False),
        ("Clear lungs.", ("No Finding",), False),
    ],
)
def test_a_report_may_contradict_its_labels(report: str, labels: tuple[str, ...], contradicts: bool) -> None:
    assert fires_for("report-contradicts-labels", case(2, report=report, labels=labels)) == [2] * contradicts


def test_a_label_in_one_split_only_is_told_unless_it_is_rare() -> None:
    held = [case(number, split="valid") for number in range(2, 5)]
    alone = [case(10 + number, labels=("Edema",)) for number in range(20)]
    assert len(fires_for("label-in-one-split", *held, *alone, sound=3)) == 20
    assert fires_for("label-in-one-split", *held, *alone[:19], sound=3) == []


def test_a_label_that_almost_all_have_is_told() -> None:
    assert look("label-dominant", site(case(2, labels=("Edema",)), sound=30)).count == 30
    assert not look("label-dominant", site(*(case(n, labels=("Edema",)) for n in range(2, 6)), sound=30)).fired
    assert not look("label-dominant", site(sound=5)).fired
