from __future__ import annotations

from pathlib import Path

from tests.benchmarks.identifiers import form_numbers, real_numbers
from tests.real_data import REAL_CXR, needs

CHANGED_BEFORE = 21


def test_nine_of_ten_forms_are_gone_and_none_is_left_silently() -> None:
    numbers = form_numbers()
    assert numbers.gone >= 0.9 * numbers.identifier_forms
    assert numbers.gone + numbers.left_and_flagged == numbers.identifier_forms
    assert numbers.left_silent == 0


@needs(REAL_CXR)
def test_the_false_alarms_on_real_texts_do_not_double() -> None:
    numbers = real_numbers()
    assert numbers is not None
    assert numbers.texts == 705
    assert numbers.changed <= 2 * CHANGED_BEFORE


def test_without_real_texts_there_are_no_numbers(tmp_path: Path) -> None:
    assert real_numbers(tmp_path) is None
