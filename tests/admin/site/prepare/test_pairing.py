from __future__ import annotations

import random

from hypothesis import given
from hypothesis import strategies as st

from admin.site.prepare.pairing import normal, pair, stem

SPACES = ("", " ", "\t", "\u00a0", "\u3000")


def disguised(accession: str, draw: random.Random) -> str:
    """The accession number as another export may spell it."""
    spelt = "".join(draw.choice((str.upper, str.lower))(letter) + draw.choice(SPACES) for letter in accession)
    return draw.choice(SPACES) + spelt


def keys(*identifiers: str) -> frozenset[str]:
    return frozenset(normal(identifier) for identifier in identifiers) - {""}


@given(st.integers(1, 60), st.randoms(use_true_random=False))
def test_no_wrong_pair_over_shuffled_duplicated_and_respelt_accession_numbers(count: int, draw: random.Random) -> None:
    accessions = [f"ACC-{draw.randrange(2 * count)}" for _ in range(count)]  # some are shared by studies
    studies = [keys(disguised(one, draw)) for one in accessions]
    written = [number for number in range(count) for _ in range(draw.choice((0, 1, 1, 1, 2)))]  # some twice or never
    draw.shuffle(written)
    reports = [keys(disguised(accessions[number], draw)) for number in written]
    found = pair(studies, reports)
    assert all(written[report] == study for study, report in found.pairs.items()), "wrong pairs must be 0"
    alone = {n for n in range(count) if accessions.count(accessions[n]) == 1 and written.count(n) == 1}
    assert set(found.pairs) == alone, "and every certain pair is made"


def test_everything_is_in_a_pair_or_left_for_a_reason() -> None:
    studies = [keys("a"), keys("b"), keys("c"), keys("c", "d")]
    reports = [keys("a"), keys("b"), keys("B "), keys("c"), keys("x")]
    found = pair(studies, reports)
    assert found.pairs == {0: 0}
    assert found.studies_left == {1: "pair-ambiguous", 2: "pair-ambiguous", 3: "pair-ambiguous"}
    assert found.reports_left == {
        1: "pair-ambiguous", 2: "pair-ambiguous", 3: "pair-ambiguous", 4: "pair-no-image"
    }  # fmt: skip
    assert pair([keys("q")], []).studies_left == {0: "pair-no-report"}


def test_keys_that_contradict_each_other_are_ambiguous() -> None:
    assert pair([keys("uid-1"), keys("acc-2")], [keys("uid-1", "acc-2")]).pairs == {}


def test_nothing_without_a_key_is_paired() -> None:
    assert pair([keys("", " ")], [keys("")]).pairs == {}


def test_a_stem_has_no_folder_and_no_ending_but_all_of_a_uid() -> None:
    assert [stem(name) for name in ("a/b.dcm", "a\\b.TXT", "1.2.840.5", "1.2.840.5.dcm")] == [
        "b", "b", "1.2.840.5", "1.2.840.5"
    ]  # fmt: skip
