from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from admin.results.report.films.held_out import read_held_out, site_folders
from fedaid.data.manifest import read_manifest
from fedaid.errors import InputError
from fedaid.models.dual_encoder import DualEncoder


def test_one_site_or_a_folder_of_sites_may_be_given(consortium: dict[str, Path]) -> None:
    name, root = next(iter(consortium.items()))
    assert site_folders(root) == {name: root}
    assert site_folders(root.parent) == consortium


def test_a_folder_without_a_site_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"--sites must hold manifest.csv"):
        site_folders(tmp_path)


def test_it_holds_the_test_studies_and_no_others(
    consortium: dict[str, Path], model: DualEncoder, tmp_path: Path
) -> None:
    root = next(iter(consortium.values()))
    configuration: dict[str, Any] = model.configuration
    found = read_held_out(root, tmp_path, configuration)
    expected = [study.text for study in read_manifest(root).studies if study.split == "test"]
    assert list(found.texts) == expected
    assert len(found.dataset) == len(found.rows) == len(expected) > 0
    assert found.picture(0).shape == (configuration["image_size"],) * 2
    assert found.picture(0).dtype == np.float32
