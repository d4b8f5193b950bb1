from __future__ import annotations

import csv
import json
from collections import Counter
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from admin.compare.trial import Trial
from admin.twin.presets import FIVE_HOSPITALS, UNIFORM_POPULATION
from tests.benchmarks import quality, quality_sets, quality_trials
from tests.benchmarks.quality import at_equal_time, by_method, table
from tests.benchmarks.quality_sets import FOLDS, NOISY, POPULATION, DataSet, real, split_by_fold, twin

PATIENTS = {"coast": 23, "hills": 11}  # of the made-up real pairs; every third has two studies
SMALL = 6  # studies of a hospital


def trial(method: str, seed: int = 0, rounds: int = 10) -> Trial:
    return Trial(f"set-{seed}", {"a": "/a"}, {}, method, seed, {}, {"num_rounds": rounds}, cache="/cache")


def rows_of(root: Path) -> list[dict[str, str]]:
    with (root / "manifest.csv").open(newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))


def splits_of(root: Path) -> dict[str, set[str]]:
    """patient → the splits that their studies are in."""
    found: dict[str, set[str]] = {}
    for row in rows_of(root):
        found.setdefault(row["patient_id"], set()).add(row["split"])
    return found


@pytest.fixture
def pairs(tmp_path: Path) -> Path:
    """A folder like that of the real pairs: two sites, patients with one or two studies."""
    folder = tmp_path / "pairs"
    (folder / "images").mkdir(parents=True)
    rows = [
        {"image": f"images/{site}-{patient}-{number}.jpg", "text": f"report {patient}", "labels": "Edema",
         "site": site, "patient": f"{site}-{patient}"}
        for site, count in PATIENTS.items()
        for patient in range(count)
        for number in range(1 + (patient % 3 == 0))
    ]  # fmt: skip
    for row in rows:
        (folder / row["image"]).write_bytes(row["image"].encode())
    quality_sets.write_rows(folder / "pairs.csv", rows)
    return folder


@pytest.fixture
def small(monkeypatch: pytest.MonkeyPatch) -> None:
    """The twin with a few studies a hospital."""
    for name, hospitals in (("FIVE_HOSPITALS", FIVE_HOSPITALS), ("UNIFORM_POPULATION", UNIFORM_POPULATION)):
        monkeypatch.setattr(quality_sets, name, tuple(replace(hospital, studies=3 * SMALL) for hospital in hospitals))


def test_every_patient_is_tested_exactly_once_over_the_folds(pairs: Path, tmp_path: Path) -> None:
    tested: Counter[str] = Counter()
    for fold in range(FOLDS):
        sites = real(tmp_path / str(fold), pairs, fold=fold).sites
        assert set(sites) == set(PATIENTS)
        tested.update(
            patient for root in sites.values() for patient, told in splits_of(root).items() if told == {"test"}
        )
    assert tested == {f"{site}-{number}": 1 for site, count in PATIENTS.items() for number in range(count)}


def test_no_patient_is_in_two_splits_and_every_study_in_one(pairs: Path, tmp_path: Path) -> None:
    for fold in range(FOLDS):
        for name, root in real(tmp_path / str(fold), pairs, fold=fold).sites.items():
            splits = splits_of(root)
            assert all(len(told) == 1 for told in splits.values())
            assert set().union(*splits.values()) == {"train", "valid", "test"}
            assert len(rows_of(root)) == sum(1 + (number % 3 == 0) for number in range(PATIENTS[name]))


def test_pairs_stay_pairs(pairs: Path, tmp_path: Path) -> None:
    for root in real(tmp_path / "real", pairs, fold=1).sites.values():
        for row in rows_of(root):
            number = row["patient_id"].split("-")[1]
            assert row["report"] == f"report {number}"
            assert (root / row["image"]).read_bytes().decode().split("-")[1] == number


def test_a_fifth_of_those_who_are_not_tested_validates() -> None:
    splits = Counter(split_by_fold([str(number) for number in range(100)], fold=2, folds=5).values())
    assert splits == {"train": 64, "valid": 16, "test": 20}


def test_a_complete_set_is_read_and_one_cut_short_or_of_another_kind_is_written_anew(
    pairs: Path, tmp_path: Path
) -> None:
    folder = tmp_path / "real"
    manifest = real(folder, pairs, fold=0).sites["coast"] / "manifest.csv"
    whole = manifest.read_text()
    manifest.write_text("read, not written")
    real(folder, pairs, fold=0)
    assert manifest.read_text() == "read, not written"
    (folder / quality_sets.DONE).unlink()
    (folder / "left-over").touch()
    real(folder, pairs, fold=0)
    assert manifest.read_text() == whole
    assert not (folder / "left-over").exists()
    real(folder, pairs, fold=1)
    assert manifest.read_text() != whole


def test_the_twin_tests_each_hospital_on_as_many_other_patients(small: None, tmp_path: Path) -> None:
    found = twin(tmp_path / "twin", seed=0, tested=SMALL)
    assert set(found.held_out) == {POPULATION}
    assert {row["split"] for row in rows_of(found.held_out[POPULATION])} == {"test"}
    for root in found.sites.values():
        assert all(len(told) == 1 for told in splits_of(root).values())
        counts = Counter(row["split"] for row in rows_of(root))
        assert counts["test"] == SMALL
        assert counts["train"] + counts["valid"] == 3 * SMALL


def test_nobody_is_at_two_sites_or_in_the_held_out_population(small: None, tmp_path: Path) -> None:
    found = twin(tmp_path / "twin", seed=0, tested=SMALL)
    roots = [*found.sites.values(), *found.held_out.values()]
    patients = [patient for root in roots for patient in splits_of(root)]
    assert len(set(patients)) == len(patients)


def test_noise_is_where_the_noisy_site_learns_and_nowhere_else(small: None, tmp_path: Path) -> None:
    plain, noisy = (twin(tmp_path / str(noise), seed=0, noisy=noise, tested=SMALL) for noise in (False, True))
    changed = {site: split for site, split in reports_that_differ(plain, noisy)}
    assert set(changed) == {NOISY}
    assert not changed[NOISY] & {"test"}


def reports_that_differ(one: DataSet, other: DataSet) -> list[tuple[str, set[str]]]:
    """Sites of which reports differ, with the splits of these."""
    found = []
    for site, root in one.sites.items():
        texts = [{row["study_id"]: read(at, row) for row in rows_of(at)} for at in (root, other.sites[site])]
        splits = {row["split"] for row in rows_of(root) if texts[0][row["study_id"]] != texts[1][row["study_id"]]}
        found += [(site, splits)] if splits else []
    return found


def read(root: Path, row: Mapping[str, str]) -> str:
    return (root / row["report_path"]).read_text(encoding="utf-8")


def test_results_are_told_by_method_in_the_order_of_seeds() -> None:
    trials = [trial(method, seed) for seed in (0, 1) for method in ("fedavg", "fedaid")]
    results: dict[str, Any] = {one.name: (one.method, one.seed) for one in reversed(trials)}
    assert by_method(trials, results) == {
        "fedavg": [("fedavg", 0), ("fedavg", 1)],
        "fedaid": [("fedaid", 0), ("fedaid", 1)],
    }


def summary(worst: float, mean: float, **more: Any) -> dict[str, Any]:
    found = {"worst_recall_at_5": worst, "mean_recall_at_5": mean}
    bounds = {"worst": [worst - 1, worst + 1], "mean": [mean - 1, mean + 1]}
    return {**found, "interval": bounds, "held_out": {}, "chance": {"a": 5.0, "b": 7.0}, **more}


def test_a_table_has_the_best_worst_site_first_and_the_base_without_a_difference() -> None:
    apart = {"worst": {"low": -1.0, "mid": 5.0, "high": 11.0}, "mean": {"low": 0.5, "mid": 1.0, "high": 1.5}}
    better = summary(25, 41, difference_to_fedavg=apart, held_out={"others": {"low": 29.0, "mid": 30.0, "high": 31.0}})
    lines = table("twin", {"fedavg": summary(20, 40), "fedaid": better}).splitlines()
    assert lines[0].startswith("| twin | worst site | mean ")
    assert lines[2] == (
        "| fedaid | 25.0 (24.0 to 26.0) | 41.0 (40.0 to 42.0) | 30.0 | +5.0 (-1.0 to +11.0) | +1.0 (+0.5 to +1.5) |"
    )
    assert lines[3] == "| fedavg | 20.0 (19.0 to 21.0) | 40.0 (39.0 to 41.0) | – | – | – |"
    assert lines[4] == "| a blind guess | 5.0 | 6.0 | – | – | – |"


def test_equal_time_gives_a_slow_method_fewer_rounds_and_a_fast_one_more() -> None:
    trials = [trial(method) for method in ("fedavg", "fedaid", "afl")]
    seconds = {"fedavg": 10.0, "fedaid": 20.0, "afl": 8.0}
    again = at_equal_time(trials, {one.name: {"seconds": seconds[one.method]} for one in trials})
    assert {one.method: one.settings["num_rounds"] for one in again} == {"fedavg": 10, "fedaid": 5, "afl": 12}


def test_equal_time_without_fedavg_is_refused(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        quality.main(["--equal-time", "--methods", "fedaid"])
    assert "--equal-time needs fedavg among --methods" in capsys.readouterr().err


def test_a_set_that_is_left_out_is_said_in_the_file(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(quality_trials, "REAL", tmp_path / "nowhere")
    out = tmp_path / "bench" / "quality.json"
    quality.main(["--sets", "real", "--out", str(out)])
    assert "no pairs.csv in" in json.loads(out.read_text())["sets"]["real"]["left_out"]


def test_the_quick_form_does_not_write_over_the_long_one(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(quality_trials, "REAL", tmp_path / "nowhere")
    monkeypatch.chdir(tmp_path)
    quality.main(["--quick", "--sets", "real"])
    assert [file.name for file in (tmp_path / "build" / "bench").iterdir()] == ["quality-quick.json"]


def test_trials_have_whole_seeds_and_every_method_in_each(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(quality_trials, "twin", lambda at, **_: DataSet({"a": at / "a"}, {}))
    trials = quality_trials.trials_of("noisy", quality_trials.LONG, ["fedavg", "fedaid"], folder=tmp_path)
    assert [(one.seed, one.method) for one in trials] == [(s, m) for s in range(3) for m in ("fedavg", "fedaid")]
    assert {one.settings["num_rounds"] for one in trials} == {quality_trials.ROUNDS["noisy"]}


@pytest.mark.slow
def test_the_quick_form_of_the_twin_has_the_keys_that_a_reader_looks_for(tmp_path: Path) -> None:
    out = tmp_path / "quality.json"
    quality.main(["--quick", "--sets", "twin", "--processes", "1", "--out", str(out)])
    found = json.loads(out.read_text())["sets"]["twin"]
    assert set(found) == {"local", "fedavg", "fedaid"}
    for method in found.values():
        worst, mean, interval = (method[name] for name in ("worst_recall_at_5", "mean_recall_at_5", "interval"))
        assert 0 <= worst <= mean <= 100
        assert all(low <= high for low, high in (interval["worst"], interval["mean"]))
        assert method["worst_above_chance"]["low"] <= method["worst_above_chance"]["high"] <= 100
        assert set(method["chance"]) == {hospital.name for hospital in FIVE_HOSPITALS}
    assert "difference_to_fedavg" not in found["fedavg"]
    for name in ("local", "fedaid"):
        check_difference(found[name], found["fedavg"])


def check_difference(method: Mapping[str, Any], base: Mapping[str, Any]) -> None:
    for over in ("mean", "worst"):
        apart = method["difference_to_fedavg"][over]
        assert set(apart) == {"low", "mid", "high"}
        assert apart["low"] <= apart["high"]
        assert apart["mid"] == pytest.approx(method[f"{over}_recall_at_5"] - base[f"{over}_recall_at_5"], abs=0.02)
