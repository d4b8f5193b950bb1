from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from tests.benchmarks import speed
from tests.benchmarks.number_formats import bf16_against_fp32
from tests.benchmarks.server_memory import peak_in_a_process
from tests.benchmarks.speed_site import MIDDLE

KEYS = (
    *("round_ratio", "executor_ratio", "flare_round_seconds", "bytes_ratio", "site_memory_ratio"),
    *("accumulation_memory_ratio", "server_memory_per_site", "linear_residual"),
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


@pytest.mark.parametrize(("bf16", "met"), [(0.6, True), (0.61, False)])
def test_one_number_format_above_its_share_misses_the_goal(bf16: float, met: bool) -> None:
    assert speed.light({"fp32": 1.1, "bf16": bf16, "int8": 0.3}) is met


@pytest.mark.parametrize(("int8", "met"), [(-0.9, True), (1.1, False), (-1.1, False)])
def test_quality_is_alike_within_one_point_of_a_hundred(int8: float, met: bool) -> None:
    assert speed.alike({"fp32": 0.0, "bf16": 0.4, "int8": int8}) is met


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
