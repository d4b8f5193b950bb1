from __future__ import annotations

import json
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from fedaid.evaluation.embedded_split import EmbeddedSplit
from fedaid.evaluation.findings.zero_shot import PromptEmbeddings
from fedaid.evaluation.settings import EvaluationSettings
from fedaid.evaluation.suite import PARTS, evaluate

Site, Prompts = dict[str, EmbeddedSplit], dict[str, PromptEmbeddings]
QUICK = EvaluationSettings(draws=50)


def keys(value: Any, at: str = "") -> set[str]:
    """The paths of all keys of a result."""
    if not isinstance(value, dict):
        return {at}
    return {path for name, one in value.items() for path in keys(one, f"{at}/{name}")} | {at}


def run(site: Site, prompts: Prompts, settings: EvaluationSettings = QUICK) -> dict[str, Any]:
    return evaluate(site, prompts, logit_scale=10.0, settings=settings)


def test_the_result_is_plain_json_with_every_part(site: Site, prompts: Prompts) -> None:
    result = run(site, prompts)
    assert json.loads(json.dumps(result, allow_nan=False)) == result
    assert result["schema_version"] == 2
    assert all(result[part] for part in PARTS)


def test_it_is_the_same_for_the_same_seed(site: Site, prompts: Prompts) -> None:
    assert run(site, prompts) == run(site, prompts)
    assert run(site, prompts) != run(site, prompts, replace(QUICK, seed=1))


def test_values_do_not_depend_on_the_order_of_the_studies(site: Site, prompts: Prompts) -> None:
    test, order = site["test"], np.random.default_rng(0).permutation(80)
    turned = EmbeddedSplit(
        *(getattr(test, name)[order] for name in ("image", "text", "text_groups", "patients")),
        targets={name: target[order] for name, target in test.targets.items()},
        subgroups={name: [groups[n] for n in order] for name, groups in test.subgroups.items()},
    )
    first, second = run(site, prompts), run(site | {"test": turned}, prompts)
    assert second["retrieval"] == first["retrieval"]
    assert second["zero_shot"] == first["zero_shot"]


def test_too_few_patients_show_nothing_but_sizes(site: Site, prompts: Prompts) -> None:
    few = replace(site["test"], patients=np.arange(80) % 4)
    result = run(site | {"test": few}, prompts)
    assert result["counts"]["test"] == {"studies": 80, "patients": 4, "texts": 80}
    assert {part: result[part] for part in PARTS} == dict.fromkeys(PARTS)


def test_a_diverged_model_has_its_recall_and_nothing_else(site: Site, prompts: Prompts) -> None:
    broken = {
        name: replace(split, image=split.image * np.nan, text=split.text * np.nan) for name, split in site.items()
    }
    result = run(broken, prompts)
    assert result["retrieval"]["recall_at_5"]["value"] == 0
    assert {part: result[part] for part in PARTS[1:]} == dict.fromkeys(PARTS[1:])


def test_a_site_without_labels_has_no_finding_and_still_all_else(site: Site, prompts: Prompts) -> None:
    bare = {
        name: replace(split, targets={of: np.full(len(split), np.nan) for of in split.targets})
        for name, split in site.items()
    }
    result = run(bare, prompts)
    assert result["zero_shot"]["macro_auroc"] is None
    assert {one["positives"] for one in result["zero_shot"]["findings"].values()} == {"<5"}
    assert result["linear_probe"]["1.0"]["macro_auroc"] is None
    assert result["calibration"]["zero_shot"] == {"value": None, "findings": {}}
    assert result["subgroups"]["sex"]["groups"]["F"]["recall_at_5"]["value"] > 0
    json.dumps(result, allow_nan=False)


def test_numbers_of_patients_with_a_finding_leave_as_bands(site: Site, prompts: Prompts) -> None:
    found = run(site, prompts)["zero_shot"]["findings"]
    assert [found["Edema"][side] for side in ("positives", "negatives")] == ["20-49", "20-49"]
    assert found["Rare"]["positives"] == "<5"


def test_there_is_no_list_in_it_for_anything_of_a_single_study(site: Site, prompts: Prompts) -> None:
    assert "[" not in json.dumps(run(site, prompts))


def test_the_keys_are_those_of_the_document(site: Site, prompts: Prompts) -> None:
    document = (Path(__file__).parents[2] / "docs" / "evaluation.md").read_text(encoding="utf-8")
    example = json.loads(document.split("```json\n")[1].split("```")[0])
    del example["loss"], example["difference_to_global"]  # evaluate_site adds them
    result = run(site, prompts)
    assert list(result) == list(example)
    assert list(result["zero_shot"]) == list(example["zero_shot"])
    assert keys(example["zero_shot"]["macro_average_precision"]) == keys(result["zero_shot"]["macro_average_precision"])
    assert keys(example["zero_shot"]["by_prevalence"]["head"]) == keys(result["zero_shot"]["by_prevalence"]["head"])
    assert result["zero_shot"]["own_findings"] == example["zero_shot"]["own_findings"] == {}
    assert list(example["zero_shot"]["multiclass"]) == list(result["zero_shot"]["multiclass"])
    for part in ("settings", "counts", "calibration", "geometry", "linear_probe"):
        assert list(result[part]) == list(example[part])
    assert keys(example["zero_shot"]["findings"]["Cardiomegaly"]) == keys(result["zero_shot"]["findings"]["Edema"])
    assert keys(example["zero_shot"]["findings"]["Pneumonia"]) == keys(result["zero_shot"]["findings"]["Rare"])
    assert keys(example["linear_probe"]["0.1"]) == keys(result["linear_probe"]["0.1"])
    assert keys(example["subgroups"]["sex"]["groups"]["F"]) <= keys(result["subgroups"]["sex"]["groups"]["F"])
    assert keys(example["subgroups"]["sex"]["gap"]) <= keys(result["subgroups"]["sex"]["gap"])


def test_three_hundred_studies_take_seconds(make_split: Any, prompts: Prompts) -> None:
    site = {"train": make_split(210, 0), "valid": make_split(45, 1), "test": make_split(45, 2)}
    many = {f"{name} {n}": said for name, said in prompts.items() for n in range(5)}
    site = {name: replace(split, targets={of: split.targets[of[:-2]] for of in many}) for name, split in site.items()}
    run(site, many)  # imports scikit-learn
    start = time.process_time()
    run(site, many, EvaluationSettings())
    assert time.process_time() - start < 10
