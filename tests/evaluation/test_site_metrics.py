from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from sklearn.metrics import average_precision_score, balanced_accuracy_score, roc_auc_score

from fedaid.evaluation import site_metrics as module
from fedaid.evaluation.bootstrap import expanded_level
from fedaid.evaluation.embedded_split import EmbeddedSplit
from fedaid.evaluation.findings.zero_shot import PromptEmbeddings, macro_auroc
from fedaid.evaluation.retrieval import retrieval
from fedaid.evaluation.settings import EvaluationSettings
from fedaid.evaluation.site_metrics import SiteMetrics

Site, Prompts = dict[str, EmbeddedSplit], dict[str, PromptEmbeddings]
QUICK = EvaluationSettings(draws=100)


def metrics(site: Site, prompts: Prompts, settings: EvaluationSettings = QUICK) -> SiteMetrics:
    return SiteMetrics(site, prompts, logit_scale=10.0, settings=settings)


def test_recalls_are_those_of_the_test_split(site: Site, prompts: Prompts) -> None:
    test = site["test"]
    found = metrics(site, prompts).retrieval()
    expected = retrieval(test.image, test.text, test.text_groups)
    assert {name: one["value"] for name, one in found.items()} == pytest.approx(expected, abs=1e-4)
    assert all(one["low"] <= one["value"] <= one["high"] for one in found.values())


def test_findings_are_told_by_the_margin_of_their_prompts(site: Site, prompts: Prompts) -> None:
    found, test = metrics(site, prompts).zero_shot(), site["test"]
    for number, name in enumerate(("Edema", "Fracture")):
        area = roc_auc_score(test.targets[name], test.image[:, number])
        assert found["findings"][name]["auroc"]["value"] == pytest.approx(area, abs=1e-4)
    assert found["findings"]["Rare"]["auroc"] is None
    both = [found["findings"][name]["auroc"]["value"] for name in ("Edema", "Fracture")]
    assert found["macro_auroc"]["value"] == pytest.approx(np.mean(both), abs=1e-4)


def test_mean_precision_is_over_the_reported_findings_and_by_their_share_of_the_training_patients(
    site: Site, prompts: Prompts
) -> None:
    test, train = site["test"], site["train"]
    few = np.where(np.isin(train.patients, np.unique(train.patients)[:6]), 1.0, 0.0)  # 6 of some 80 patients
    rarer = site | {"train": replace(train, targets={**train.targets, "Fracture": few})}
    found = metrics(rarer, prompts).zero_shot()
    of = {
        name: average_precision_score(test.targets[name], test.image[:, n])
        for n, name in enumerate(("Edema", "Fracture"))
    }
    assert found["macro_average_precision"]["value"] == pytest.approx(np.mean([*of.values()]), abs=1e-4)
    assert found["macro_average_precision"]["findings"] == 2
    bins = {name: one["value"] for name, one in found["by_prevalence"].items()}
    assert bins == pytest.approx({"head": of["Edema"], "medium": of["Fracture"]}, abs=1e-4)
    assert [found["findings"][name]["prevalence"] for name in ("Edema", "Fracture", "Rare")] == [
        "head", "medium", None,
    ]  # fmt: skip


def test_accuracy_among_findings_is_that_of_studies_with_one_of_them(site: Site) -> None:
    """Edema and consolidation stand for the first two axes of the fixture's embeddings."""
    names, axes = ("Consolidation", "Edema"), np.eye(16)
    prompts = {name: PromptEmbeddings(axes[n : n + 1], -axes[n : n + 1]) for n, name in enumerate(names)}
    given = {
        name: replace(split, targets=dict(zip(names, split.targets.values(), strict=False)))
        for name, split in site.items()
    }
    found, test = metrics(given, prompts).zero_shot()["multiclass"], given["test"]
    first, second = (test.targets[name] == 1 for name in names)
    one = first != second
    said = test.image[one, 1] > test.image[one, 0]
    assert found["accuracy"]["value"] == pytest.approx(balanced_accuracy_score(second[one], said), abs=1e-4)
    assert (found["chance"], list(found["classes"])) == (0.5, ["Consolidation", "Edema"])


def test_prompts_the_wrong_way_round_are_flagged(site: Site, prompts: Prompts) -> None:
    turned = prompts | {"Edema": PromptEmbeddings(*reversed(prompts["Edema"]))}
    found = metrics(site, turned).zero_shot()["findings"]
    assert [found[name]["inverted"] for name in ("Edema", "Fracture", "Rare")] == [True, False, False]


def test_a_probe_with_more_labels_is_better_and_sees_findings_that_are_reported(site: Site, prompts: Prompts) -> None:
    found = metrics(site, prompts).linear_probe()
    assert list(found) == ["0.01", "0.1", "1.0"]
    assert all(share["findings"] == 2 for share in found.values())
    assert found["1.0"]["macro_auroc"]["value"] > found["0.1"]["macro_auroc"]["value"]


def test_doubt_about_findings_that_are_told_apart_is_not_calibrated(site: Site, prompts: Prompts) -> None:
    doubtful, sure = (SiteMetrics(site, prompts, logit_scale=s, settings=QUICK).calibration() for s in (1e-3, 30))
    assert doubtful["zero_shot"]["value"] == pytest.approx(0.5, abs=0.1)
    assert sure["zero_shot"]["value"] < 0.1
    assert doubtful["linear_probe"] == sure["linear_probe"]
    assert set(sure["linear_probe"]["findings"]) == {"Edema", "Fracture"}


def test_a_column_shows_large_groups_only(site: Site, prompts: Prompts) -> None:
    found = metrics(site, prompts).subgroups()
    assert set(found["sex"]["groups"]) == {"F", "M"}
    assert found["age"]["groups"] == {}  # "<40" are three patients, whom all without those of "80+" would tell
    assert found["age"]["gap"] == {"recall_at_5": None, "macro_auroc": None}
    assert found["view"]["groups"] == {}


def test_the_recall_of_a_group_is_among_all_studies(site: Site, prompts: Prompts) -> None:
    test = site["test"]
    women = np.array(test.subgroups["sex"]) == "F"
    similarity = test.image @ test.text.T
    own = np.diag(similarity)
    there = (similarity > own[:, None]).sum(axis=1) < 5
    back = (similarity > own[None, :]).sum(axis=0) < 5
    found = metrics(site, prompts).subgroups()["sex"]["groups"]["F"]["recall_at_5"]
    assert found["value"] == pytest.approx((there[women].mean() + back[women].mean()) / 2, abs=1e-4)


def test_groups_are_compared_on_the_findings_that_all_of_them_have(site: Site, prompts: Prompts) -> None:
    test = site["test"]
    women = np.array(test.subgroups["sex"]) == "F"
    edema = np.where(women, 0.0, test.targets["Edema"])  # no woman has it
    changed = site | {"test": replace(test, targets={**test.targets, "Edema": edema})}
    found = metrics(changed, prompts).subgroups()["sex"]["groups"]
    expected = roc_auc_score(test.targets["Fracture"][~women], test.image[~women, 1])
    assert found["M"]["macro_auroc"]["value"] == pytest.approx(expected, abs=1e-4)


def test_geometry_of_equal_embeddings_has_no_distance(site: Site, prompts: Prompts) -> None:
    equal = site | {"test": replace(site["test"], text=site["test"].image)}
    found = metrics(equal, prompts).geometry()
    assert found["alignment"] == found["modality_gap"] == {"value": 0, "low": 0, "high": 0}
    assert found["image_uniformity"] == found["text_uniformity"]


def test_geometry_has_its_interval_over_patients(site: Site, prompts: Prompts) -> None:
    found = metrics(site, prompts).geometry()
    assert all(one["low"] < one["value"] < one["high"] for one in found.values())
    assert -8 < found["image_uniformity"]["low"] < found["image_uniformity"]["high"] < 0


def rare_findings(rng: np.random.Generator) -> EmbeddedSplit:
    """60 patients of whom 6 have each of two findings, which are told with an AUROC of 0.76."""
    shows = np.stack([rng.permutation(60) < 6 for _ in range(2)], axis=1)
    image = np.zeros((60, 16))
    image[:, :2] = rng.normal(size=shows.shape) + shows
    none: dict[str, tuple[str, ...]] = {}
    targets = {name: shows[:, number].astype(float) for number, name in enumerate(("Edema", "Fracture"))}
    return EmbeddedSplit(image, image, np.arange(60), np.arange(60), targets, none)


def test_the_mean_area_of_rare_findings_is_covered_as_often_as_its_interval_says(prompts: Prompts) -> None:
    rng, truth = np.random.default_rng(0), 0.76025  # of two normal distributions one apart, Φ(1/√2)
    told = {name: prompts[name] for name in ("Edema", "Fracture")}
    by_patients, found = 0, 0
    for seed in range(300):
        split = rare_findings(rng)
        made = metrics(
            dict.fromkeys(("train", "valid", "test"), split), told, EvaluationSettings(draws=1000, seed=seed)
        )
        wide, narrow = made.zero_shot()["macro_auroc"], macro_auroc(made._results, level=made._level)
        assert narrow is not None
        found += wide["low"] <= truth <= wide["high"]
        by_patients += narrow.low <= truth <= narrow.high
    assert by_patients / 300 < 0.94
    assert 0.94 <= found / 300 <= 0.985


def test_the_interval_of_a_probe_is_as_wide_as_the_rarer_class_asks_for(
    site: Site, prompts: Prompts, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[float] = []
    probe = module.probe_share
    monkeypatch.setattr(module, "probe_share", lambda *of, level, **more: asked.append(level) or probe(*of, **more))
    metrics(site, prompts).linear_probe()
    test = site["test"]
    rarest = min(
        len(np.unique(test.patients[test.targets[name] == value])) for name in ("Edema", "Fracture") for value in (0, 1)
    )
    assert asked == pytest.approx([expanded_level(0.95, count=rarest)] * 3)
    assert rarest < test.patient_count
