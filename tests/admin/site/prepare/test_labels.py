from __future__ import annotations

import pytest

from admin.site.prepare.records import kept_labels

CHEXPERT = (
    *("No Finding", "Enlarged Cardiomediastinum", "Cardiomegaly", "Lung Opacity", "Lung Lesion", "Edema"),
    *("Consolidation", "Pneumonia", "Atelectasis", "Pneumothorax", "Pleural Effusion", "Pleural Other", "Fracture"),
    *("Support Devices", "Pleural_Thickening", "COVID-19", "T12 fracture", "Erguss (groß)", "J18"),
    *("?Edema", "? Edema"),
)


@pytest.mark.parametrize("label", CHEXPERT)
def test_words_for_findings_stay(label: str) -> None:
    assert kept_labels(label) == (label, 0)


@pytest.mark.parametrize(
    "label",
    [
        "told 03/05/2021",
        "MRN 55501234",
        "1234567",
        "seen by Dr. Zqdoctor",
        "a@b.org",
        "=1+1",
        "x" * 41,
        "Edema, Jane",
        "??Edema",
        "Edema?",
    ],
)
def test_what_is_no_word_for_a_finding_is_dropped_and_counted(label: str) -> None:
    assert kept_labels(f"Edema|{label}|Nodule") == ("Edema|Nodule", 1)


def test_no_labels_are_none() -> None:
    assert kept_labels("") == kept_labels(" | ") == ("", 0)
