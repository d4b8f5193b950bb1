from __future__ import annotations

import subprocess
import sys
from dataclasses import asdict

import pytest

from fedaid.data.letters.letters import Letters, letters_from
from tests.catalogue.run import ROOT

LETTERS = Letters(found=True, share=0.25, seen=True)


def test_letters_survive_json() -> None:
    assert letters_from(asdict(LETTERS)) == LETTERS
    assert letters_from(None) is None


@pytest.mark.parametrize("change", [{"found": "DOE"}, {"share": "DOE"}, {"seen": 1}, {"words": "DOE"}, {"share": 1}])
def test_letters_hold_no_words(change: dict[str, object]) -> None:
    with pytest.raises(TypeError):
        letters_from(asdict(LETTERS) | change)


def test_who_does_not_look_loads_neither_opencv_nor_the_reader() -> None:
    modules = "import sys, admin, fedaid.data.pixels.decode_worker, fedaid.data.site"
    loaded = f"{modules}; print({{'cv2', 'rapidocr'}} & set(sys.modules))"
    done = subprocess.run([sys.executable, "-c", loaded], cwd=ROOT, capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "set()"
