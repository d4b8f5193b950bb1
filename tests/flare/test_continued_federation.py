"""A federation with everything that a site keeps: killed and continued, it ends with the same bits."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from itertools import count
from pathlib import Path
from typing import Any

import pytest

from fedaid.data.site_data import SiteData
from fedaid.flare.site.work.own_work import OwnWork
from fedaid.flare.wire.tasks import ALIGN, PRETRAIN, TRAIN, VALIDATE
from fedaid.training.settings import TrainingSettings
from tests.flare.whole_federation import WholeJob

Make = Callable[..., WholeJob]
ROUNDS = 3
STUDENT = {"report_student_loss": True}
CASES: dict[str, tuple[str, dict[str, Any], dict[str, Any]]] = {
    "fp32, student, momentum": ("fp32", STUDENT, {"loss_baseline": "student", "server_optimizer": "momentum"}),
    "bf16, FedBN": ("bf16", {"local_normalisation": True}, {"selection_metric": "worst_batch_accuracy"}),
    "int8, student, MOON, Adam": (
        "int8",
        STUDENT | {"moon_weight": 1.0},
        {"loss_baseline": "student", "server_optimizer": "adam", "server_learning_rate": 0.01},
    ),
    "int8, all that a site keeps": (
        "int8",
        STUDENT | {"moon_weight": 1.0, "local_normalisation": True},
        {"loss_baseline": "student"},
    ),
    "fp32, FedBN, student, one phase": (
        "fp32",
        STUDENT | {"local_normalisation": True},
        {"loss_baseline": "student", "alignment_phase": False},
    ),
}


@pytest.fixture
def job(
    tmp_path: Path,
    model_config: dict[str, Any],
    consortium: dict[str, Path],
    load_site: Callable[[str], SiteData],
    image_cache: Path,
    settings: TrainingSettings,
    monkeypatch: pytest.MonkeyPatch,
) -> Make:
    """A function of a case: the next job of the run whose kits are in a folder."""
    monkeypatch.setenv("FEDAID_DATA", f"{next(iter(consortium.values())).parent}/{{site}}")
    for site in consortium:
        load_site(site)
    caches = {site: image_cache / site for site in consortium}
    numbers = count(1)

    def make(case: str, kits: str, **changes: Any) -> WholeJob:
        wire_dtype, training, server = CASES[case]
        given = {"min_clients": 2, "num_rounds": ROUNDS, "run_name": "run-one"} | server | changes
        return WholeJob(
            tmp_path / f"job-{next(numbers)}",
            dict(model_config),
            kits=tmp_path / kits,
            sites=caches,
            wire_dtype=wire_dtype,
            training=replace(settings, **training),
            **given,
        )

    return make


def first_and_last(phases: bool, sites: list[str]) -> list[tuple[str, int, str, str]]:
    """Two instants that lose most: early in the last round, and after a site's last answer of the round before."""
    begin, end = (ALIGN, PRETRAIN) if phases else (TRAIN, TRAIN)
    return [(begin, 2, sites[1], "asked"), (end, 1, sites[0], "answered")]


@pytest.mark.parametrize("case", CASES)
def test_a_run_of_several_jobs_ends_with_the_bits_of_one_job(case: str, job: Make, consortium: dict[str, Path]) -> None:
    whole = job(case, "whole")
    whole.run()
    expected = whole.ended()
    assert expected[0]["state_lost"] == []
    for number, instant in enumerate(first_and_last("one phase" not in case, list(consortium))):
        if number and case != "int8, all that a site keeps":
            continue
        first = job(case, f"kits-{number}")
        first.kill_at = instant
        first.run_until_killed()
        again = job(case, f"kits-{number}", attempt=2)
        again.run()
        assert again.ended() == expected, instant


QUICK = ("int8, all that a site keeps", "fp32, FedBN, student, one phase")
OTHERS = [pytest.param(case, marks=pytest.mark.long) for case in CASES if case not in QUICK]


@pytest.mark.parametrize(
    "case", [case if case in QUICK else pytest.param(case, marks=pytest.mark.long) for case in CASES]
)
def test_a_phase_that_is_tried_again_has_the_bits_of_the_first_try(
    case: str, job: Make, consortium: dict[str, Path]
) -> None:
    phases, rounds = (TRAIN,) if "one phase" in case else (ALIGN, PRETRAIN), 2
    settings = {"min_clients": len(consortium), "num_rounds": rounds}
    whole, retried = (job(case, kits, **settings) for kits in ("whole", "retried"))
    whole.run()
    retried.lost = {(task, number, site) for task in phases for number in range(rounds) for site in consortium}
    retried.run()
    results = json.loads((retried.store / "results.json").read_text())
    assert retried.lost == set()
    assert len(results["retries"]) == len(phases) * rounds
    assert results["state_lost"] == []
    assert retried.ended() == whole.ended()


@pytest.mark.parametrize("trained", [True, False])
def test_a_phase_whose_first_try_ends_in_an_error_has_the_bits_of_one_try(
    trained: bool, job: Make, consortium: dict[str, Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The first try ends before or after its training; what is done ahead succeeds after a failed try only."""
    settings, case, failed = {"min_clients": len(consortium), "num_rounds": 2}, QUICK[0], list[tuple[str, int]]()
    whole, retried = (job(case, kits, **settings) for kits in ("whole", "retried"))
    whole.run()
    pretrain, ahead, answered = OwnWork.pretrain, OwnWork.work_ahead, set[str]()

    def failing(work: OwnWork, *, round_number: int, check: Any) -> Any:
        first = (work.site, round_number) not in failed
        if first:
            failed.append((work.site, round_number))
        update = pretrain(work, round_number=round_number, check=check) if trained or not first else None
        if first:
            answered.discard(work.site)
            raise RuntimeError("the answer cannot be written")
        answered.add(work.site)
        return update

    def failing_ahead(work: OwnWork, *, check: Any) -> None:
        if work.site in answered:
            raise RuntimeError("it cannot be done ahead")
        ahead(work, check=check)

    monkeypatch.setattr(OwnWork, "pretrain", failing)
    monkeypatch.setattr(OwnWork, "work_ahead", failing_ahead)
    retried.run()
    results = json.loads((retried.store / "results.json").read_text())
    assert len(failed) == 2 * len(consortium)
    assert [entry["phase"] for entry in results["retries"]] == [PRETRAIN] * 2
    assert results["state_lost"] == []
    assert retried.ended() == whole.ended()


def instants(sites: list[str]) -> list[tuple[str, int, str, str]]:
    found = [
        (task, number, site, when)
        for task in (ALIGN, PRETRAIN)
        for number in range(ROUNDS)
        for site in sites
        for when in ("asked", "answered", "sent")
    ]
    return [*found, *((VALIDATE, ROUNDS, site, "asked") for site in sites)]


@pytest.mark.long
@pytest.mark.parametrize("case", [case for case in CASES if "one phase" not in case])
def test_a_kill_at_any_instant_of_a_site_changes_no_bit(case: str, job: Make, consortium: dict[str, Path]) -> None:
    whole = job(case, "whole")
    whole.run()
    for number, instant in enumerate(instants(list(consortium))):
        first = job(case, f"kits-{number}")
        first.kill_at = instant
        first.run_until_killed()
        second = job(case, f"kits-{number}", attempt=2)
        second.kill_at = (PRETRAIN, max(instant[1], 1), instant[2], "asked")  # killed again, in the redone round
        if instant[0] != VALIDATE and instant[1] > 0:
            second.run_until_killed()
        again = job(case, f"kits-{number}", attempt=3)
        again.run()
        assert again.ended() == whole.ended(), instant


def test_a_site_that_lost_what_it_kept_says_so_and_the_results_name_it(job: Make, consortium: dict[str, Path]) -> None:
    case, (lost, other) = "int8, student, MOON, Adam", list(consortium)
    first = job(case, "kits")
    first.kill_at = (ALIGN, 1, other, "asked")
    first.run_until_killed()
    kept = first.run_store.parents[2] / lost / "fedaid_runs" / "run-one"
    assert {path.name for path in kept.iterdir()} == {"residual-00000", "state-00000"}
    file = kept / "state-00000" / "tensors.safetensors"
    content = bytearray(file.read_bytes())
    content[-1] ^= 1
    file.write_bytes(content)
    again = job(case, "kits", attempt=2)
    again.run()
    results = json.loads((again.store / "results.json").read_text())
    assert results["state_lost"] == [{"round": 1, "site": lost}]
    assert results["history"][1]["valid"][lost]["state_lost"] == 1.0
    assert "state_lost" not in results["history"][2]["valid"][lost]
