from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from admin.results.report.gains import GAINS, LOSES, OPEN
from admin.study.compare.judge import Hits
from tests.benchmarks.small_gains import NEEDED, SEEDS, gain, joining_pays, run, told


def hits(found: int, studies: int = 100) -> Hits:
    some = (np.arange(studies) < found).astype(np.int64)
    return Hits(np.arange(studies), some, some, np.ones(studies))


@pytest.mark.parametrize(
    ("verdicts", "pays"),
    [
        ((GAINS, GAINS, OPEN), True),
        ((GAINS, GAINS, GAINS), True),
        ((GAINS, OPEN, OPEN), False),
        ((GAINS, GAINS, LOSES), False),
    ],
)
def test_joining_pays_if_nobody_loses_and_two_gain(verdicts: tuple[str, ...], pays: bool) -> None:
    assert joining_pays(dict(zip("abc", verdicts, strict=True))) is pays


def test_a_gain_is_paired_and_its_interval_is_over_patients() -> None:
    found = gain(hits(60), hits(40))
    assert found.value == pytest.approx(20)
    assert 11 < found.low < 14, "20 of 100 patients differ: 20 ± 1.96 · 4 points"
    assert 26 < found.high < 29
    same = gain(hits(60), hits(60))
    assert (same.low, same.value, same.high) == (0, 0, 0), "equal models differ in no draw"


def test_a_seed_is_told_hospital_by_hospital_from_the_models_that_its_trials_chose() -> None:
    alone = {"models": {name: {"1": {name: hits(found).as_json()}} for name, found in (("a", 40), ("b", 50))}}
    shared = {"global": {"0": {}, "2": {name: hits(60).as_json() for name in "ab"}}}
    rows = told(alone, {"models": shared})
    assert rows["a"] | {"gain": None} == {"alone": 40.0, "shared": 60.0, "gain": None, "verdict": GAINS}
    assert rows["a"]["gain"][1] == 20.0
    assert rows["b"]["alone"] == 50.0


@pytest.mark.long
@pytest.mark.timeout(3600)
def test_on_other_seeds_no_hospital_loses_and_at_least_two_gain(tmp_path: Path) -> None:
    told = run(tmp_path, SEEDS)
    pays = [joining_pays({name: row["verdict"] for name, row in rows.items()}) for rows in told.values()]
    assert sum(pays) >= NEEDED, told
