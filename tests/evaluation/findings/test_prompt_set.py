from __future__ import annotations

import json
import math
from hashlib import sha256

import pytest

from admin.twin.findings import KINDS
from fedaid.data.table import CHEXPERT_14
from fedaid.errors import InputError
from fedaid.evaluation.findings.prompt_set import FOLDER, read_prompt_set
from fedaid.models.vocabulary import load_tokenizer

NAMES = sorted(file.stem for file in FOLDER.glob("*.json"))
SET = read_prompt_set("chexpert-v1")


def values(target: object) -> list[float | None]:
    return [None if math.isnan(value) else value for value in target]  # type: ignore[attr-defined]


def test_there_is_a_set_of_all_chexpert_findings() -> None:
    assert NAMES == ["chexpert-v1"]
    assert tuple(SET.findings) == CHEXPERT_14


def test_a_file_of_prompts_never_changes_since_results_name_it() -> None:
    digest = "92dabc9562fa8c571f07b48966552db6e596efc154808f2ec9b8d34be5f8a620"
    assert sha256((FOLDER / "chexpert-v1.json").read_bytes()).hexdigest() == digest, "other words are another version"


def test_what_the_twin_labels_has_prompts() -> None:
    labels = {label for kind in KINDS.values() for label in kind.labels} | {"No Finding"}
    assert len(labels) == 12
    assert labels <= set(SET.findings)


@pytest.mark.parametrize("name", NAMES)
def test_each_finding_is_asserted_and_denied_in_words_that_the_model_reads(name: str) -> None:
    tokenizer, said = load_tokenizer(), read_prompt_set(name)
    assert said.name == name
    unknown = tokenizer.token_to_id("[UNK]")
    for prompts in said.findings.values():
        assert len(prompts.positive) >= 2
        assert len(prompts.negative) >= 2
        assert not set(prompts.positive) & set(prompts.negative)
        assert all(unknown not in tokenizer.encode(text).ids for text in (*prompts.positive, *prompts.negative))


@pytest.mark.parametrize("name", NAMES)
def test_no_name_stands_for_two_findings(name: str) -> None:
    content = json.loads((FOLDER / f"{name}.json").read_text())["findings"]
    names = [one.lower() for finding, said in content.items() for one in (finding, *said["also"])]
    assert len(names) == len(set(names))


@pytest.mark.parametrize(
    "label", ["Pleural Effusion", "pleural effusion", " PLEURAL  effusion", "pleural_effusion", "Effusion"]
)
def test_a_label_names_its_finding_in_any_spelling(label: str) -> None:
    targets = SET.targets([(label,)], [()])
    assert {finding for finding, target in targets.items() if target[0] == 1} == {"Pleural Effusion"}


def test_targets_worked_by_hand() -> None:
    labels = [("Edema",), ("No Finding",), (), (), ("Scoliosis",), ("edema", "Fracture")]
    uncertain = [(), (), (), ("Edema",), (), ("Edema",)]
    targets = SET.targets(labels, uncertain)
    assert values(targets["Edema"]) == [1, 0, None, None, 0, 1]
    assert values(targets["Fracture"]) == [0, 0, None, 0, 0, 1]
    assert values(targets["No Finding"]) == [0, 1, None, 0, 0, 0]


def test_a_set_that_is_not_there_is_refused_by_name() -> None:
    with pytest.raises(InputError, match=r"prompt_set must be known, got chexpert: .*Did you mean chexpert-v1"):
        read_prompt_set("chexpert")
