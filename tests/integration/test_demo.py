"""The demo, as `make demo` runs it."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psutil
import pytest

from admin.federation.kit_process import family
from admin.federation.record import read_record
from admin.verbs.researcher.demo_run import ROUNDS
from fedaid.data.manifest import read_manifest
from fedaid.models.saved_model import load_model
from tests.benchmarks.small_gains import joining_pays

LONGEST = 900  # seconds; at most 150 on two idle cores
pytestmark = [pytest.mark.slow, pytest.mark.timeout(LONGEST + 100)]
ROOT = Path(__file__).parents[2]


def heed_interrupts() -> None:
    """A shell that starts the tests in the background has them, and all that they start, pass over Ctrl-C."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)


@contextmanager
def started(folder: Path, *arguments: str) -> Iterator[subprocess.Popen[str]]:
    """The demo in a folder of the test's; nothing of it is left after the block, however that ends."""
    command = [sys.executable, "-m", "admin", "demo", "--folder", str(folder), *arguments]
    demo = subprocess.Popen(
        command,
        cwd=ROOT,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        preexec_fn=heed_interrupts,
    )
    try:
        yield demo
    finally:
        demo.kill()
        for process in left_running(folder):
            process.kill()


def left_running(folder: Path) -> set[psutil.Process]:
    """Processes of the demo's federation that still live."""
    record = read_record(folder / "poc")
    return set() if record is None else set(family(record.processes, mark=record.mark))


def test_it_writes_data_learns_reports_and_stops_the_federation(tmp_path: Path) -> None:
    """On its own seed nobody loses and at least two gain; tests/benchmarks/test_small_gains.py has other seeds."""
    folder = tmp_path / "demo"
    with started(folder) as demo:
        printed, _ = demo.communicate(timeout=LONGEST)
    assert demo.returncode == 0, printed
    summary = json.loads((folder / "summary.json").read_text())
    assert summary["status"] == "ok"
    assert summary["rounds"] == ROUNDS
    assert len(summary["sites"]) == 3
    for site in summary["sites"]:
        assert {"name", "studies", "quarantined", "pairs", "loss", "recall_at_5", "site_weight"} <= site.keys()
        assert site["name"] in printed
        assert not site["name"].startswith("site-")
        assert site["recall_at_5"] > 2 * site["chance_at_5"], "if it does not learn, it is not a demo"
        assert f"{site['name']}: {site['studies']} studies, 0 quarantined" in printed
        assert 100 < site["studies"] == len(read_manifest(folder / "sites" / site["name"]).studies)
        assert not list((folder / "poc").rglob("fedaid_image_cache/*/*.npy")), (
            "the prepared pixels are used as they are"
        )
    assert summary["worst_recall_at_5"] == min(site["recall_at_5"] for site in summary["sites"])
    assert load_model(Path(summary["model"])).configuration["image_size"] == 64
    assert not list((folder / "poc").rglob("fedaid_image_cache")), "prepared pixels are not decoded again"
    assert "pretrain" in printed
    assert "train_alone" not in printed, "one of two jobs beside each other is shown"
    assert (folder / "curves.png").stat().st_size > 5000
    page = (folder / "report.html").read_text()
    assert "report.html" in printed
    assert f"{100 * summary['mean_recall_at_5']:.1f} %" in page
    assert page.count("<img") > 2, "films are shown, since nobody was ever on them"
    card = json.loads((folder / "report.json").read_text())
    assert card["run"]["rounds"] == ROUNDS
    parts = ("gains", "matrix", "zero_shot", "linear_probe", "calibration", "subgroups", "geometry")
    assert [part for part in parts if "missing" in card[part]] == []
    assert {row["site"] for row in card["gains"]["rows"]} == {site["name"] for site in summary["sites"]}
    assert joining_pays({row["site"]: row["verdict"] for row in card["gains"]["rows"]}), card["gains"]["answer"]
    shown = card["embedding"]["pairs_shown"]
    assert all(shown[site["name"]] > 20 for site in summary["sites"])
    assert page.count("<use ") >= 4 * sum(shown.values()), "each pair is two marks, before and after"
    assert not left_running(folder)


def test_ctrl_c_stops_the_federation(tmp_path: Path) -> None:
    folder = tmp_path / "demo"
    with started(folder, "--rounds", "50") as demo:
        deadline = time.monotonic() + LONGEST / 2
        while "rounds together" not in (line := demo.stdout.readline() if demo.stdout else ""):
            assert time.monotonic() < deadline, line
            assert demo.poll() is None
        time.sleep(5)
        assert left_running(folder), "the job must be running when it is interrupted"
        demo.send_signal(signal.SIGINT)
        demo.communicate(timeout=60)
        assert demo.returncode == 130
        assert json.loads((folder / "summary.json").read_text())["status"] == "interrupted"
        assert not left_running(folder)
