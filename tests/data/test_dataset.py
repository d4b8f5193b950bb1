from __future__ import annotations

import numpy as np
import pytest
import torch
from tokenizers import Tokenizer

from fedaid.data.dataset import Draw, Sample, StudyDataset, collate, group_texts
from fedaid.data.manifest import Study
from fedaid.models.vocabulary import load_tokenizer

TEXTS = ("The lungs are clear.", "Large left pleural effusion with opacity at the base.", "the  lungs are CLEAR.")


@pytest.fixture(scope="module")
def tokenizer() -> Tokenizer:
    return load_tokenizer(max_tokens=12)


@pytest.fixture
def dataset(tokenizer: Tokenizer, tmp_path_factory: pytest.TempPathFactory) -> StudyDataset:
    """Three studies in rows 1, 4 and 2 of five pictures."""
    image = tmp_path_factory.mktemp("images") / "unused"
    studies = {
        row: Study(line=row, patient_id="P", image=image, text=text, split="train", labels=())
        for row, text in zip((1, 4, 2), TEXTS, strict=True)
    }
    pixels = np.random.default_rng(0).random((5, 8, 8)).astype(np.float16)
    pixels[:, 0, 0] = [0.0, 0.1, 0.2, 0.3, 0.4]
    return StudyDataset(studies, pixels, tokenizer)


def test_a_sample_pairs_the_picture_and_the_report_of_one_study(dataset: StudyDataset, tokenizer: Tokenizer) -> None:
    assert len(dataset) == 3
    for number, row in enumerate((1, 4, 2)):
        sample = dataset[Draw(number, None)]
        assert sample.image[0, 0, 0].item() == pytest.approx(2 * row / 10 - 1, abs=1e-3)
        assert sample.token_ids.tolist() == tokenizer.encode(TEXTS[number]).ids


def test_a_plain_sample_is_in_the_model_range(dataset: StudyDataset) -> None:
    image = dataset[Draw(0, None)].image
    assert (image.shape, image.dtype) == ((1, 8, 8), torch.float32)
    assert -1 <= image.min() < image.max() <= 1


def test_augmentation_depends_on_the_seed_of_the_draw_alone(dataset: StudyDataset) -> None:
    first = dataset[Draw(0, 7)].image
    for seed in range(5):
        dataset[Draw(1, seed)]
    assert torch.equal(dataset[Draw(0, 7)].image, first)
    assert not torch.equal(dataset[Draw(0, 8)].image, first)


def test_a_plain_sample_is_the_same_whatever_was_drawn_before(dataset: StudyDataset) -> None:
    first = dataset[Draw(0, None)].image
    dataset[Draw(0, 7)]
    assert torch.equal(dataset[Draw(0, None)].image, first)


def test_a_report_is_cut_to_the_longest_length(dataset: StudyDataset) -> None:
    assert len(dataset.token_ids[1]) == 12


def test_texts_that_differ_only_in_case_and_spacing_form_one_group(dataset: StudyDataset) -> None:
    assert group_texts(TEXTS).tolist() == [0, 1, 0]
    assert dataset.text_groups.tolist() == [0, 1, 0]


def test_a_batch_is_padded_with_zero_and_its_mask_is_true_at_real_tokens() -> None:
    image = torch.zeros(1, 2, 2)
    batch = collate([Sample(image, torch.tensor([2, 9, 3]), 4), Sample(image + 1, torch.tensor([2, 0, 7, 8, 3]), 0)])
    assert batch.token_ids.tolist() == [[2, 9, 3, 0, 0], [2, 0, 7, 8, 3]]
    assert batch.mask.tolist() == [[True] * 3 + [False] * 2, [True] * 5]
    assert batch.images[:, 0, 0, 0].tolist() == [0.0, 1.0]
    assert (batch.token_ids.dtype, batch.mask.dtype) == (torch.int64, torch.bool)


def test_an_empty_split_is_an_empty_dataset(tokenizer: Tokenizer) -> None:
    assert len(StudyDataset({}, np.zeros((5, 8, 8), np.float16), tokenizer)) == 0


def test_the_cohort_is_that_of_the_studies_in_their_order(dataset: StudyDataset) -> None:
    assert dataset.cohort.patients.tolist() == [0, 0, 0]
    assert dataset.cohort.labels == ((), (), ())
