from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.admin.site.doctor.bad_hospitals import Fired
from tests.benchmarks import counts, data
from tests.benchmarks.goals import GOALS, verdicts
from tests.catalogue.run import Counted, Outcome
from tests.catalogue.wrong_pairs import Pairs


@pytest.mark.slow
def test_the_quick_form_fills_every_key_and_leaves_nothing_behind(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """What it counts is counted by the tests of catalogue, pairs, canaries and doctor, and stands still here."""
    counted = Outcome((Counted("crash", ("image-crash",), ("image-crash",)),), {"image-crash": 1}, {}, 0, (1, 1))
    monkeypatch.setattr(counts, "run_catalogue", lambda folder: counted)
    monkeypatch.setattr(counts, "wrong_pairs", lambda folder, seed: {"reports": Pairs(made=1, wrong=0)})
    monkeypatch.setattr(counts, "canary_hits", lambda folder: [])
    monkeypatch.setattr(counts, "fired_on_bad_hospitals", lambda folder, seed: Fired(frozenset(), frozenset()))
    out = tmp_path / "data.json"
    data.main(["--quick", "--out", str(out)])
    found = json.loads(out.read_text())
    assert {name for name, _, _ in GOALS} <= set(found)
    assert {"date", "machine", "versions", "scale"} <= set(found)
    assert found["catalogue_injected"] == found["catalogue_counted"] == {"image-crash": 1}
    assert (found["pairs_made"], found["doctor_fired"]) == (1, 0)
    assert found["peak_memory_mb"].keys() == found["peak_memory_parent_mb"].keys() == {"50", "100"}
    assert found["spread"]["prepare_ratio"].keys() == {"min", "median", "max", "repeats"}
    assert len(capsys.readouterr().out.splitlines()) == len(GOALS)
    assert list(tmp_path.iterdir()) == [out]


MET = {
    "prepare_ratio": 0.8,
    "second_epoch_speedup": 10,
    "peak_memory_growth": 0.1,
    "doctor_checks": 25,
    "doctor_fired": 25,
    "catalogue_injected": {"image-crash": 2},
    "catalogue_counted": {"image-crash": 2},
    "wrong_pairs": 0,
    "canary_hits": 0,
}


def test_numbers_at_their_goals_meet_them() -> None:
    assert [one.name for one in verdicts(MET) if not one.met] == []


@pytest.mark.parametrize("name", [name for name, _, _ in GOALS])
def test_a_number_that_was_not_measured_has_not_met_its_goal(name: str) -> None:
    missed = [one.name for one in verdicts({key: value for key, value in MET.items() if key != name}) if not one.met]
    assert name in missed


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("prepare_ratio", 0.79),
        ("second_epoch_speedup", 9.9),
        ("peak_memory_growth", 0.11),
        ("doctor_checks", 24),
        ("doctor_fired", 24),
        ("catalogue_counted", {"image-crash": 1}),
        ("wrong_pairs", 1),
        ("canary_hits", 1),
    ],
)
def test_a_number_short_of_its_goal_is_missed(name: str, value: object) -> None:
    assert name in [one.name for one in verdicts(MET | {name: value}) if not one.met]
