"""Evaluates the model of a site's worker at the site; the result may leave the site."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import torch

from fedaid.data.dataset import StudyDataset
from fedaid.evaluation.embedded_split import EmbeddedSplit
from fedaid.evaluation.findings.own_findings import extended
from fedaid.evaluation.findings.prompt_set import PromptSet, read_prompt_set
from fedaid.evaluation.findings.zero_shot import Floats, PromptEmbeddings
from fedaid.evaluation.plain_result import rounded
from fedaid.evaluation.settings import EvaluationSettings
from fedaid.evaluation.suite import evaluate
from fedaid.models.dual_encoder import DualEncoder, Embeddings
from fedaid.models.vocabulary import find_vocabulary, load_tokenizer
from fedaid.training.site_worker import SiteWorker

DEFAULTS = EvaluationSettings()
Compare = Callable[[EmbeddedSplit], dict[str, Any] | None]


def compare_with_none(test: EmbeddedSplit) -> None:
    """Compares with no other model."""


def evaluate_site(
    worker: SiteWorker, settings: EvaluationSettings = DEFAULTS, *, compare: Compare = compare_with_none
) -> dict[str, Any]:
    """The suite's result for the worker's current model on its site's test split, with the loss in nats.

    All splits are embedded, unaugmented: "train" for the probes, "valid" for thresholds.

    Args:
        worker: holds the model and the data.
        settings: of the evaluation.
        compare: called with the test split if it has enough patients; its result is ``difference_to_global``.

    Returns:
        The dictionary of ``docs/evaluation.md``: aggregates only.

    Raises:
        InputError: for an unknown prompt set, or an own finding with the name of another.
    """
    prompt_set = extended(read_prompt_set(settings.prompt_set), settings.own_findings)
    validation = worker.validate("test") if len(worker.data.test) else None
    splits = {
        "train": embedded_split(worker.data.train, worker.embed(worker.data.train), prompt_set),
        "valid": embedded_split(worker.data.valid, worker.embed(worker.data.valid), prompt_set),
        "test": embedded_split(worker.data.test, validation.embeddings if validation else None, prompt_set),
    }
    prompts = embedded_prompts(worker.model, prompt_set)
    result = evaluate(splits, prompts, logit_scale=worker.model.logit_scale.item(), settings=settings)
    enough = splits["test"].patient_count >= settings.least_patients
    loss = validation.loss if validation and enough else None
    return result | {"loss": rounded(loss), "difference_to_global": compare(splits["test"]) if enough else None}


def embedded_split(dataset: StudyDataset, embeddings: Embeddings | None, prompt_set: PromptSet) -> EmbeddedSplit:
    """A split in the form that the suite reads; an empty split has no embeddings."""
    cohort = dataset.cohort
    image, text = (part.numpy() for part in embeddings) if embeddings else (np.zeros((0, 1)), np.zeros((0, 1)))
    targets = prompt_set.targets(cohort.labels, cohort.uncertain)
    return EmbeddedSplit(image, text, dataset.text_groups, cohort.patients, targets, cohort.groups)


def embedded_prompts(model: DualEncoder, prompt_set: PromptSet) -> dict[str, PromptEmbeddings]:
    """Finding → embeddings of its prompts under the model."""
    return {
        name: PromptEmbeddings(embedded_texts(model, prompts.positive), embedded_texts(model, prompts.negative))
        for name, prompts in prompt_set.findings.items()
    }


@torch.no_grad()
def embedded_texts(model: DualEncoder, texts: Sequence[str]) -> Floats:
    """Unit-norm embeddings (M, D) of texts; each is embedded alone, so that no text's length affects another."""
    model.eval()
    device = model.log_logit_scale.device
    settings = model.configuration
    tokenizer = load_tokenizer(find_vocabulary(settings["vocabulary"]), max_tokens=settings["max_tokens"])
    rows = []
    for text in texts:
        ids = torch.tensor([tokenizer.encode(text).ids], device=device)
        mask = torch.ones_like(ids, dtype=torch.bool)
        rows.append(model.text["alignment"](model.text_features(ids, mask), mask))
    return torch.cat(rows).float().cpu().numpy()
