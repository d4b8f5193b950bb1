from __future__ import annotations

import numpy as np
import pytest

from fedaid.data.letters.reader import read_words
from tests.benchmarks.letter_films import stamp


def test_a_line_is_read_with_its_area(capfd: pytest.CaptureFixture[str]) -> None:
    ink = np.pad(stamp("PELLOWICK UNA", "DejaVuSans.ttf", 24), 20)
    (words,) = read_words(np.rint(255 * ink).astype(np.uint8))
    assert words.text.replace(" ", "") == "PELLOWICKUNA"
    assert words.score > 0.9
    assert 0.3 * ink.size < words.area < ink.size
    assert capfd.readouterr() == ("", "")


def test_nothing_is_read_where_nothing_is_written() -> None:
    assert read_words(np.full((60, 200), 30, dtype=np.uint8)) == []
