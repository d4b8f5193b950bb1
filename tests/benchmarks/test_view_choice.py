from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from tests.benchmarks.view_choice import is_lateral, lateral_for_frontal
from tests.field.export import chest, film, report, save, write_reports
from tests.field.field_case import prepared


def test_a_lateral_film_is_recognised(tmp_path: Path) -> None:
    for number in (1, 2):
        pixels = np.round(chest(number, lateral=number == 2) * 4095).astype("<u2")
        save(film(number, pixels), tmp_path / "images" / str(number))
    write_reports(tmp_path, [(number, report(number)) for number in (1, 2)])
    run = prepared(tmp_path)
    assert [is_lateral(run, number) for number in (1, 2)] == [False, True]


@pytest.mark.slow
def test_no_lateral_film_is_taken_from_a_pacs_tree(tmp_path: Path) -> None:
    assert lateral_for_frontal(tmp_path) == (0, 110, 0)
