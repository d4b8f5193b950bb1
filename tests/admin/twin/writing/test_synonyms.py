from __future__ import annotations

import numpy as np
import pytest

from admin.twin.writing.phrases import STYLES
from admin.twin.writing.synonyms import SYNONYMS, reworded


def rng() -> np.random.Generator:
    return np.random.default_rng(0)


@pytest.mark.parametrize("style", STYLES)
def test_every_style_has_synonyms_for_words_that_it_uses(style: str) -> None:
    voice = STYLES[style]
    phrases = [phrase for ways in [*voice.positive.values(), *voice.negative.values()] for phrase in ways]
    used = " ".join([*phrases, *voice.normal]).lower()
    assert len(SYNONYMS[style]) >= 6
    assert all(word.lower() in used for word in SYNONYMS[style])


@pytest.mark.parametrize("style", STYLES)
def test_no_synonym_replaces_a_side_a_zone_or_a_size(style: str) -> None:
    attributes = {"left", "right", "bilateral", "upper", "middle", "lower", "mild", "marked", "small", "large"}
    spelt = attributes | {word.lower() for word in STYLES[style].words.values()}
    assert not spelt & {word.lower() for word in SYNONYMS[style]}


def test_a_share_of_zero_changes_nothing() -> None:
    text = "There is dense shadowing. The patient is intubated."
    assert reworded(text, rng(), style="prose", share=0.0) == text


def test_a_share_of_one_replaces_every_word_that_has_a_synonym() -> None:
    text = reworded("dense shadowing, coin lesion", rng(), style="prose", share=1.0)
    assert "shadowing" not in text
    assert "lesion" not in text


def test_the_longer_of_two_phrases_is_replaced_as_a_whole() -> None:
    assert reworded("Small pleural effusion.", rng(), style="structured", share=1.0).startswith("Small ")


def test_a_capital_at_the_start_is_kept() -> None:
    assert reworded("Consolidation.", rng(), style="structured", share=1.0)[0].isupper()


def test_a_heading_in_capitals_is_left_alone() -> None:
    assert reworded("NORMAL:", rng(), style="structured", share=1.0) == "NORMAL:"


def test_a_part_of_a_word_is_left_alone() -> None:
    assert reworded("abnormality", rng(), style="structured", share=1.0) == "abnormality"
