from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from admin.study.compare.sites import Sites, make_workers, read_sites
from fedaid.data.dataset import Draw
from fedaid.data.manifest import read_manifest
from fedaid.models.dual_encoder import DualEncoder
from fedaid.training.settings import TrainingSettings


@pytest.fixture
def sites(consortium: dict[str, Path], model_options: dict[str, Any], tmp_path: Path) -> Sites:
    return read_sites(consortium, DualEncoder(**model_options).configuration, cache=tmp_path)


def test_pooled_data_are_everybodys_and_keep_the_splits(sites: Sites) -> None:
    pooled, own = sites.pooled(), [sites.data(site) for site in sites.images]
    for split in ("train", "valid", "test"):
        assert len(getattr(pooled, split)) == sum(len(getattr(data, split)) for data in own) > 0


def test_pooled_data_hold_each_pair_of_a_site_as_it_has_it(sites: Sites) -> None:
    pooled, own = sites.pooled().train, [sites.data(site).train for site in sites.images]
    pairs = [(dataset, row) for dataset in own for row in range(len(dataset))]
    for number, (dataset, row) in enumerate(pairs):
        here, there = pooled[Draw(number, None)], dataset[Draw(row, None)]
        np.testing.assert_array_equal(here.image, there.image)
        np.testing.assert_array_equal(here.token_ids, there.token_ids)


def test_every_test_study_has_the_number_of_its_patient(sites: Sites, consortium: dict[str, Path]) -> None:
    for site, test in sites.test_sets().items():
        patients = [study.patient_id for study in read_manifest(consortium[site]).studies if study.split == "test"]
        same = [[one == other for other in patients] for one in patients]
        np.testing.assert_array_equal(test.patients[:, None] == test.patients[None, :], same)


def test_workers_have_models_of_their_own_that_start_alike(sites: Sites, model_options: dict[str, Any]) -> None:
    settings = TrainingSettings(batch_size=4, valid_batch_size=2)
    data = {site: sites.data(site) for site in sites.images}
    one, other = make_workers(data, model_options, settings).values()
    name, tensor = next(iter(one.tensors().items()))
    np.testing.assert_array_equal(tensor, other.tensors()[name])
    one.load({name: tensor + 1})
    np.testing.assert_array_equal(tensor, other.tensors()[name])
