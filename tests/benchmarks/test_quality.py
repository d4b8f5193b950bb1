from __future__ import annotations

import csv
import json
import tempfile
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from admin.study.compare import trials
from admin.study.compare.comparison import by_method
from admin.study.compare.judge import Hits
from admin.study.compare.trial import Trial
from admin.study.compare.trial import main as run_trial
from admin.study.compare.trials import TrialFailed, result_file, result_of
from admin.twin.consortia import FIVE_HOSPITALS, UNIFORM_POPULATION
from tests.benchmarks import quality, quality_sets, quality_trials
from tests.benchmarks.quality import rounds_at_equal_time
from tests.benchmarks.quality_goals import needed, verdicts
from tests.benchmarks.quality_sets import FOLDS, NOISY, POPULATION, DataSet, real, split_by_fold, twin

PATIENTS = {"coast": 23, "hills": 11}  # of the made-up real pairs; every third has two studies
SMALL = 6  # studies of a hospital


def trial(method: str, seed: int = 0, rounds: int = 10) -> Trial:
    settings = {"align_steps": 1, "pretrain_steps": 2, "num_rounds": rounds}
    return Trial(f"set-{seed}", {"a": "/a"}, {}, method, seed, {}, settings, cache="/cache")


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


def test_other_pairs_are_other_data_under_another_key(pairs: Path, tmp_path: Path) -> None:
    keys = {real(tmp_path / "real", pairs, fold=fold).key for fold in (0, 0, 1)}
    with (pairs / "pairs.csv").open("a") as file:
        file.write("\n")
    found = real(tmp_path / "real", pairs, fold=1)
    assert len(keys) == 2
    assert found.key not in keys


@pytest.mark.parametrize(
    "changed", [("NOISE", 0.5), ("IMAGE_SIZE", 32), ("FIVE_HOSPITALS", tuple(reversed(FIVE_HOSPITALS)))]
)
def test_what_decides_the_twin_is_written_anew_under_another_key(
    changed: tuple[str, Any], small: None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = twin(tmp_path, seed=0, noisy=True, tested=SMALL)
    (tmp_path / "of-before").touch()
    assert twin(tmp_path, seed=0, noisy=True, tested=SMALL).key == first.key
    assert (tmp_path / "of-before").exists()
    monkeypatch.setattr(quality_sets, *changed)
    if changed[0] == "FIVE_HOSPITALS":
        monkeypatch.setattr(quality_sets, "FIVE_HOSPITALS", [replace(one, studies=3 * SMALL) for one in changed[1]])
    assert twin(tmp_path, seed=0, noisy=True, tested=SMALL).key != first.key
    assert not (tmp_path / "of-before").exists()


def test_a_set_of_other_data_has_other_trials(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    names = []
    for key in ("one", "other"):
        monkeypatch.setattr(quality_trials, "twin", lambda at, key=key, **_: DataSet({"a": at / "a"}, {}, key))
        names += [
            one.name for one in quality_trials.trials_of("twin", quality_trials.QUICK, ["fedavg"], folder=tmp_path)
        ]
    assert len(set(names)) == 2


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


def test_a_method_of_which_a_seed_failed_is_left_out_of_the_results() -> None:
    trials = [trial(method, seed) for seed in (0, 1) for method in ("fedavg", "fedaid")]
    results: dict[str, Any] = {one.name: one.seed for one in trials if (one.method, one.seed) != ("fedaid", 1)}
    assert by_method(trials, results) == {"fedavg": [0, 1]}


def test_equal_time_gives_a_slow_method_fewer_rounds_and_a_fast_one_no_more_than_it_was_run_for() -> None:
    seconds = {"fedavg": (10.0, 9.0, 90.0), "fedaid": (20.0, 20.0, 20.0), "afl": (8.0, 8.0, 8.0)}
    runs: dict[str, Any] = {m: [{"seconds": one, "rounds": 10} for one in took] for m, took in seconds.items()}
    assert rounds_at_equal_time(runs) == {"fedavg": 10, "fedaid": 4, "afl": 10}, (
        "9 s, of which each whole round takes 2"
    )


def apart(mid: float, low: float, high: float) -> dict[str, float]:
    return {"low": low, "mid": mid, "high": high}


def judged(
    *,
    worst: dict[str, float],
    mean: dict[str, float],
    uniform: float = 1.0,
    honest: float = 0.0,
    noisy: float = 0.2,
) -> dict[str, Any]:
    """The summary of fedaid on any of the three sets."""
    sites = {NOISY: apart(-9.0, -10.0, -8.0), "honest": apart(honest, honest - 1, honest + 1)}
    difference = {"worst": worst, "mean": mean, "sites": sites, "held_out": {"others": apart(uniform, -5.0, 5.0)}}
    weights = {NOISY: {"mean": 0.1, "most": noisy}, **{f"site-{n}": {"mean": 0.2, "most": 0.9} for n in range(4)}}
    return {"fedaid": {"difference_to_fedavg": difference, "site_weights": weights, "tested": 100}}


@pytest.mark.parametrize(
    ("name", "changes", "met"),
    [
        ("twin", {}, [True, True, True]),
        ("twin", {"worst": apart(7.9, 5.0, 11.0)}, [False, True, True]),
        ("twin", {"mean": apart(-0.1, -1.0, 1.0)}, [True, False, True]),
        ("twin", {"uniform": -0.1}, [True, True, False]),
        ("noisy", {}, [True, True]),
        ("noisy", {"noisy": 0.3}, [False, True]),
        ("noisy", {"honest": -1.1}, [True, False]),
        ("noisy", {"honest": -1.0}, [True, True]),
        ("real", {}, [True, True]),
        ("real", {"worst": apart(8.0, -0.1, 16.0)}, [False, True]),
        ("real", {"mean": apart(1.0, 0.0, 2.0)}, [True, False]),
    ],
)
def test_a_goal_is_met_or_missed_by_its_own_number_alone(name: str, changes: dict[str, Any], met: list[bool]) -> None:
    given = {"worst": apart(8.0, 2.0, 14.0), "mean": apart(0.5, 0.1, 1.0)} | changes
    found = verdicts({name: judged(**given)})
    assert [verdict.met for verdict in found] == met
    assert all(" met" in verdict.line for verdict in found if verdict.met)
    assert all("MISSED" in verdict.line for verdict in found if not verdict.met)


def test_the_noisy_sites_weight_is_told_as_a_multiple_of_a_uniform_one() -> None:
    found = verdicts({"noisy": judged(worst=apart(0, 0, 0), mean=apart(0, 0, 0), noisy=0.26)})
    assert found[0].value == pytest.approx(0.26 * 5)


def test_what_the_data_cannot_tell_is_said_with_the_pairs_it_would_take() -> None:
    # half a width of 6 about 2: three times too wide, so nine times as many pairs
    assert needed(apart(2.0, -4.0, 8.0), pairs=100) == "about 900 pairs to tell a difference of +2.0, in place of 100"
    assert needed(apart(-1.5, -3.0, 0.0), pairs=10) == "about 10 pairs to tell a difference of -1.5, in place of 10"
    assert needed(apart(0.0, -4.0, 4.0), pairs=100) == "no number of pairs"
    found = verdicts({"real": judged(worst=apart(2.0, -4.0, 8.0), mean=apart(3.0, 1.0, 5.0))})
    assert [verdict.note for verdict in found] == [needed(apart(2.0, -4.0, 8.0), pairs=100), ""]


def test_without_fedavg_or_fedaid_nothing_is_judged() -> None:
    assert verdicts({"twin": {"fedaid": {"site_weights": {}}}, "noisy": {"fedavg": {}}}) == []


@pytest.fixture
def results_without(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Callable[..., None]:
    """A function that makes every trial of the twin end at once, but for those of some methods, which fail."""

    def made(*failing: str) -> None:
        def run(trials: list[Trial], folder: Path, *, give_up: Any, **_: Any) -> dict[str, Any]:
            for one in trials:
                if one.method in failing:
                    give_up(one, TrialFailed(f"trial {one.name} ended with exit code 1; see a.log"))
            return {one.name: ended(one) for one in trials if one.method not in failing}

        monkeypatch.setattr(quality, "run_trials", run)
        monkeypatch.setattr(
            quality_trials, "twin", lambda at, **_: DataSet({"a": at / "a", NOISY: at / NOISY}, {}, "key")
        )

    return made


def ended(one: Trial) -> dict[str, Any]:
    """A result of a trial."""
    hits = Hits(np.arange(4), np.ones(4, int), np.ones(4, int), np.ones(4)).as_json()
    entries = [{"round": n, "site_weights": dict.fromkeys(one.sites, 0.5)} for n in range(3)]
    models = {"global": {"0": dict.fromkeys(one.sites, hits)}}
    trial = {"sites": one.sites, "held_out": {}}
    made = {"ended": f"2026-01-0{len(one.method)}T00:00:00+00:00", "code": one.method[:3]}
    return {"trial": trial, "models": models, "curves": {"global": entries}, "seconds": 1.0, "rounds": 2, "made": made}


def test_a_failed_trial_is_named_and_the_rest_is_summarised(results_without: Any, tmp_path: Path) -> None:
    results_without("local")
    out = tmp_path / "quality.json"
    with pytest.raises(SystemExit, match=r"trial noisy-0-key-local-0-\w+ ended with exit code 1; see a\.log"):
        quality.main(["--quick", "--sets", "noisy", "--out", str(out)])
    found = json.loads(out.read_text())
    assert list(found["failed"]["noisy"]) == ["local"]
    assert set(found["sets"]["noisy"]) == set(found["equal_time"]["noisy"]) == {"fedavg", "fedaid"}
    assert [verdict["of"] for verdict in found["verdicts"]] == ["noisy", "noisy"]


def test_without_fedavg_there_is_no_equal_time(results_without: Any, tmp_path: Path) -> None:
    results_without()
    quality.main(["--quick", "--sets", "noisy", "--methods", "fedaid", "--out", str(tmp_path / "quality.json")])
    found = json.loads((tmp_path / "quality.json").read_text())
    assert (list(found["sets"]["noisy"]), found["equal_time"], found["verdicts"]) == (["fedaid"], {}, [])


def test_sets_alone_leave_the_others_as_they_are_in_the_file(results_without: Any, tmp_path: Path) -> None:
    results_without()
    out = str(tmp_path / "quality.json")
    quality.main(["--quick", "--sets", "twin", "--methods", "local", "fedavg", "--out", out])
    quality.main(["--quick", "--sets", "noisy", "--methods", "fedavg", "--out", out])
    quality.main(["--quick", "--sets", "noisy", "--methods", "fedaid", "--out", out])
    found = json.loads((tmp_path / "quality.json").read_text())
    assert {name: list(methods) for name, methods in found["sets"].items()} == {
        "twin": ["local", "fedavg"],
        "noisy": ["fedaid"],
    }
    assert list(found["equal_time"]) == ["twin"], "that of the earlier run, with fedavg, is gone"
    assert list(found["measured"]) == ["twin", "noisy"]


def test_trials_of_several_versions_of_the_code_are_told(
    results_without: Any, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    results_without()
    out = tmp_path / "quality.json"
    quality.main(["--quick", "--sets", "noisy", "--methods", "local", "fedaid", "--out", str(out)])
    assert json.loads(out.read_text())["measured"]["noisy"]["trials"] == {
        "ended": ["2026-01-05T00:00:00+00:00", "2026-01-06T00:00:00+00:00"],
        "code": ["fed", "loc"],
    }
    assert "trials of 2 versions of the code" in capsys.readouterr().err


def test_of_a_file_of_the_other_form_nothing_is_kept(results_without: Any, tmp_path: Path) -> None:
    results_without()
    out = str(tmp_path / "quality.json")
    quality.main(["--quick", "--sets", "noisy", "--methods", "local", "--out", out])
    quality.main(["--sets", "twin", "--methods", "local", "--out", out])
    found = json.loads((tmp_path / "quality.json").read_text())
    assert (list(found["sets"]), found["quick"]) == (["twin"], False)


def test_a_set_that_failed_before_does_not_fail_a_run_without_it(results_without: Any, tmp_path: Path) -> None:
    out = str(tmp_path / "quality.json")
    results_without("local")
    with pytest.raises(SystemExit):
        quality.main(["--sets", "noisy", "--methods", "local", "--out", out])
    results_without()
    quality.main(["--sets", "twin", "--methods", "local", "--out", out])
    found = json.loads((tmp_path / "quality.json").read_text())
    assert (list(found["failed"]["noisy"]), found["failed"]["twin"]) == (["local"], {})


def test_a_set_that_is_left_out_is_said_in_the_file(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(quality_trials, "REAL", tmp_path / "nowhere")
    out = tmp_path / "bench" / "quality.json"
    quality.main(["--sets", "real", "--out", str(out)])
    found = json.loads(out.read_text())
    assert "no pairs.csv in" in found["left_out"]["real"]
    assert (found["sets"], found["verdicts"]) == ({}, [])


def test_a_set_that_is_left_out_at_the_end_leaves_the_verdicts_of_the_others(
    results_without: Any, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    results_without()
    monkeypatch.setattr(quality_trials, "REAL", tmp_path / "nowhere")
    quality.main(["--quick", "--sets", "noisy", "real", "--out", str(tmp_path / "quality.json")])
    found = json.loads((tmp_path / "quality.json").read_text())
    assert len(found["verdicts"]) == 2
    assert list(found["left_out"]) == ["real"]


def test_the_quick_form_does_not_write_over_the_long_one(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(quality_trials, "REAL", tmp_path / "nowhere")
    monkeypatch.chdir(tmp_path)
    quality.main(["--quick", "--sets", "real"])
    assert [file.name for file in (tmp_path / "build" / "bench").iterdir()] == ["quality-quick.json"]


def test_trials_have_whole_seeds_and_every_method_in_each(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(quality_trials, "twin", lambda at, **_: DataSet({"a": at / "a"}, {}))
    trials = quality_trials.trials_of("noisy", quality_trials.LONG, ["fedavg", "fedaid"], folder=tmp_path)
    assert [(one.seed, one.method) for one in trials] == [(s, m) for s in range(3) for m in ("fedavg", "fedaid")]
    assert {one.settings["num_rounds"] for one in trials} == {quality_trials.LONG.rounds}


def result_here(trial: Trial, folder: Path) -> Any:
    """A trial's result from this process, which has loaded what a process of its own has to load first."""
    if trial.name.startswith("twin") and trial.method == "local":
        return result_of(trial, folder)
    source, file = folder / f"{trial.name}.trial", result_file(trial, folder)
    source.write_text(json.dumps(asdict(trial)), encoding="utf-8")
    run_trial([str(source), str(file)])
    return json.loads(file.read_text(encoding="utf-8"))


@pytest.mark.slow
def test_the_quick_form_of_all_sets_has_the_keys_that_a_reader_looks_for(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))  # the copies of real pictures
    monkeypatch.setattr(trials, "result_of", result_here)
    monkeypatch.setenv("FEDAID_MODELS", "")  # the benchmark sets it
    lacks, out = quality_trials.what_real_lacks(), tmp_path / "quality.json"
    assert not lacks or lacks.startswith("no pairs.csv"), "the text tower is part of the development environment"
    quality.main(["--quick", "--processes", "1", "--out", str(out)])
    found = json.loads(out.read_text())
    run = ["twin", "noisy", *([] if lacks else ["real"])]
    assert list(found["sets"]) == list(found["equal_time"]) == run
    assert found["left_out"] == ({"real": lacks} if lacks else {})
    assert found["failed"] == {name: {} for name in run}
    for name in run:
        for methods in (found["sets"][name], found["equal_time"][name]):
            check_methods(methods)
    hospitals = {hospital.name for hospital in FIVE_HOSPITALS}
    assert set(found["sets"]["twin"]["fedaid"]["chance"]) == hospitals
    goals = {"twin": 3, "noisy": 2, "real": 2}
    assert Counter(verdict["of"] for verdict in found["verdicts"]) == {name: goals[name] for name in run}
    assert {key for verdict in found["verdicts"] for key in verdict} == {"of", "name", "value", "goal", "met", "note"}


def check_methods(found: Mapping[str, Any]) -> None:
    assert set(found) == {"local", "fedavg", "fedaid"}
    for method in found.values():
        worst, mean, interval = (method[name] for name in ("worst_recall_at_5", "mean_recall_at_5", "interval"))
        assert 0 <= worst <= mean <= 100
        assert all(low <= high for low, high in (interval["worst"], interval["mean"]))
        assert method["worst_above_chance"]["low"] <= method["worst_above_chance"]["high"] <= 100
    assert "difference_to_fedavg" not in found["fedavg"]
    for name in ("local", "fedaid"):
        check_difference(found[name], found["fedavg"])


def check_difference(method: Mapping[str, Any], base: Mapping[str, Any]) -> None:
    for over in ("mean", "worst"):
        apart = method["difference_to_fedavg"][over]
        assert set(apart) == {"low", "mid", "high"}
        assert apart["low"] <= apart["high"]
        assert apart["mid"] == pytest.approx(method[f"{over}_recall_at_5"] - base[f"{over}_recall_at_5"], abs=0.02)
