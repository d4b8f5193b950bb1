from __future__ import annotations

from pathlib import Path

import numpy as np
from PIL import Image

from admin.site.doctor.collection import prepared_headers, read_headers, untracked
from tests.admin.site.doctor.conftest import Visit


def test_the_headers_of_dicom_files_are_read_and_a_png_has_none(healthy: Visit, tmp_path: Path) -> None:
    Image.fromarray(np.eye(9, dtype=np.uint8)).save(tmp_path / "a.png")
    film = next((healthy.root / "images").iterdir())
    headers = read_headers([(4, film), (5, tmp_path / "a.png")], track=untracked)
    assert list(headers) == [4]
    assert headers[4].body_part == "CHEST"


def test_without_files_there_are_no_headers() -> None:
    assert read_headers([], track=untracked) == {}


def test_a_site_that_was_not_prepared_has_no_prepared_headers(tmp_path: Path) -> None:
    assert prepared_headers(tmp_path) == {}
