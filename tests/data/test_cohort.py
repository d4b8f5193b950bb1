from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from fedaid.data.dataset import cohort_of
from fedaid.data.manifest import Study

STUDY = Study(line=2, patient_id="SECRET-1", image=Path("i"), text="Clear.", split="test", labels=("Edema",))
OTHER = replace(STUDY, patient_id="SECRET-2", labels=(), uncertain=("Fracture",), sex="F", age="80+", view="PA")


def test_patients_are_numbers_in_order_of_their_first_study() -> None:
    assert cohort_of([OTHER, STUDY, OTHER]).patients.tolist() == [0, 1, 0]


def test_no_identifier_is_kept() -> None:
    assert "SECRET" not in repr(cohort_of([STUDY, OTHER]))


def test_each_study_keeps_its_labels_and_groups() -> None:
    cohort = cohort_of([STUDY, OTHER])
    assert cohort.labels == (("Edema",), ())
    assert cohort.uncertain == ((), ("Fracture",))
    assert cohort.groups == {"sex": ("", "F"), "age": ("", "80+"), "view": ("", "PA")}


def test_no_study_is_an_empty_cohort() -> None:
    cohort = cohort_of([])
    assert len(cohort.patients) == 0
    assert cohort.groups == {"sex": (), "age": (), "view": ()}
