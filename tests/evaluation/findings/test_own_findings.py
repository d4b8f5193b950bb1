from __future__ import annotations

import json
from pathlib import Path

import pytest

from fedaid.errors import InputError
from fedaid.evaluation.findings.own_findings import extended, read_own_findings
from fedaid.evaluation.findings.prompt_set import read_prompt_set
from fedaid.evaluation.settings import EvaluationSettings

GOOD = """\
Misplaced tube:
  positive: ["The tube is malpositioned.", "The tip is in the right main bronchus."]
  negative: The tube is in good position.
  label: [tube malposition]
"""
FOUND = {
    "Misplaced tube": {
        "positive": ["The tube is malpositioned.", "The tip is in the right main bronchus."],
        "negative": "The tube is in good position.",
        "label": ["tube malposition"],
    }
}
CHEXPERT = read_prompt_set("chexpert-v1")


def written(tmp_path: Path, text: str) -> Path:
    file = tmp_path / "own.yml"
    file.write_text(text, encoding="utf-8")
    return file


def test_yaml_and_json_are_read_alike(tmp_path: Path) -> None:
    assert read_own_findings(written(tmp_path, GOOD)) == FOUND
    assert read_own_findings(written(tmp_path, json.dumps(FOUND))) == FOUND


def test_a_study_with_the_label_has_the_finding_and_a_labelled_one_without_it_has_not() -> None:
    targets = extended(CHEXPERT, FOUND).targets(
        [("Tube_Malposition",), ("misplaced tube", "Edema"), ("Edema",), ()], [(), (), ("Misplaced tube",), ()]
    )
    assert targets["Misplaced tube"].tolist()[:2] == [1, 1]
    assert [value != value for value in targets["Misplaced tube"]] == [False, False, True, True]
    assert targets["Edema"].tolist()[:3] == [0, 1, 1]


def test_other_prompts_have_another_name_and_those_of_the_bundle_their_own() -> None:
    changed = {"Misplaced tube": FOUND["Misplaced tube"] | {"negative": "No tube."}}
    names = {extended(CHEXPERT, own).name for own in (FOUND, changed)}
    assert len(names) == 2
    assert all(name.startswith("chexpert-v1+") and len(name) <= 40 for name in names)
    assert extended(CHEXPERT, {}) is CHEXPERT
    assert EvaluationSettings(own_findings=FOUND).prompts_name in names


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("  label: ", "  lable: ", r"field of Misplaced tube must be a known one, got 'lable': own.yml, line 4"),
        ("  negative: The tube is in good position.\n", "", r"must have negative prompts, got None: own.yml, line 1"),
        ("The tube is in good position.", "yes", r"negative must be 1 to 20 texts, got True: own.yml, line 3"),
        ('"The tube is malpositioned."', '""', r"positive 1 must be a line of 1 to 200 characters .*own.yml, line 2"),
        ("[tube malposition]", f"[{'x' * 41}]", r"label 1 must be a line of 1 to 40 characters .*own.yml, line 4"),
        ("in good position.", "in {position}.", r"negative 1 must be a line of .* without braces, .*line 3"),
        ("  label: [tube malposition]", "  positive: again", r"field must be a text that is there once.*line 4"),
        ("Misplaced tube:", f"{'x' * 41}:", r"finding must have a name of 1 to 40 .*line 1"),
        ("  label: [tube malposition]", "  label: [", r"--prompts must be YAML .*own.yml, line 5"),
        ("[tube malposition]", "&a [tube malposition]", r"--prompts must be YAML or JSON .* without anchors"),
        (GOOD, "- a list\n", r"--prompts must be a mapping of each finding, got SequenceNode: own.yml, line 1"),
        (GOOD, "Misplaced tube: words\n", r"Misplaced tube must be a mapping of each field, .*line 1"),
        (GOOD, "{}", r"own findings must be 1 to 20, got 0"),
        (GOOD, GOOD + GOOD, r"finding must be a text that is there once, got 'Misplaced tube': own.yml, line 5"),
        (GOOD, "".join(GOOD.replace("Misplaced", f"{n}") for n in range(21)), r"own findings must be 1 to 20, got 21"),
    ],
)  # fmt: skip
def test_a_wrong_file_is_refused_with_its_line(tmp_path: Path, old: str, new: str, said: str) -> None:
    assert GOOD.count(old) == 1
    with pytest.raises(InputError, match=said):
        read_own_findings(written(tmp_path, GOOD.replace(old, new)))


def test_the_line_of_an_entry_is_its_own(tmp_path: Path) -> None:
    text = GOOD.replace('["The tube is malpositioned.", ', '[\n    "One.",\n    3, ')
    with pytest.raises(InputError, match=r"positive 2 must be a line .*, got 3: own.yml, line 4"):
        read_own_findings(written(tmp_path, text))


@pytest.mark.parametrize("name", ["Edema", "pulmonary_EDEMA", "nodule"])
def test_a_finding_that_is_measured_already_is_refused(name: str) -> None:
    own = {"Other": {"positive": "A.", "negative": "B.", "label": [name]}}
    with pytest.raises(InputError, match=r"label must be another name than those of (Edema|Lung Lesion)"):
        extended(CHEXPERT, own)


def test_two_own_findings_share_no_label() -> None:
    one = {"positive": "A.", "negative": "B.", "label": "tube"}
    with pytest.raises(InputError, match=r"label must be another name than those of First, got 'tube'"):
        extended(CHEXPERT, {"First": one, "Second": one})


def test_a_job_that_was_edited_by_hand_is_refused_by_its_settings() -> None:
    with pytest.raises(InputError, match=r"Misplaced tube must have positive prompts, got None: evaluation settings"):
        EvaluationSettings(own_findings={"Misplaced tube": {"negative": "No tube."}})
    with pytest.raises(InputError, match=r"own_findings must be an object, got \['a'\]"):
        EvaluationSettings(own_findings=["a"])  # type: ignore[arg-type]
