"""Real radiographs, texts and DICOM files beside the project; a test that needs an absent folder is skipped."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

VARIABLE = "FEDAID_REAL_DATA"
FOLDER = Path(os.environ.get(VARIABLE) or Path(__file__).parents[2] / "shared" / "data")
REAL_CXR, REAL_DICOM = FOLDER / "real_cxr", FOLDER / "dicom"


def needs(folder: Path) -> pytest.MarkDecorator:
    """A mark that skips tests without this folder; the summary of the run gives the reason."""
    return pytest.mark.skipif(not folder.is_dir(), reason=reason_without(folder))


def present(folder: Path) -> Path:
    """The folder; without it the test is skipped."""
    if not folder.is_dir():
        pytest.skip(reason_without(folder))
    return folder


def reason_without(folder: Path) -> str:
    """Why a test of this folder cannot run."""
    return f"real data '{folder.name}' is not on this machine: set {VARIABLE} to the folder that holds it"


def summary() -> str:
    """One line for the head of a run: which real data are there and which are not."""
    found = [folder.name for folder in (REAL_CXR, REAL_DICOM) if folder.is_dir()]
    absent = [folder.name for folder in (REAL_CXR, REAL_DICOM) if not folder.is_dir()]
    skipped = f"; without {', '.join(absent)}: their tests are skipped, set {VARIABLE}" if absent else ""
    return f"real data: {', '.join(found) or 'none'}{skipped}"
