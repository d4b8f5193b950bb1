from __future__ import annotations

import pytest

from admin.site.doctor.checks.label_checks import WORDS, asserted
from admin.twin.findings import KINDS
from admin.twin.writing.phrases import STYLES


@pytest.mark.parametrize(
    ("text", "labels"),
    [
        ("Small left effusion. No pneumothorax.", {"Pleural Effusion"}),
        ("No effusion but a nodule in the left lung.", {"Lung Lesion"}),
        ("The heart is not enlarged. Without congestion.", set()),
        ("Endotracheal tube; no fracture.", {"Support Devices"}),
        ("Cardiomegaly with edema and effusion, no pneumonia.", {"Cardiomegaly", "Edema", "Pleural Effusion"}),
        ("", set()),
    ],
)
def test_a_text_asserts_what_it_does_not_deny(text: str, labels: set[str]) -> None:
    assert asserted(text) == labels


@pytest.mark.parametrize("style", STYLES)
def test_what_the_twin_writes_of_a_finding_asserts_one_of_its_labels(style: str) -> None:
    told = 0
    for kind, phrases in STYLES[style].positive.items():
        labels = set(KINDS[kind].labels) & set(WORDS)
        for phrase in phrases if labels else ():
            told += 1
            assert labels & asserted(phrase.format(side="left", zone="upper zone", extent="small")), phrase
    assert told > 20


@pytest.mark.parametrize("style", STYLES)
def test_what_the_twin_writes_of_a_normal_study_asserts_nothing(style: str) -> None:
    voice = STYLES[style]
    for phrase in [*voice.normal, *(text for texts in voice.negative.values() for text in texts)]:
        assert not asserted(phrase), phrase
