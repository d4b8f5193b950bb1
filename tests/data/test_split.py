from __future__ import annotations

from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fedaid.data.split import SPLITS, split_of, splits_of
from fedaid.errors import InputError

names = st.text(min_size=1, max_size=30)


def test_known_patients_stay_where_they_are_from_release_to_release() -> None:
    # worked out with hmac and hashlib alone; a change would mix the splits of models that already exist
    expected = ["train", "train", "train", "valid", "train", "valid", "valid", "train"]
    assert [split_of(f"patient-{number}", seed="fedaid") for number in range(8)] == expected


@given(names, names)
def test_the_same_patient_and_seed_give_the_same_split(patient: str, seed: str) -> None:
    assert split_of(patient, seed=seed) == split_of(patient, seed=seed)
    assert split_of(patient, seed=seed) in SPLITS


@given(names)
def test_a_share_of_one_takes_everybody(patient: str) -> None:
    assert split_of(patient, seed="s", shares=(1, 0, 0)) == "train"
    assert split_of(patient, seed="s", shares=(0, 1, 0)) == "valid"
    assert split_of(patient, seed="s", shares=(0, 0, 1)) == "test"


@given(names, st.floats(0, 0.5), st.floats(0, 0.5))
def test_nobody_leaves_train_when_its_share_grows(patient: str, share: float, more: float) -> None:
    before = split_of(patient, seed="s", shares=(share, (1 - share) / 2, (1 - share) / 2))
    rest = (1 - share - more) / 2
    if before == "train":
        assert split_of(patient, seed="s", shares=(share + more, rest, rest)) == "train"


def test_the_shares_are_met() -> None:
    counts = Counter(split_of(str(number), seed="fedaid") for number in range(20000))
    assert counts["train"] / 20000 == pytest.approx(0.7, abs=0.015)
    assert counts["valid"] / 20000 == pytest.approx(0.15, abs=0.015)


def test_another_seed_is_an_independent_partition() -> None:
    both = sum(split_of(str(n), seed="a") == split_of(str(n), seed="b") == "train" for n in range(20000))
    assert both / 20000 == pytest.approx(0.49, abs=0.02)


@pytest.mark.parametrize("shares", [(0.5, 0.5, 0.5), (1.2, -0.1, -0.1), (0.5, 0.5), (float("nan"), 0.5, 0.5)])
def test_shares_that_are_no_partition_are_refused(shares: tuple[float, float, float]) -> None:
    with pytest.raises(InputError, match="shares must"):
        split_of("p", seed="s", shares=shares)


def test_likely_spellings_of_a_patient_are_in_one_split() -> None:
    names = [f"{number}" for number in range(500, 560)]
    spellings = [spelling for name in names for spelling in (name, f"0{name}", f"{name}.0")]
    splits = splits_of(spellings, {}, seed="s")
    assert all(splits[name] == splits[f"0{name}"] == splits[f"{name}.0"] for name in names)
    assert set(splits.values()) == {"train", "valid", "test"}


def test_a_patient_with_one_spelling_has_the_split_of_its_hash() -> None:
    assert splits_of(["a", "b"], {}, seed="s") == {name: split_of(name, seed="s") for name in "ab"}


def test_a_stated_split_stays_and_is_that_of_the_other_spellings() -> None:
    given = {"7": "valid", "x": "test", "X": "train"}
    splits = splits_of(["7", "07", "x", "X", "X "], given, seed="s")
    assert splits == {"7": "valid", "07": "valid", "x": "test", "X": "train", "X ": "train"}
