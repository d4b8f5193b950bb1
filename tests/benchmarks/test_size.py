from __future__ import annotations

import json
import os
import subprocess
import sys
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from admin.jobs.cost import model_size
from tests.benchmarks.flare_round import Lines
from tests.benchmarks.size.exchange import exchange_seconds, outside_seconds
from tests.benchmarks.size.jobs import COUSIN, REAL, size_of, variants
from tests.benchmarks.size.memory import Peaks, status_of
from tests.benchmarks.size.page import FILE, tables
from tests.benchmarks.size.summary import GOALS, summary, table

START = datetime(2026, 1, 1)
SITE_LOG = [
    (0.0, "Received from server. getTask: align size: 1KB (1000 Bytes) time: 2.500000 seconds"),
    (1.0, "invoking task executor FedAIDExecutor"),
    (4.0, "finished processing task"),
    (5.0, "SubmitUpdate to: server. size: 1KB (1000 Bytes). time: 0.500000 seconds"),
    (5.0, "Received from server. getTask: pretrain size: 1KB (1000 Bytes) time: 1.000000 seconds"),
    (6.0, "SubmitUpdate to: server. size: 1KB (1000 Bytes). time: 3.000000 seconds"),
    (9.0, "Received from server. getTask: validate size: 1KB (1000 Bytes) time: 9.000000 seconds"),
]
SERVER_LOG = [(0.0, "Round 0 started."), (8.0, "Round 0 finished.")]


def log(lines: list[tuple[float, str]]) -> Lines:
    return [(START + timedelta(seconds=seconds), text) for seconds, text in lines]


def test_seconds_of_the_exchange_are_those_of_all_tasks_of_a_round_without_validation() -> None:
    assert exchange_seconds([log(SITE_LOG)], 1) == [7.0]


def test_seconds_outside_the_executor_leave_out_its_work() -> None:
    assert outside_seconds(log(SERVER_LOG), [log(SITE_LOG)]) == 5.0


def test_processes_of_a_part_count_together_at_one_moment() -> None:
    held = "import time; block = bytearray(b'1') * (80 << 20); print('held', flush=True); time.sleep(60)"
    with subprocess.Popen([sys.executable, "-c", held], stdout=subprocess.PIPE) as process:
        try:
            assert process.stdout is not None
            process.stdout.readline()
            peaks = Peaks()
            peaks.look({"one": [process.pid], "both": [process.pid, os.getpid()]})
        finally:
            process.kill()
    assert peaks.held["one"] >= 80 << 20
    assert peaks.held["both"] > peaks.held["one"]
    assert peaks.mb["one"]["resident"] >= 80


def test_a_process_that_has_ended_holds_nothing() -> None:
    with subprocess.Popen([sys.executable, "-c", ""]) as process:
        process.wait()
    assert status_of(process.pid) == {}


def run(site: float, server: float, **more: Any) -> dict[str, Any]:
    return {"mb": {"site a": {"held": site}, "site b": {"held": 1.0}, "server": {"held": server}}, **more}


def test_the_numbers_are_models_above_the_same_processes_with_a_model_without_size() -> None:
    model = size_of(COUSIN.model).whole / 1e6
    runs = {
        "interpreter": run(500, 300),
        "trained": run(500 + 5 * model, 300 + 3 * model, exchange_seconds=[4.0, 2.0, 9.0]),
        "frozen": run(500 + 2 * model, 300),
        "empty": run(0, 0, exchange_seconds=[3.0]),
        "per_site": {"ratio": 0.05},
    }
    found = summary(COUSIN, runs)
    assert found["site_models"] == pytest.approx(5)
    assert found["site_models_frozen"] == pytest.approx(2)
    assert found["server_models"] == pytest.approx(3)
    assert found["transport_ratio"] == 0.75
    assert found["server_per_site"] == 0.05
    assert "site_models_adapters" not in found
    ratios = found["planned_over_measured_by_part"]
    assert found["planned_over_measured"] in ratios.values()
    assert abs(found["planned_over_measured"] - 1) == max(abs(ratio - 1) for ratio in ratios.values())
    assert "transport_ratio" in table(found)
    assert [line.split()[-1] for line in table(found).splitlines() if "transport" in line] == ["MISSED"]


def test_the_real_model_is_that_of_the_projection_and_the_small_one_has_its_proportions() -> None:
    real, small = size_of(REAL.model), size_of(COUSIN.model)
    assert round(real.whole / 1e6) == 709
    assert 60 < small.whole / 1e6 < 100
    assert small.alignment / small.whole == pytest.approx(real.alignment / real.whole, abs=0.02)


def test_the_preset_freezes_both_towers() -> None:
    frozen = variants(COUSIN.model)["frozen"]
    assert frozen["image_encoder"]["frozen"] is frozen["text_encoder"]["frozen"] is True
    assert frozen["wire_dtype"] == "bf16"
    size = model_size({"vocabulary": "radiology"} | {name: frozen[name] for name in COUSIN.model})
    assert size.frozen > 0.8 * size.whole


def test_every_number_of_the_file_has_a_goal() -> None:
    keys = {"site_models", "server_models", "server_per_site", "site_models_frozen"}
    assert keys | {"transport_ratio", "planned_over_measured"} <= GOALS.keys()


def test_the_tables_of_the_page_have_every_run_and_number_with_its_goal() -> None:
    model = size_of(COUSIN.model).whole / 1e6
    moved = {"exchange_seconds": [2.0], "outside_executor_seconds": 3.0, "run_mb": 1234.4}
    bare, trained = run(500, 300, **moved), run(500 + 6 * model, 300 + 3 * model, **moved)
    runs = {"interpreter": bare, "trained": trained, "simulator interpreter": bare, "simulator trained": trained}
    lines = tables(summary(COUSIN, runs) | {"runs": runs})
    assert (
        f"| POC, everything trained, fp32 | {500 + 6 * model:,.0f} and 1 | 6.00 | {300 + 3 * model:,.0f} | 3.00 |"
        in lines
    )
    assert "| everything trained, fp32 | 2.0 | 3.0 | 1,234 MB |" in lines
    assert "| `site_models` | 6.000 | at most 5.5 | MISSED |" in lines
    assert "| `simulator_server_models` | 3.000 | at most 3 | met |" in lines


def test_the_page_has_the_tables_of_the_committed_run() -> None:
    lines = [line for line in tables(json.loads(FILE.read_text(encoding="utf-8"))) if line]
    assert len(lines) == 3 * 2 + 6 + 4 + 11
    assert set(lines) <= set(Path("docs/sizing.md").read_text(encoding="utf-8").splitlines())
