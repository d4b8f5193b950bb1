from __future__ import annotations

from pathlib import Path

import pytest
import torch

from fedaid.data.site_data import SiteData
from fedaid.errors import InputError
from fedaid.models.dual_encoder import DualEncoder
from fedaid.training.processes.data_folders import DataFolders


def test_two_loads_give_the_same_studies(
    consortium: dict[str, Path], site_data: SiteData, model: DualEncoder, tmp_path: Path
) -> None:
    folders = DataFolders(next(iter(consortium.values())), tmp_path)
    data = folders.load(model.configuration)
    assert len(data.train) == len(site_data.train) > 0
    pairs = zip(data.train.token_ids, site_data.train.token_ids, strict=True)
    assert all(torch.equal(one, other) for one, other in pairs)


def test_a_folder_without_a_manifest_is_refused(model: DualEncoder, tmp_path: Path) -> None:
    with pytest.raises(InputError, match="manifest"):
        DataFolders(tmp_path, tmp_path).load(model.configuration)
