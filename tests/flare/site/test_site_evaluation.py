from __future__ import annotations

import json
from dataclasses import replace

import numpy as np
import pytest
import torch

from fedaid.data.site_data import SiteData
from fedaid.errors import InputError
from fedaid.evaluation.embedded_split import EmbeddedSplit
from fedaid.evaluation.findings.prompt_set import read_prompt_set
from fedaid.evaluation.settings import EvaluationSettings
from fedaid.evaluation.suite import PARTS
from fedaid.flare.site.site_evaluation import embedded_prompts, embedded_split, embedded_texts, evaluate_site
from fedaid.models.dual_encoder import DualEncoder
from fedaid.models.vocabulary import load_tokenizer
from fedaid.training.settings import TrainingSettings
from fedaid.training.site_worker import SiteWorker

FEW = EvaluationSettings(least_patients=2, draws=50)


@pytest.fixture
def worker(model: DualEncoder, site_data: SiteData, settings: TrainingSettings) -> SiteWorker:
    return SiteWorker(model, site_data, settings, site="site")


def test_a_site_of_the_twin_gets_every_part(worker: SiteWorker) -> None:
    result = evaluate_site(worker, FEW)
    assert all(result[part] is not None for part in PARTS)
    assert result["loss"] == pytest.approx(worker.validate("test").loss, abs=1e-4)
    assert set(result["subgroups"]) == {"sex", "age", "view"}
    assert result["counts"]["train"]["studies"] == len(worker.data.train)
    assert any(finding["auroc"] for finding in result["zero_shot"]["findings"].values())
    json.dumps(result, allow_nan=False)


def test_of_too_few_patients_the_loss_is_not_told_either(worker: SiteWorker) -> None:
    assert evaluate_site(worker, replace(FEW, least_patients=50))["loss"] is None


def test_nothing_of_a_patient_is_in_the_result(worker: SiteWorker, site_data: SiteData) -> None:
    text = json.dumps(evaluate_site(worker, FEW))
    assert "TWIN" not in text
    assert "/" not in text.replace("'", "")


def test_the_model_is_as_before(worker: SiteWorker) -> None:
    before = worker.tensors()
    evaluate_site(worker, FEW)
    after = worker.tensors()
    assert all(np.array_equal(before[name], after[name]) for name in before)


def test_an_unknown_prompt_set_is_refused_by_name(worker: SiteWorker) -> None:
    with pytest.raises(InputError, match=r"prompt_set must be known, got chexpert-v0.*chexpert-v1"):
        evaluate_site(worker, replace(FEW, prompt_set="chexpert-v0"))


def test_prompts_are_embedded_as_reports_are(model: DualEncoder) -> None:
    model.eval()
    texts = ["No pleural effusion.", "The heart is enlarged, and there is a small left effusion."]
    tokenizer = load_tokenizer(max_tokens=model.configuration["max_tokens"])
    for text, row in zip(texts, embedded_texts(model, texts), strict=True):
        ids = torch.tensor([tokenizer.encode(text).ids])
        image = torch.zeros(1, 1, 32, 32)
        expected = model(image, ids, torch.ones_like(ids, dtype=torch.bool)).text
        assert row == pytest.approx(expected[0].detach().numpy(), abs=1e-6)
        assert np.linalg.norm(row) == pytest.approx(1, abs=1e-5)


def test_every_finding_has_prompts_of_both_sides(model: DualEncoder) -> None:
    prompt_set = read_prompt_set("chexpert-v1")
    prompts = embedded_prompts(model, prompt_set)
    assert len(prompts) == 14
    for name, both in prompts.items():
        said = prompt_set.findings[name]
        assert [len(side) for side in both] == [len(said.positive), len(said.negative)]


def test_a_split_keeps_its_order(worker: SiteWorker) -> None:
    dataset = worker.data.test
    split = embedded_split(dataset, worker.embed(dataset), read_prompt_set("chexpert-v1"))
    assert len(split) == len(dataset) == len(split.image)
    labels = dataset.cohort.labels
    assert split.targets["No Finding"].tolist() == [float(labels[n] == ("No Finding",)) for n in range(len(dataset))]


def test_a_test_split_of_few_patients_has_no_loss_either_and_is_not_compared(worker: SiteWorker) -> None:
    few, asked = replace(FEW, least_patients=len(worker.data.test) + 1), list[EmbeddedSplit]()
    result = evaluate_site(worker, few, compare=lambda test: asked.append(test))
    assert len(worker.data.test) >= 4, "enough studies for the loss of a batch"
    assert (result["loss"], result["difference_to_global"], asked) == (None, None, [])


def test_what_the_comparison_says_of_the_test_split_is_in_the_result(worker: SiteWorker) -> None:
    result = evaluate_site(worker, FEW, compare=lambda test: {"recall_at_5": {"value": len(test)}})
    assert result["difference_to_global"] == {"recall_at_5": {"value": len(worker.data.test)}}


def labelled_again(worker: SiteWorker, finding: str, label: str) -> None:
    """Gives a label to each study with the finding, in all splits."""
    for split in (worker.data.train, worker.data.valid, worker.data.test):
        labels = tuple((*of, label) if finding in of else of for of in split.cohort.labels)
        split.cohort = replace(split.cohort, labels=labels)


def test_an_own_finding_with_the_prompts_and_studies_of_another_has_its_numbers(worker: SiteWorker) -> None:
    before = evaluate_site(worker, FEW)["zero_shot"]
    finding = next(name for name, found in before["findings"].items() if found["auroc"])
    labelled_again(worker, finding, "tube malposition")
    said = read_prompt_set("chexpert-v1").findings[finding]
    prompts = {"positive": list(said.positive), "negative": list(said.negative), "label": "Tube_malposition"}
    found = evaluate_site(worker, replace(FEW, own_findings={"Misplaced tube": prompts}))
    after = found["zero_shot"]
    assert after["own_findings"] == {"Misplaced tube": after["findings"][finding]}
    assert after["own_findings"]["Misplaced tube"]["prompt_spread"]["pairs"] == len(said.positive) * len(said.negative)
    same = ("macro_auroc", "macro_average_precision", "by_prevalence", "multiclass", "findings")
    assert {name: after[name] for name in same} == {name: before[name] for name in same}, "it is in no mean"
    text = json.dumps(found)
    assert "alposition" not in text, "its label and its prompts stay at the site"
    assert said.positive[0] not in text
    assert "TWIN" not in text


def test_an_own_finding_of_too_few_patients_is_not_reported(worker: SiteWorker) -> None:
    own = {"Misplaced tube": {"positive": "The tube is malpositioned.", "negative": "No tube."}}
    found = evaluate_site(worker, replace(FEW, own_findings=own))["zero_shot"]["own_findings"]["Misplaced tube"]
    assert (found["positives"], found["auroc"], found["prompt_spread"]) == ("<2", None, None)
