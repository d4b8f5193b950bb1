from __future__ import annotations

import shutil
from dataclasses import asdict
from pathlib import Path
from typing import Any

import pytest

from admin.jobs.methods import JOB, METHODS, job_settings, loop_settings, method_named, settings_of
from admin.jobs.package import JOBS, package_job
from admin.jobs.settings import change_settings, settable, values_by_name
from fedaid.errors import InputError
from fedaid.flare.server.controller import FedAIDController

STANDS = values_by_name(JOBS / JOB)
FEDERATED = [name for name, method in METHODS.items() if not method.elsewhere]


def applied(name: str, tmp_path: Path, **chosen: object) -> dict[str, Any]:
    """The settings of a copy of the job with a method put upon it."""
    job = tmp_path / name
    shutil.copytree(JOBS / JOB, job)
    change_settings(job, job_settings(name, JOB, stands=STANDS, chosen=chosen))
    return values_by_name(job)


def test_the_table_has_the_methods_of_the_benchmark_under_their_own_names() -> None:
    federations = ["fedavg", "fedavg_uniform", "fedprox", "fedavgm", "fedadam", "fedbn", "moon", "qfedavg", "afl"]
    wanted = ["local", "pooled", *federations, "fedaid"]
    assert list(METHODS)[: len(wanted)] == wanted
    assert all(name.startswith("fedaid_") for name in list(METHODS)[len(wanted) :])
    assert [method.name for method in METHODS.values()] == list(METHODS)


@pytest.mark.parametrize("name", METHODS)
def test_every_setting_of_a_method_is_one_that_the_job_has(name: str) -> None:
    assert METHODS[name].settings.keys() - STANDS.keys() == set()


@pytest.mark.parametrize("name", METHODS)
def test_every_methods_settings_are_split_to_those_who_take_them_and_none_is_lost(name: str) -> None:
    found = loop_settings(name, STANDS)
    split = asdict(found.training) | asdict(found.minmax) | asdict(found.optimizer) | found.rest
    assert split == STANDS | settings_of(METHODS[name], STANDS)
    assert {"alignment_phase", "num_rounds", "selection_metric", "selection_share"} <= found.rest.keys()
    FedAIDController(min_clients=2, num_rounds=1, **asdict(found.minmax), **asdict(found.optimizer))


@pytest.mark.parametrize("name", ["fedavg", "fedprox", "afl"])
def test_a_baseline_takes_no_part_of_another_method_from_what_it_is_put_upon(name: str) -> None:
    sites = {"proximal_weight": 9.0, "moon_weight": 9.0, "local_normalisation": True, "report_student_loss": True}
    server = {"server_optimizer": "adam", "server_learning_rate": 0.1, "loss_baseline": "student", "max_site_weight": 1}
    assert loop_settings(name, STANDS | sites | server) == loop_settings(name, STANDS)


@pytest.mark.parametrize("name", METHODS)
def test_every_method_trains_for_as_many_steps_a_round_as_the_job(name: str) -> None:
    found = loop_settings(name, STANDS)
    total = found.training.pretrain_steps + found.training.align_steps
    assert total == STANDS["pretrain_steps"] + STANDS["align_steps"]
    assert (found.training.align_steps == 0) == (found.rest["alignment_phase"] is False)


def test_a_value_out_of_range_is_refused_before_a_loop_starts() -> None:
    with pytest.raises(InputError, match="rho must be"):
        loop_settings("fedaid", STANDS | {"rho": -1})


def test_fedavg_is_the_job_that_lies_beside_it(tmp_path: Path) -> None:
    assert applied("fedavg", tmp_path) == values_by_name(JOBS / "fedavg_pretrain")


def test_fedaid_is_the_job_as_it_stands(tmp_path: Path) -> None:
    assert applied("fedaid", tmp_path) == STANDS


@pytest.mark.parametrize("name", [name for name in FEDERATED if name != "fedaid"])
def test_every_other_method_changes_something(name: str, tmp_path: Path) -> None:
    assert applied(name, tmp_path) != STANDS


@pytest.mark.parametrize("name", [name for name in FEDERATED if name.startswith("fedaid_")])
def test_an_ablation_changes_one_part_alone(name: str) -> None:
    parts = METHODS[name].settings.keys() - {"loss_baseline", "report_student_loss"}  # these two go together
    assert len(parts) <= 2
    assert METHODS[name].settings


def test_what_a_person_sets_wins_over_the_method(tmp_path: Path) -> None:
    found = applied("qfedavg", tmp_path, fairness_power=2.0, pretrain_steps=7)
    assert (found["fairness_power"], found["pretrain_steps"], found["align_steps"]) == (2.0, 7, 0)


def test_the_same_place_under_its_full_name_wins_too(tmp_path: Path) -> None:
    assert applied("fedprox", tmp_path, **{"executor.proximal_weight": 0.5})["proximal_weight"] == 0.5


@pytest.mark.parametrize("key", ["align_steps", "executor.align_steps"])
def test_steps_of_a_phase_that_a_method_does_not_have_are_refused(key: str) -> None:
    with pytest.raises(InputError, match=r"^align_steps must be left out with the method fedavg.*got 8.* are 50"):
        job_settings("fedavg", JOB, stands=STANDS, chosen={key: 8, "pretrain_steps": 32})
    assert job_settings("fedaid", JOB, stands=STANDS, chosen={key: 8}) == {key: 8}


@pytest.mark.parametrize(("name", "remedy"), [("local", "local_pretrain"), ("pooled", "does not pool data")])
def test_a_method_that_is_no_federation_is_not_packaged(name: str, remedy: str) -> None:
    with pytest.raises(InputError, match=rf"^method must be one that a job runs, got {name}: .*{remedy}"):
        job_settings(name, JOB, stands=STANDS, chosen={})


def test_another_job_takes_no_method() -> None:
    with pytest.raises(InputError, match=r"^--method must be used with fedaid_pretrain, got fedavg_pretrain"):
        job_settings("fedavg", "fedavg_pretrain", stands=STANDS, chosen={})


def test_a_method_of_an_unknown_name_is_refused_with_the_nearest() -> None:
    with pytest.raises(InputError, match=r"^method must be a known one, got fedpro: .*Did you mean fedprox"):
        method_named("fedpro")


def test_a_methods_settings_do_not_change_the_base_that_they_are_put_upon() -> None:
    before = dict(STANDS)
    loop_settings("moon", STANDS)
    settings_of(METHODS["moon"], STANDS)["pretrain_steps"] = 1
    assert before == STANDS
    assert "pretrain_steps" not in METHODS["moon"].settings


def test_every_task_of_a_method_is_one_that_sites_and_wire_know() -> None:
    text = {name: (JOBS / JOB / "app/config" / f"config_fed_{name}.json").read_text() for name in ("server", "client")}
    filtered = '"tasks": ["align", "pretrain", "train"]'
    assert {name: content.count(filtered) for name, content in text.items()} == {"server": 2, "client": 2}
    assert '"tasks": ["align", "pretrain", "train", "validate"]' in text["client"]


@pytest.mark.slow
@pytest.mark.parametrize("name", FEDERATED)
def test_every_method_packages_to_a_sound_job(name: str, tmp_path: Path) -> None:
    job = package_job(JOB, out=tmp_path, method=name)
    assert settable(job).keys() == settable(JOBS / JOB).keys()
