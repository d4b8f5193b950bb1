"""A run that is stopped at any instant and continued by another job ends with the bits of a run without a stop."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
import torch
from nvflare.apis.shareable import Shareable
from nvflare.app_common.app_event_type import AppEventType

from admin.results.missed_rounds import missed_rounds
from fedaid.flare.server import run_store
from fedaid.flare.store.generation import read
from fedaid.flare.store.hash_chain import broken_links
from fedaid.flare.store.missed_phases import MissedPhase, missed_of
from fedaid.flare.wire.messages import model_from_shareable
from fedaid.flare.wire.replies import error_reply
from fedaid.flare.wire.tasks import ALIGN, PRETRAIN, VALIDATE
from tests.flare.conftest import Federation

Make = Callable[..., Federation]
SITES = {"site-a": 1.0, "site-b": 2.0, "site-c": 3.0}
ROUNDS, NAME = 3, "run-one"
OF_RUN = ("best", "last", "best_round", "history", "pairs", "site_weights", "skipped", "round")


class Killed(BaseException):
    """The server's process is gone."""


@pytest.fixture
def job(tmp_path: Path, model_config: dict[str, Any], honest: Callable[..., Any]) -> Make:
    """A function that makes one job after another of the same run, or with another kit those of another run."""
    made = iter(range(100))

    def make(kit: str = "kit", answers: Any = None, **settings: Any) -> Federation:
        folder = tmp_path / f"job{next(made)}"
        (folder / "config").mkdir(parents=True)
        answers = answers or {site: honest(site, loss) for site, loss in SITES.items()}
        given = {"min_clients": 3, "num_rounds": ROUNDS, "run_name": NAME} | settings
        return Federation(folder, dict(model_config), answers, kit=tmp_path / kit, **given)

    return make


def ended(made: Federation) -> tuple[dict[str, Any], str]:
    """What a run ended with: its results, and one hash of the model, of the best model and of the optimizer."""
    assert made.engine.panics == []
    results = json.loads((made.store / "results.json").read_text())
    digest = hashlib.sha256()
    for file in sorted(made.store.glob("*/*.safetensors")):
        digest.update(f"{file.parent.name}/{file.name}".encode() + file.read_bytes())
    return {name: results[name] for name in OF_RUN}, digest.hexdigest()


def run_until_killed(made: Federation) -> None:
    """Runs a job that is killed: nothing is done after the kill; the kernel frees the lock."""
    try:
        made.start()
        made.controller.control_flow(made.engine.abort_signal, made.fl_ctx)
    except Killed:
        if made.controller._lock:
            made.controller._lock.release()
        return
    pytest.fail("the job was not killed")


def kill_at_event(event: str, round_number: int) -> Callable[[Federation, pytest.MonkeyPatch], None]:
    def arm(made: Federation, patch: pytest.MonkeyPatch) -> None:
        fire = made.engine.fire_event

        def fired(name: str, fl_ctx: Any) -> None:
            if name == event and made.controller._current_round == round_number:
                raise Killed
            fire(name, fl_ctx)

        patch.setattr(made.engine, "fire_event", fired)

    return arm


def kill_at_answer(task: str, round_number: int, site: str) -> Callable[[Federation, pytest.MonkeyPatch], None]:
    def arm(made: Federation, patch: pytest.MonkeyPatch) -> None:
        answer = made.communicator.answers[site]

        def asked(name: str, shareable: Any) -> Any:
            if name == task and made.controller._current_round == round_number:
                raise Killed
            return answer(name, shareable)

        made.communicator.answers = {**made.communicator.answers, site: asked}

    return arm


def kill_in_commit(call: str, nth: int) -> Callable[[Federation, pytest.MonkeyPatch], None]:
    """Kills in a commit, at the n-th call of a function of the store."""

    def arm(made: Federation, patch: pytest.MonkeyPatch) -> None:
        owner: Any = {"rename": Path, "fsync": os, "rmtree": run_store.shutil, "copytree": shutil}.get(call, run_store)
        original, left = getattr(owner, call), iter(range(nth, -1, -1))

        def called(*args: Any, **named: Any) -> Any:
            if next(left, -1) == 0:
                if call == "save_model":  # in the middle of the file
                    (args[0] / "model.safetensors").write_bytes(b"half")
                raise Killed
            return original(*args, **named)

        patch.setattr(owner, call, called)

    return arm


KILLS = {
    "round start": kill_at_event(AppEventType.ROUND_STARTED, 2),
    "after the first accepted answer": kill_at_answer(ALIGN, 2, "site-b"),
    "between the phases": kill_at_answer(PRETRAIN, 1, "site-a"),
    "before aggregation": kill_at_event(AppEventType.BEFORE_AGGREGATION, 2),
    "after aggregation": kill_at_event(AppEventType.AFTER_AGGREGATION, 2),
    "in the middle of the model's file": kill_in_commit("save_model", 2),
    "before the rename": kill_in_commit("rename", 1),
    "after the rename": kill_in_commit("damage", 1),
    "while the best model is copied": kill_in_commit("copytree", 0),
    "after the commit": kill_at_event(AppEventType.ROUND_DONE, 2),
    "in the first round": kill_at_answer(PRETRAIN, 0, "site-c"),
    "in the final validation": kill_at_answer(VALIDATE, ROUNDS, "site-b"),
}


@contextmanager
def armed(kill: Any, made: Federation) -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        kill(made, patch)
        yield


@pytest.mark.parametrize(
    "optimizer", ["adam", *(pytest.param(name, marks=pytest.mark.long) for name in ("sgd", "momentum"))]
)
def test_a_kill_at_any_instant_changes_no_bit_of_the_end(optimizer: str, job: Make) -> None:
    settings = {"server_optimizer": optimizer, "server_learning_rate": 0.1}
    whole = job("whole", **settings)
    whole.run()
    expected = ended(whole)
    for number, kill in enumerate(KILLS.values()):
        first = job(f"kit{number}", **settings)
        with armed(kill, first):
            run_until_killed(first)
        again = job(f"kit{number}", attempt=2, **settings)
        again.run()
        assert ended(again) == expected, list(KILLS)[number]


def test_kills_while_the_run_is_opened_change_nothing(job: Make) -> None:
    whole = job("whole")
    whole.run()
    first = job()
    with armed(KILLS["before aggregation"], first):
        run_until_killed(first)
    before = contents(first.run_store)
    for attempt in range(2, 5):
        again = job(attempt=attempt)
        with armed(kill_in_commit("damage", attempt - 2), again), pytest.MonkeyPatch.context() as patch:
            patch.setattr(again.controller, "_say_start", killed)
            run_until_killed(again)
        assert contents(first.run_store) == before
    last = job(attempt=5)
    last.run()
    assert ended(last) == ended(whole)


def killed(*args: Any) -> None:
    raise Killed


def contents(folder: Path) -> dict[str, bytes]:
    return {
        str(file.relative_to(folder)): file.read_bytes()
        for file in sorted(folder.rglob("*"))
        if file.is_file() and file.name != "LOCK"
    }


def stopped_in_round_two(job: Make, **settings: Any) -> Federation:
    first = job(**settings)
    with armed(KILLS["before aggregation"], first):
        run_until_killed(first)
    return first


def refusal(made: Federation) -> str:
    """Why a job is refused; no site was asked."""
    made.run()
    (panic,) = made.engine.panics
    assert made.communicator.asked == []
    return panic


def test_a_damaged_generation_is_skipped_as_a_whole_and_the_results_name_it(job: Make) -> None:
    whole = job("whole")
    whole.run()
    first = stopped_in_round_two(job)
    file = first.run_store / "round-00002" / "server_optimizer.safetensors"
    file = file if file.exists() else first.run_store / "round-00002" / "model.safetensors"
    content = bytearray(file.read_bytes())
    content[-1] ^= 1
    file.write_bytes(content)
    again = job(attempt=2)
    again.run()
    assert ended(again) == ended(whole)
    skipped = json.loads((again.store / "results.json").read_text())["skipped_generations"]
    assert skipped == {"round-00002": f"{file.name} differs from MANIFEST.json"}


def test_a_run_whose_generations_are_all_damaged_is_refused_and_does_not_start_again(job: Make) -> None:
    first = stopped_in_round_two(job)
    for file in first.run_store.glob("round-*/state.json"):
        file.write_text("{}")
    assert refusal(job(attempt=2)).startswith("run run-one has no whole generation: round-00002: state.json differs")


def test_a_run_that_is_alive_in_another_job_is_refused(job: Make) -> None:
    first = job()
    first.start()
    assert refusal(job(attempt=2)).startswith("run run-one must be free, got alive in job job")


def configured(made: Federation, *, client: Any = None, **args: Any) -> Federation:
    """The job with these args of its controller in its config, and with other parts of its client's config."""
    server = {"workflows": [{"id": "fedaid", "args": {"rho": 0.25, "task_timeout": 60} | args}]}
    (made.app / "config" / "config_fed_server.json").write_text(json.dumps(server))
    (made.app / "config" / "config_fed_client.json").write_text(json.dumps(client or {}))
    return made


def test_another_setting_is_refused_by_its_path_and_what_changes_no_bit_may_differ(job: Make) -> None:
    first = configured(job())
    with armed(KILLS["before aggregation"], first):
        run_until_killed(first)
    reason = refusal(configured(job(attempt=2), rho=0.5, seed=1))
    assert "config_fed_server.workflows.fedaid.args.rho: 0.25 in the run, 0.5 in this job\n" in reason
    assert "config_fed_server.workflows.fedaid.args.seed: absent in the run, 1 in this job\n" in reason
    again = configured(job(attempt=2), task_timeout=90, num_rounds=9, min_clients=1)
    again.run()
    assert again.engine.panics == []


def test_what_a_plan_writes_into_the_configs_may_change(job: Make) -> None:
    with armed(KILLS["before aggregation"], first := configured(job())):
        run_until_killed(first)
    waits = {"get_task_timeout": 900, "submit_task_result_timeout": 900, "np_min_download_timeout": 400}
    again = configured(job(attempt=2), client=waits, wait_time_after_min_received=90)
    again.run()
    assert again.engine.panics == []


def test_a_setting_that_was_added_at_its_default_does_not_stop_an_older_run(job: Make) -> None:
    kind = {"path": "fedaid.flare.server.controller.FedAIDController"}

    def stated(made: Federation, **args: Any) -> Federation:
        server = {"workflows": [{"id": "fedaid", **kind, "args": {"rho": 0.25} | args}]}
        (made.app / "config" / "config_fed_server.json").write_text(json.dumps(server))
        return made

    with armed(KILLS["before aggregation"], first := stated(job())):
        run_until_killed(first)
    assert "clip_update_norm: absent in the run, 2 in this job" in refusal(stated(job(attempt=2), clip_update_norm=2))
    again = stated(job(attempt=2), clip_update_norm=None, largest_norm_ratio=10.0)
    again.run()
    assert again.engine.panics == []


def test_a_damaged_ledger_is_continued_and_the_results_say_so(job: Make) -> None:
    whole = job("whole")
    whole.run()
    first = stopped_in_round_two(job)
    file = first.run_store / "ledger.jsonl"
    lines = file.read_bytes().splitlines(keepends=True)
    (at,) = (number for number, line in enumerate(lines) if b'"kind":"commit"' in line and b'"round":1,' in line)
    lines[at] = lines[at].replace(b'"round":', b'"sound":')
    file.write_bytes(b"".join(lines))
    for _ in range(2):
        again = job(attempt=2)
        again.run()
    assert ended(again) == ended(whole)
    (warning,) = json.loads((again.store / "results.json").read_text())["warnings"]
    assert warning.endswith(f"is damaged, so it proves less: line {at + 2} does not continue the line before it")
    assert f"Warning: {warning}." in missed_rounds(json.loads((again.store / "results.json").read_text()))


def test_a_servers_kit_of_an_older_version_is_named_in_the_results(job: Make) -> None:
    made = job("run")
    kit = Path(made.engine.get_workspace().get_root_dir())
    (kit / "startup").mkdir(parents=True)
    (kit / "startup" / "fed_server.json").write_text("{}")
    made.run()
    (warning,) = json.loads((made.store / "results.json").read_text())["warnings"]
    assert "the server's kit is of an older version and lacks local/fedaid_guard__p_resources.json" in warning


def test_a_wrong_last_line_of_the_ledger_before_a_stop_is_named_and_refused_for_good(job: Make) -> None:
    first = stopped_in_round_two(job)
    file = first.run_store / "ledger.jsonl"
    lines = file.read_bytes().splitlines(keepends=True)
    file.write_bytes(b"".join(lines[:-1]) + lines[-1].replace(b'"time":"2', b'"time":"3'))
    again = job(attempt=2)
    again.run()
    assert again.engine.panics == []
    (warning,) = json.loads((again.store / "results.json").read_text())["warnings"]
    assert warning.endswith(f"line {len(lines)} is not the one that was written last")
    shown = broken_links(again.store / "ledger.jsonl")  # as ``check`` does
    assert shown == [f"line {len(lines) + 1} does not continue the line before it"]


@pytest.mark.parametrize("after", [b"", b"\0" * 5000])
def test_a_damaged_name_of_the_last_line_is_said_in_the_log_once_and_is_no_damage_of_the_ledger(
    after: bytes, job: Make, caplog: pytest.LogCaptureFixture
) -> None:
    first = stopped_in_round_two(job)
    name = first.run_store / "ledger.head"
    name.write_bytes(name.read_bytes() + after if after else b"")
    caplog.clear()
    for attempt, said in ((2, 1), (3, 0)):
        again = job(attempt=attempt, num_rounds=ROUNDS + attempt)
        again.run()
        assert again.engine.panics == []
        assert caplog.text.count("ledger.head is damaged") == said
        caplog.clear()
    assert json.loads((again.store / "results.json").read_text())["warnings"] == []


def test_what_sites_missed_in_a_round_whose_job_was_killed_is_in_the_results(
    job: Make, honest: Callable[..., Any]
) -> None:
    def of(site: str, in_round: Callable[[], Shareable | None]) -> Any:
        def answer(task: str, shareable: Any) -> Any:
            hit = task == ALIGN and model_from_shareable(shareable).round_number == 1
            return in_round() if hit else honest(site, SITES[site])(task, shareable)

        return answer

    answers = {site: honest(site, loss) for site, loss in SITES.items()}
    answers["site-b"] = of("site-b", lambda: error_reply("EXECUTION_EXCEPTION", "it ended", reason="killed"))
    answers["site-c"] = of("site-c", lambda: None)
    first = job(answers=answers, min_clients=1)
    with armed(KILLS["between the phases"], first):
        run_until_killed(first)
    for attempt in (2, 3):
        again = job(attempt=attempt, min_clients=1, num_rounds=ROUNDS + attempt)
        again.run()
        missed = missed_of(json.loads((again.store / "results.json").read_text()))
        assert missed == [MissedPhase(1, ALIGN, "site-b", "killed"), MissedPhase(1, ALIGN, "site-c", "silent")]


def test_a_site_with_other_data_in_a_later_job_is_named(job: Make, honest: Callable[..., Any]) -> None:
    def fewer(task: str, shareable: Any) -> Any:
        reply = honest("site-b", SITES["site-b"])(task, shareable)
        if task != VALIDATE:
            reply["DXO"]["meta"]["pairs"] = 15
        return reply

    stopped_in_round_two(job)
    answers = {site: honest(site, loss) for site, loss in SITES.items()} | {"site-b": fewer}
    again = job(attempt=2, answers=answers)
    again.run()
    (warning,) = json.loads((again.store / "results.json").read_text())["warnings"]
    assert warning.startswith("site-b reports 15 training pairs, 20 before")


def test_a_run_of_a_name_that_was_used_before_is_another_run_and_its_jobs_are_one(job: Make) -> None:
    def began(made: Federation) -> str:
        made.start()
        found = model_from_shareable(made.controller.task(VALIDATE, {}, 0).data).run
        assert found is not None
        made.controller.stop_controller(made.fl_ctx)
        return str(found.began)

    first = stopped_in_round_two(job)
    of_run = began(job(attempt=2))
    assert of_run == began(job(attempt=3)) == str(read(first.run_store / "round-00002" / "run.json")["began"])
    shutil.rmtree(first.run_store)
    assert began(job()) not in ("", of_run)


def test_rounds_may_grow_and_the_end_is_that_of_a_longer_run(job: Make) -> None:
    whole = job("whole")
    whole.run()
    short = job(num_rounds=1)
    short.run()
    longer = job(attempt=2)
    longer.run()
    assert ended(longer) == ended(whole)
    assert refusal(job(attempt=3, num_rounds=2)).startswith("num_rounds must be at least 3, the rounds that are done")


def test_a_finished_run_is_delivered_again_without_a_task(job: Make) -> None:
    first = job()
    first.run()
    again = job(attempt=2)
    again.run()
    assert ended(again) == ended(first)
    assert again.communicator.asked == []
    for name in ("FL_global_model.pt", "best_FL_global_model.pt"):
        one, other = (torch.load(made.app / name, weights_only=True)["model"] for made in (first, again))
        assert all(torch.equal(one[label], tensor) for label, tensor in other.items())


@pytest.mark.parametrize("copies", [False, True])
def test_a_finished_run_whose_last_round_is_damaged_is_not_delivered_with_the_model_of_another(
    copies: bool, job: Make
) -> None:
    first = job()
    first.run()
    for folder in first.run_store.glob("round-00003*"):
        if copies or folder == first.persistor.open_store.newest.folder:
            with (folder / "model.safetensors").open("r+b") as file:
                file.seek(-1, os.SEEK_END)
                file.write(b"?")
    again = job(attempt=2)
    again.run()
    assert ended(again) == ended(first)
    assert (again.store / "ROUND").read_text() == "round-00003"
    assert "round-00003" in json.loads((again.store / "results.json").read_text())["skipped_generations"]


def test_a_site_is_withdrawn_by_name_only_and_a_new_one_is_refused(job: Make, honest: Callable[..., Any]) -> None:
    stopped_in_round_two(job)
    two = {site: honest(site, SITES[site]) for site in ("site-a", "site-b")}
    reason = refusal(job(answers=two, min_clients=2, attempt=2))
    assert reason.startswith("sites must be the sites of the run, got no site-c: run run-one. Start it, or package")
    four = {site: honest(site) for site in (*SITES, "site-d")}
    assert refusal(job(answers=four, attempt=2)).startswith("sites must be the sites of the run, got also site-d")
    again = job(answers=two, min_clients=2, attempt=2, without=["site-c"])
    again.run()
    assert again.engine.panics == []
    results = json.loads((again.store / "results.json").read_text())
    assert results["site_weights"].keys() == SITES.keys(), "the weight of a withdrawn site stays"
    assert results["history"][-1]["valid"].keys() == two.keys()


@pytest.mark.parametrize("new", [True, False])
def test_a_withdrawn_site_that_nobody_knows_is_refused(new: bool, job: Make) -> None:
    if not new:
        stopped_in_round_two(job)
    reason = refusal(job(attempt=2, without=["site-bb"], min_clients=2))
    assert reason.startswith("without must be sites of the run, got site-bb: controller args of config_fed_server.json")
    assert "Did you mean site-b?" in reason


def test_a_site_that_a_former_job_has_withdrawn_may_be_away(job: Make, honest: Callable[..., Any]) -> None:
    with armed(KILLS["before aggregation"], first := job(without=["site-c"], min_clients=2)):
        run_until_killed(first)
    two = {site: honest(site, SITES[site]) for site in ("site-a", "site-b")}
    for attempt, answers in ((2, two), (3, None)):
        again = job(answers=answers, attempt=attempt, without=["site-c"], min_clients=2, num_rounds=ROUNDS + attempt)
        again.run()
        assert again.engine.panics == []
        assert json.loads((again.store / "results.json").read_text())["site_weights"].keys() == two.keys()


def test_a_withdrawn_site_that_is_back_takes_part_and_is_not_called_absent(
    job: Make, honest: Callable[..., Any]
) -> None:
    two = {site: honest(site, SITES[site]) for site in ("site-a", "site-b")}
    job(min_clients=3, num_rounds=1).run()
    job(answers=two, attempt=2, without=["site-c"], min_clients=2, num_rounds=2).run()
    again = job(attempt=3)
    again.run()
    assert again.engine.panics == []
    results = json.loads((again.store / "results.json").read_text())
    assert results["history"][-1]["valid"].keys() == SITES.keys()
    assert [(one["attempt"], one["site"]) for one in results["absent"]] == [(2, "site-c")]


def test_an_answer_of_another_attempt_is_refused(job: Make, honest: Callable[..., Any]) -> None:
    def late(task: str, shareable: Any) -> Any:
        reply = honest("site-c", 3.0)(task, shareable)
        if task != VALIDATE:
            reply["DXO"]["meta"]["run"]["attempt"] = 1
        return reply

    answers = {site: honest(site, SITES[site]) for site in ("site-a", "site-b")} | {"site-c": late}
    made = job(answers=answers, min_clients=2, attempt=2)
    made.run()
    refused = json.loads((made.store / "results.json").read_text())["history"][0]["refused"]
    assert refused["site-c"].endswith("refused: it answers another run or another attempt of this one")


def test_a_run_without_a_name_has_that_of_its_job(job: Make) -> None:
    made = job(run_name="")
    made.run()
    assert sorted(path.name for path in made.run_store.iterdir())[:2] == ["LOCK", "finished"]
    assert made.run_store.name == "job"
    assert oct(made.run_store.stat().st_mode)[-3:] == oct(made.run_store.parent.stat().st_mode)[-3:] == "700"
