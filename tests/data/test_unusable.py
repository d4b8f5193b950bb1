from __future__ import annotations

import pickle

import pytest

from fedaid.data.unusable import REMEDIES, UnusableStudy


def test_message_is_the_code_and_its_remedy() -> None:
    assert str(UnusableStudy("image-missing")) == f"image-missing: {REMEDIES['image-missing']}"


def test_a_code_outside_the_set_is_refused() -> None:
    with pytest.raises(KeyError):
        UnusableStudy("/data/patient-7/image.dcm")


def test_reason_survives_pickling() -> None:
    assert pickle.loads(pickle.dumps(UnusableStudy("report-empty"))).reason == "report-empty"  # noqa: S301


def test_every_remedy_is_one_sentence() -> None:
    assert len(REMEDIES) >= 23
    assert all(text.endswith(".") and ". " not in text for text in REMEDIES.values())


def test_the_set_cannot_be_changed() -> None:
    with pytest.raises(TypeError):
        REMEDIES["other"] = "No."  # type: ignore[index]
