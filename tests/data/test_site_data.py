from __future__ import annotations

import shutil
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import pytest

from fedaid.data.manifest import read_manifest
from fedaid.data.site_data import SiteData, load_site_data
from fedaid.errors import InputError
from fedaid.models.vocabulary import load_tokenizer


def test_splits_hold_the_studies_of_the_manifest(
    consortium: dict[str, Path], load_site: Callable[[str], SiteData]
) -> None:
    for site, root in consortium.items():
        data, expected = load_site(site), Counter(study.split for study in read_manifest(root).studies)
        assert {name: len(getattr(data, name)) for name in expected} == dict(expected)
        assert len(expected) == 3
        assert data.skipped == {}


def test_skipped_reports_and_images_are_counted_together(consortium: dict[str, Path], tmp_path: Path) -> None:
    root = shutil.copytree(next(iter(consortium.values())), tmp_path / "site")
    reports, images = sorted((root / "reports").iterdir()), sorted((root / "images").iterdir())
    reports[0].write_text("")
    images[1].write_bytes(b"nothing")
    images[2].write_bytes(b"nothing")
    images[3].unlink()
    data = load_site_data(root, cache=tmp_path / "cache", image_size=32, tokenizer=load_tokenizer())
    assert data.skipped == {"report-empty": 1, "image-unsupported": 2, "image-missing": 1}
    assert len(data.train) + len(data.valid) + len(data.test) == len(reports) - 4


def test_a_site_without_a_manifest_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="data_root must hold manifest"):
        load_site_data(tmp_path, cache=tmp_path / "cache", image_size=32, tokenizer=load_tokenizer())
