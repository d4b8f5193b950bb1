"""No picture is ever paired with another study's report, however numbers are shuffled, shared and spelt."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from tests.catalogue.place import Place
from tests.catalogue.wrong_pairs import FORMS, SIDE, number_of, pairs_of, pattern, word, wrong_pairs

pytestmark = pytest.mark.slow


def test_no_wrong_pair_in_three_forms_of_reports(tmp_path: Path) -> None:
    found = wrong_pairs(tmp_path, seed=7)
    assert tuple(found) == FORMS
    assert {form: pairs.wrong for form, pairs in found.items()} == dict.fromkeys(FORMS, 0)
    assert all(180 < pairs.made < 282 for pairs in found.values()), "a disorder that spoils nothing tests nothing"


def test_a_wrong_pair_would_be_seen(tmp_path: Path) -> None:
    wrong = wrong_site(tmp_path, {0: 0, 1: 2, 2: 1})
    assert (pairs_of(wrong).made, pairs_of(wrong).wrong) == (3, 2)


def wrong_site(folder: Path, of_report: dict[int, int]) -> Path:
    """A site that pairs pictures with the reports given."""
    np.save(folder / "images.npy", np.stack([pattern(number) / 4000 for number in of_report]).astype(np.float16))
    lines = [f"s{n},{Place(folder, '', n).accession},images.npy,{n},Clear {word(r)}." for n, r in of_report.items()]
    (folder / "manifest.csv").write_text("study_id,patient_id,image,image_row,report\n" + "\n".join(lines))
    return folder


@pytest.mark.parametrize("number", [0, 1, 299, 4095])
def test_a_picture_tells_its_study(number: int) -> None:
    assert pattern(number).shape == (SIDE, SIDE)
    assert number_of((pattern(number) / 4000).astype(np.float16)) == number
