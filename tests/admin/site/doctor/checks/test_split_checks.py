from __future__ import annotations

from tests.admin.site.doctor.evidence_of import case, fires_for, look, site


def test_a_patient_in_two_splits_is_found() -> None:
    one, two = case(2, patient="p"), case(3, patient="p", split="test")
    assert fires_for("patient-overlap", one, two, case(4)) == [2, 3]
    assert fires_for("patient-overlap", case(2, patient=""), case(3, patient="", split="test")) == []


def test_a_split_without_validation_is_an_error() -> None:
    found = look("empty-split", site(sound=5))
    assert (found.fired, found.said) == (True, "no study in valid")
    assert not look("empty-split", site(case(2, split="valid"), sound=2)).fired


def test_unusable_studies_do_not_fill_a_split() -> None:
    assert look("empty-split", site(case(2, split="valid", image_fault="image-missing"), sound=2)).fired


def test_a_small_split_to_validate_on_is_found() -> None:
    held = [case(number, split="valid") for number in range(2, 12)]
    assert len(fires_for("small-held-out", *held[:9], sound=2)) == 9
    assert fires_for("small-held-out", *held, sound=2) == []


def test_few_studies_to_train_on_are_told() -> None:
    assert look("few-studies", site(sound=49)).fired
    assert not look("few-studies", site(sound=50)).fired


def test_a_patient_with_very_many_studies_is_found() -> None:
    assert len(fires_for("frequent-patients", *(case(n, patient="0") for n in range(2, 23)), sound=5)) == 21
    assert fires_for("frequent-patients", *(case(n, patient="0") for n in range(2, 22)), sound=5) == []


def test_studies_without_a_label_are_told_where_others_have_one() -> None:
    assert fires_for("partly-labelled", case(2, labels=()), case(3)) == [2]
    assert fires_for("partly-labelled", case(2, labels=())) == []
