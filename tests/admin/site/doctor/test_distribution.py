from __future__ import annotations

from admin.site.doctor.distribution import distributions
from tests.admin.site.doctor.evidence_of import case, site


def test_studies_are_counted_in_classes() -> None:
    tables = distributions(site(case(2, header={"age": 34}), case(3, split="valid", labels=("Edema", "Fracture"))))
    assert tables["Split"] == {"train": 1, "valid": 1}
    assert tables["View"] == {"PA": 2}
    assert tables["Label"] == {"No Finding": 1, "Edema": 1, "Fracture": 1}
    assert tables["Age"] == {"30 to 39": 1, "not stated": 1}
    assert tables["Words that describe the picture"] == {"10 to 19": 2}
    assert tables["Modality"] == {"DX": 2}


def test_no_word_that_somebody_typed_is_the_name_of_a_class() -> None:
    typed = case(2, cells={"view": "quill"}, labels=("quill", "quill two"), split="quill", report="quill quill.")
    tables = distributions(site(typed))
    assert "quill" not in str(tables)
    assert tables["Label"] == {"other": 1}
    assert tables["View"] == {"other": 1}


def test_lengths_above_the_last_bound_are_one_class() -> None:
    tables = distributions(site(case(2, report="word " * 400)))
    assert tables["Words that describe the picture"] == {"320 and more": 1}
