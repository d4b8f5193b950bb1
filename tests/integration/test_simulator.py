"""The job in FLARE's simulator, against the same rounds in plain Python."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from safetensors.numpy import load_file

from admin.federation.simulate import simulate
from admin.jobs.methods import loop_settings
from admin.jobs.settings import values_by_name
from admin.study.compare.rounds import Outcome, ServerSettings, Tensors, run_rounds
from admin.study.compare.sites import Sites, make_workers, read_sites
from fedaid.models.dual_encoder import DualEncoder
from tests.integration.conftest import MODEL, small_job

pytestmark = pytest.mark.slow
SITES = ["lindental-university", "st-brigid-general"]
MEMORY: dict[str, Any] = {"moon_weight": 1.0, "local_normalisation": True}  # settings that need a site's last model


@dataclass(frozen=True)
class Run:
    """A run on FLARE, the same rounds in plain Python, and the model that both start from."""

    store: Path
    results: dict[str, Any]
    plain: Outcome
    start: Tensors

    @property
    def committed(self) -> Path:
        return self.store / (self.store / "ROUND").read_text()


RunBoth = Callable[..., Run]


@pytest.fixture(scope="module")
def decoded(consortium: Path, tmp_path_factory: pytest.TempPathFactory) -> Sites:
    """The data of both sites for the plain rounds."""
    roots = {site: consortium / site for site in SITES}
    return read_sites(roots, DualEncoder(**MODEL).configuration, cache=tmp_path_factory.mktemp("cache"))


@pytest.fixture
def run_both(consortium: Path, decoded: Sites, tmp_path: Path) -> RunBoth:
    """A function of a job's settings that runs it both ways and asserts that both end with the same bits."""

    def run(*, threads: int | None = None, **settings: Any) -> Run:
        job = small_job(tmp_path / "jobs", sites=2, **settings)
        store = simulate(job, workspace=tmp_path / "run", sites=SITES, data=consortium, threads=threads, timeout=540)
        torch.set_num_threads(1)
        found = loop_settings("fedaid", values_by_name(job))
        workers = make_workers({site: decoded.data(site) for site in SITES}, MODEL, found.training)
        start = next(iter(workers.values())).tensors()
        plain = run_rounds(workers, start, ServerSettings.of(found))
        results = json.loads((store / "fedaid" / "results.json").read_text())
        both = Run(store / "fedaid", results, plain, start)
        assert_same(both)
        return both

    return run


def assert_same(run: Run) -> None:
    """The last model, the site weights and every loss are those of the plain rounds, to the bit."""
    on_flare = load_file(run.committed / "model.safetensors")
    assert on_flare.keys() == run.plain.tensors.keys()
    for name, tensor in run.plain.tensors.items():
        np.testing.assert_array_equal(on_flare[name], tensor, err_msg=name)
    moved = [name for name in run.start if not np.array_equal(run.start[name], run.plain.tensors[name])]
    assert len(moved) > len(run.start) / 2, "the rounds must have trained most tensors"
    assert run.results["site_weights"] == run.plain.site_weights
    even = run.results["site_weights"] == pytest.approx({site: 0.5 for site in SITES})
    assert even == (len(run.results["history"]) == 1), "the min-max must move them from the second round on"
    last = {site: splits["valid"]["loss"] for site, splits in run.results["last"].items()}
    losses, plain_losses = (of_sites(history, "loss") for history in (run.results["history"], run.plain.history))
    assert [*losses, last] == plain_losses
    students = of_sites(run.results["history"], "student_loss")
    assert students == of_sites(run.plain.history, "student_loss")[: len(students)]


def of_sites(history: Sequence[Mapping[str, Any]], metric: str) -> list[dict[str, Any]]:
    """Site → its metric of every round, None where a site did not report it."""
    return [{site: found.get(metric) for site, found in entry["valid"].items()} for entry in history]


def test_the_job_on_flare_ends_with_the_weights_of_the_same_rounds_in_plain_python(run_both: RunBoth) -> None:
    run = run_both()
    assert None not in of_sites(run.results["history"], "student_loss")[1].values()
    assert run.results["best_round"] == run.plain.best_round


@pytest.mark.parametrize(
    "settings",
    [
        {"server_optimizer": "momentum", "server_learning_rate": 0.5} | MEMORY,
        {"server_optimizer": "adam", "server_learning_rate": 0.01, "alignment_phase": False, "clip_update_norm": 1.0},
    ],
    ids=["momentum in two phases, with memories of the sites", "adam in one phase, with clipped updates"],
)
def test_with_a_server_optimizer_and_a_loss_baseline_the_job_equals_the_plain_rounds_too(
    settings: dict[str, Any], run_both: RunBoth
) -> None:
    run = run_both(num_rounds=3, **settings)
    moments = load_file(run.committed / "server_optimizer.safetensors")
    trained = [name for name, tensor in run.start.items() if tensor.dtype.kind == "f" and "running" not in name]
    assert len(moments) == len(trained) * (2 if settings["server_optimizer"] == "adam" else 1)
    moves = [entry["weight_move"]["baselines"].keys() for entry in run.results["history"]]
    assert moves == [set(), set(SITES), set(SITES)], "from the second round on every site has its student's loss"


@pytest.mark.parametrize(
    ("rounds", "settings"),
    [pytest.param(1, {}, marks=pytest.mark.long), (2, MEMORY | {"report_student_loss": True})],
    ids=["fedaid", "with memories of the sites"],
)
def test_with_fewer_threads_than_sites_the_job_equals_the_plain_rounds_though_every_task_has_its_own_process(
    rounds: int, settings: dict[str, Any], run_both: RunBoth
) -> None:
    run = run_both(threads=1, num_rounds=rounds, task_timeout=240, **settings)
    last = run.results["history"][-1]
    for site, metrics in last["train"].items():
        assert (metrics["moon"] > 0) == ("moon_weight" in settings), site
        assert ("student_loss" in last["valid"][site]) == (rounds > 1), site


def test_a_site_without_data_stops_the_run_before_training_with_one_clear_line(
    consortium: Path, tmp_path: Path
) -> None:
    data = tmp_path / "data"
    (data / SITES[0]).mkdir(parents=True)
    (data / SITES[1]).symlink_to(consortium / SITES[1])
    job = small_job(tmp_path / "jobs", sites=2)
    with pytest.raises(RuntimeError, match="simulation failed: align must have the answers of 2 sites"):
        simulate(job, workspace=tmp_path / "run", sites=SITES, data=data, timeout=240)
    log = (tmp_path / "run" / "console.txt").read_text()
    assert f"site {SITES[0]} could not work: data_root must hold manifest.csv, got a folder without it" in log
    assert str(data) not in "".join(line for line in log.splitlines() if "could not work" in line)
    assert "pretrain" not in log.replace("fedaid_pretrain", "")
