from __future__ import annotations

import json
from dataclasses import fields
from pathlib import Path

import pytest
from pydicom.uid import RLELossless

from admin.twin.consortia import FIVE_HOSPITALS
from admin.twin.hospital import Hospital, Scanner
from admin.twin.hospital_file import CHOICES, RANGES, SWITCHES, read_hospitals
from fedaid.errors import InputError

FULL = """
- name: oak-hill
  studies: 40
  style: checklist
  prevalence: {effusion: 0.3, nodule: 1}
  scanner: {modality: DX, bits: 8, transfer_syntax: rle, windowed: true}
  monochrome1: 0.5
  lateral: 0.1
  pairing_noise: 0.2
"""
SHORT = "name: oak, studies: 9, style: prose, prevalence: {}"


def read(tmp_path: Path, text: str) -> tuple[Hospital, ...]:
    file = tmp_path / "hospitals.yml"
    file.write_text(text, encoding="utf-8")
    return read_hospitals(file)


def test_every_dial_given_is_set_and_the_others_keep_their_default(tmp_path: Path) -> None:
    scanner = Scanner("DX", 8, RLELossless, windowed=True)
    expected = Hospital("oak-hill", 40, {"effusion": 0.3, "nodule": 1}, scanner, "checklist", monochrome1=0.5,
                        lateral=0.1, pairing_noise=0.2)  # fmt: skip
    assert read(tmp_path, FULL) == (expected,)


def test_json_under_a_key_reads_the_same(tmp_path: Path) -> None:
    entry = {"name": "oak", "studies": 9, "style": "prose", "prevalence": {}}
    assert read(tmp_path, json.dumps({"hospitals": [entry]})) == read(tmp_path, f"- {{{SHORT}}}")


def test_like_takes_the_dials_of_a_preset_and_changes_those_given(tmp_path: Path) -> None:
    text = "- {name: oak, studies: 9, like: harbour-general, scanner: {bits: 12}, prevalence: {nodule: 0.9}}"
    (oak,) = read(tmp_path, text)
    base = FIVE_HOSPITALS[1]
    assert oak.prevalence == {**base.prevalence, "nodule": 0.9}
    assert (oak.scanner.bits, oak.scanner.noise, oak.style) == (12, base.scanner.noise, base.style)


def test_every_dial_has_a_rule() -> None:
    ruled = {*RANGES, *CHOICES, "name", "prevalence", "scanner", *SWITCHES}
    assert {field.name for field in [*fields(Hospital), *fields(Scanner)]} == ruled


@pytest.mark.parametrize(
    ("dials", "message"),
    [
        ("monocrome1: 0.5", "dial must be known, got monocrome1.*Did you mean monochrome1"),
        ("lateral: 1.5", "lateral must be a number from 0 to 1, got 1.5"),
        ("lateral: yes", "lateral must be a number from 0 to 1, got True"),
        ("repeat: .nan", "repeat must be a number from 0 to 1, got nan"),
        ("scanner: {bits: 7}", "bits must be a whole number from 8 to 16, got 7"),
        ("scanner: {bits: 10.5}", "bits must be a whole number"),
        ("scanner: {modality: MR}", "modality must be known, got 'MR'"),
        ("scanner: {transfer_syntax: implcit}", "Did you mean implicit"),
        ("scanner: {blurr: 1}", "scanner dial must be known, got blurr.*Did you mean blur"),
        ("scanner: {windowed: 1}", "windowed must be true or false"),
        ("scanner: DX", "scanner must be a mapping"),
        ("like: harbor-general", "like must name.*Did you mean harbour-general"),
    ],
)
def test_a_bad_dial_is_refused_in_one_line(tmp_path: Path, dials: str, message: str) -> None:
    with pytest.raises(InputError, match=message) as refusal:
        read(tmp_path, f"- {{{SHORT}, {dials}}}")
    assert "hospitals.yml, hospital 1" in str(refusal.value)
    assert "\n" not in str(refusal.value)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("- {studies: 9}", "name must be given"),
        ("- {name: oak, studies: 9, prevalence: {}}", "style must be given"),
        ("- {name: oak, studies: 0, style: prose, prevalence: {}}", "studies must be a whole number from 1"),
        ("- {name: oak, studies: 9, style: prosa, prevalence: {}}", "style must be known.*Did you mean prose"),
        ("- {name: ../oak, studies: 9, style: prose, prevalence: {}}", "name must be lower-case"),
        ("- {name: oak, studies: 9, style: prose, prevalence: {efusion: 0.1}}", "Did you mean effusion"),
        ("- {name: oak, studies: 9, style: prose, prevalence: {effusion: 2}}", "prevalence of effusion must be"),
        ("- {name: oak, studies: 9, style: prose, prevalence: 0.1}", "prevalence must be a mapping"),
        (f"- {{{SHORT}}}\n- {{{SHORT}}}", "name must be given once, got oak"),
        ("hospitals: 3", "hold a list of hospitals"),
        ("[]", "hold a list of hospitals"),
        ("{", "be readable YAML or JSON"),
    ],
)
def test_a_bad_file_is_refused(tmp_path: Path, text: str, message: str) -> None:
    with pytest.raises(InputError, match=message):
        read(tmp_path, text)


def test_a_file_that_is_not_there_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="--hospitals must be readable"):
        read_hospitals(tmp_path / "none.yml")
