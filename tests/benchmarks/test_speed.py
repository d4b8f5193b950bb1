from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path
from typing import Any

import pytest

from admin.jobs.cost import model_size
from admin.jobs.folder import META, read_object
from admin.jobs.job_check import check_job
from fedaid.models.dual_encoder import DualEncoder
from tests.benchmarks import speed
from tests.benchmarks.aggregator_memory import peak_in_a_process, per_site
from tests.benchmarks.fast_path import not_worse
from tests.benchmarks.number_formats import bf16_against_fp32
from tests.benchmarks.server_process import model_of, server_memory_per_site, synthetic_job
from tests.benchmarks.speed_site import MIDDLE, settings_of
from tests.benchmarks.speed_training import in_turns, site_memory_ratio
from tests.benchmarks.speed_wire import from_a_line, job_model_ratios
from tests.benchmarks.spread import Difference
from tests.benchmarks.wire_site import tasks, write_messages
from tests.integration.conftest import MODEL as TINY

KEYS = (
    *("round_ratio", "executor_ratio", "flare_round_seconds", "bytes_ratio", "site_memory_ratio"),
    *("accumulation_memory_ratio", "server_memory_per_site", "linear_residual", "aggregator_memory_per_site"),
)


def test_every_key_has_its_measurement() -> None:
    assert set(KEYS) <= set(speed.MEASURES)


def test_a_result_lies_in_the_file_beside_its_details_and_others_stay(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def quick(value: float) -> speed.Measure:
        return speed.Measure(lambda: {"ratio": value, "ratios": [value]}, "ratio", "at most 1", speed.at_most(1.0))

    out = tmp_path / "speed.json"
    for one, other in ((0.5, 2.0), (0.75, 3.0)):
        monkeypatch.setattr(speed, "MEASURES", {"one": quick(one), "other": quick(other)})
        speed.main(["--out", str(out), *(["--only", "one"] if one == 0.75 else [])])
    found: dict[str, Any] = json.loads(out.read_text())
    assert (found["one"], found["other"]) == (0.75, 2.0)
    assert found["details"]["one"]["ratios"] == [0.75]
    first, second = capsys.readouterr().out.splitlines()[-2:]
    assert first.endswith(" met")
    assert second.endswith("MISSED")


def test_neither_side_of_a_pair_always_goes_first() -> None:
    order: list[str] = []
    sides = [lambda name=name: order.append(name) or name for name in ("one", "other")]
    assert in_turns(*sides, repeats=3) == [("one", "other")] * 3
    assert order == ["one", "other", "other", "one", "one", "other"]


def test_only_fedaid_measures_the_model_that_a_site_trained() -> None:
    assert settings_of("fedaid", steps=(1, 2)).report_student_loss
    assert not settings_of("fedavg", steps=(1, 2)).report_student_loss


def test_the_jobs_own_model_is_beside_the_deep_one() -> None:
    found = job_model_ratios()
    assert found["fp32"] == pytest.approx(1 + found["alignment_share"])
    assert 0.5 * found["fp32"] < found["bf16"] < 0.52 * found["fp32"]
    assert 0.25 * found["fp32"] < found["int8"] < 0.28 * found["fp32"]


@pytest.mark.parametrize(("bf16", "met"), [(0.6, True), (0.61, False)])
def test_one_number_format_above_its_share_misses_the_goal(bf16: float, met: bool) -> None:
    assert speed.light({"fp32": 1.1, "bf16": bf16, "int8": 0.3}) is met


def interval(mean: float) -> dict[str, Any]:
    return asdict(Difference(mean, 0.1, mean - 0.25, mean + 0.25, 5))


@pytest.mark.parametrize(
    ("int8", "met"), [(-0.7, True), (0.0, True), (0.8, None), (1.2, None), (1.3, False), (-1.3, False)]
)
def test_quality_is_alike_where_the_whole_interval_is_within_a_point(int8: float, met: bool | None) -> None:
    assert speed.alike({"bf16": interval(0.4), "int8": interval(int8)}) is met


@pytest.mark.parametrize(
    ("low", "high", "told"),
    [
        (-1.9, 9.0, True),
        (0.5, 1.0, True),
        (-2.1, 9.0, None),
        (-40.0, 40.0, None),
        (-2.1, -1.0, None),
        (-5, -2.1, False),
    ],
)
def test_the_fast_path_is_no_worse_where_its_interval_stays_above_the_margin(
    low: float, high: float, told: bool | None
) -> None:
    sound = {"low": 0.0, "mid": 0.5, "high": 1.0}
    found = {"low": low, "mid": (low + high) / 2, "high": high}
    assert not_worse({"mean": sound, "worst": found}) is told
    assert not_worse({"mean": found, "worst": sound}) is told


def test_what_an_interval_cannot_tell_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    details = {"difference": {"int8": 0.9}, "intervals": {"int8": interval(0.9)}}
    table = speed.table({"wire_quality": details["difference"], "details": {"wire_quality": details}})
    assert table.endswith("within 1 point of fp32      cannot tell")


def test_server_memory_is_compared_pair_by_pair() -> None:
    found = per_site({3: [10e6, 20e6, 30e6], 12: [19e6, 20e6, 48e6]}, 10e6)
    assert found["ratios"] == pytest.approx([0.1, 0.0, 0.2])
    assert found["ratio"] == pytest.approx(0.1)


def test_distance_from_a_line_is_relative() -> None:
    assert from_a_line({2: 2.5, 4: 4.5, 8: 8.5})["residual"] == pytest.approx(0, abs=1e-9)
    bent = from_a_line({2: 2.5, 4: 5.4, 8: 8.5})
    assert 0.05 < bent["residual"] < 0.2
    assert bent["seconds"] == {2: 2.5, 4: 5.4, 8: 8.5}


def test_the_servers_memory_is_that_of_a_process_that_finds_the_package_by_itself(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("PYTHONPATH", raising=False)
    assert peak_in_a_process(2, 1, tmp_path) > 2e6


@pytest.mark.slow
def test_bf16_computes_nearly_the_loss_of_fp32() -> None:
    found = bf16_against_fp32(1, 8, model=MIDDLE)
    assert found["time_ratio"] > 0
    assert found["loss"] > 0
    assert 0 < abs(found["loss_difference"]) < 0.05 * found["loss"]


@pytest.mark.slow
@pytest.mark.long
def test_a_sites_memory_is_measured_through_its_executor_too() -> None:
    found = site_memory_ratio(1, model=TINY, studies=40, batch_size=8, steps=[1, 1])
    assert set(found["through_executor"]) == {"fp32", "int8"}
    assert all(0.8 < one["ratio"] < 1.3 for one in [*found["through_executor"].values()])


@pytest.mark.parametrize(("method", "expected"), [("fedaid", ["align", "pretrain"] * 2), ("fedavg", ["train"] * 2)])
def test_the_messages_of_a_run_are_written_in_the_order_of_its_tasks(
    method: str, expected: list[str], tmp_path: Path
) -> None:
    write_messages(tmp_path, method, model=TINY)
    found = list(tasks(tmp_path))
    assert [task for task, _ in found] == expected
    assert len(found[0][1]["DXO"]["data"]) == len(DualEncoder(**TINY).state_dict())


def test_a_synthetic_site_is_in_a_job_for_some_sites_that_passes_its_checks(tmp_path: Path) -> None:
    job = synthetic_job(tmp_path, ["a", "b"], model_of(1), 0.5)
    assert check_job(job) > 5
    assert read_object(job / META)["deploy_map"] == {"app": ["server", "a", "b"]}


def test_the_model_that_fills_the_servers_memory_has_the_size_asked_for() -> None:
    assert model_size(model_of(200)).whole == pytest.approx(200e6, rel=0.06)


@pytest.mark.slow
@pytest.mark.long
def test_the_memory_of_both_processes_of_a_server_is_found() -> None:
    found = server_memory_per_site(1, (1, 2), 1)
    for of in (found, found["job_process"], found["relay"]):
        assert all(peak > 50 for peaks in of["peak_mb_by_sites"].values() for peak in peaks)
