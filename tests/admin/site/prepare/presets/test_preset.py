from __future__ import annotations

from pathlib import Path

import pytest

from admin.site.prepare.presets.preset import PRESETS, imported_records
from fedaid.errors import InputError


def test_there_are_five() -> None:
    assert sorted(PRESETS) == ["cxr-clip", "manifest", "mimic-cxr-jpg", "open-clip", "openi"]


def test_a_near_miss_is_told_the_name(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"--preset must be known, got mimic-cxr: .* Did you mean mimic-cxr-jpg\?"):
        imported_records("mimic-cxr", tmp_path, tmp_path)


@pytest.mark.parametrize("preset", PRESETS)
def test_an_empty_folder_is_one_clear_error(preset: str, tmp_path: Path) -> None:
    with pytest.raises(InputError, match=f"preset {preset}") as caught:
        imported_records(preset, tmp_path, tmp_path)
    assert str(tmp_path) not in str(caught.value)


def test_a_table_whose_images_are_all_elsewhere_is_one_clear_error(tmp_path: Path) -> None:
    (tmp_path / "t.tsv").write_text("filepath\ttitle\nSECRET.png\tOne.\n")
    with pytest.raises(InputError, match="--images must hold the images of preset open-clip") as caught:
        imported_records("open-clip", tmp_path, tmp_path / "t.tsv")
    assert "SECRET" not in str(caught.value)
