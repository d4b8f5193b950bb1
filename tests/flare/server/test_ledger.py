"""The ledger of a whole run: honest, with a liar, killed and continued, and changed afterwards."""

from __future__ import annotations

import json
import shutil
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from nvflare.apis.client import Client
from nvflare.apis.fl_constant import ReturnCode
from nvflare.apis.shareable import Shareable, make_reply
from nvflare.app_common.app_event_type import AppEventType

from admin.__main__ import main
from admin.results.ledger_check import LedgerCheck, check_ledger
from admin.results.ledger_rounds import LedgerRounds
from fedaid.flare.server.run_store import RunStore
from fedaid.flare.store.hash_chain import canonical, digest, lines_of
from fedaid.flare.store.run_ledger import LEDGER
from fedaid.flare.wire.tasks import ALIGN, PRETRAIN, VALIDATE
from fedaid.sealed_folder import seal
from tests.flare.conftest import Federation

Make = Callable[..., Federation]
SITES = {"site-a": 1.0, "site-b": 2.0, "site-c": 3.0}
ROUNDS = 2


@pytest.fixture
def job(tmp_path: Path, model_config: dict[str, Any], honest: Callable[..., Any]) -> Make:
    """A function that makes one job after another of the same run."""
    made = iter(range(100))

    def make(answers: Any = None, **settings: Any) -> Federation:
        folder = tmp_path / f"job{next(made)}" / "app_server"
        (folder / "config").mkdir(parents=True)
        answers = {site: honest(site, loss) for site, loss in SITES.items()} | (answers or {})
        given = {"min_clients": 2, "num_rounds": ROUNDS, "run_name": "run-one"} | settings
        return Federation(folder, dict(model_config), answers, kit=tmp_path / "kit", **given)

    return make


def finished(made: Federation) -> tuple[LedgerCheck, list[dict[str, Any]]]:
    """Runs a job to its end; what the check finds, and the lines."""
    made.run()
    assert made.engine.panics == []
    return check_ledger(made.app.parent), [dict(line) for line in lines_of(made.store / LEDGER)]


def test_an_honest_run_has_a_line_for_each_event_and_holds(job: Make) -> None:
    found, lines = finished(job())
    kinds = Counter(line["kind"] for line in lines)
    phases = len({(line["phase"], line["round"]) for line in lines if line["kind"] == "open"})
    assert found.faults == ()
    assert (kinds["start"], kinds["commit"], kinds["refuse"]) == (1, ROUNDS, 0)
    assert phases == 2 * ROUNDS + 1, "two a round, and the final validation"
    assert kinds["open"] == kinds["close"] >= phases
    assert found.accepted == kinds["accept"] == 3 * kinds["open"]
    assert {line["attempt"] for line in lines} == {1}


def test_a_line_holds_no_more_than_its_fields(job: Make) -> None:
    _, lines = finished(job())
    known = {"kind", "attempt", "time", "previous", "round", "phase", "site", "sites", "inputs", "site_weights"}
    known |= {"sha256", "after", "min_clients", "rounds", "skipped", "absent"}
    assert set().union(*lines) <= known
    assert b"patient" not in b"".join(map(canonical, lines))


def test_refusals_errors_and_late_results_have_a_code_and_no_text(job: Make, honest: Callable[..., Any]) -> None:
    def wrong(task: str, shareable: Shareable) -> Shareable:
        reply = honest("site-c", 3.0)(task, shareable)
        if task == ALIGN:
            name = next(iter(reply["DXO"]["data"]))
            reply["DXO"]["data"][name] = np.full_like(reply["DXO"]["data"][name], np.nan)
        return reply

    def fails(task: str, shareable: Shareable) -> Shareable:
        return (
            make_reply(ReturnCode.EXECUTION_EXCEPTION) if task == PRETRAIN else honest("site-b", 2.0)(task, shareable)
        )

    made = job({"site-c": wrong, "site-b": fails}, min_clients=1)
    late = made.controller._round

    def with_late(*args: Any) -> Any:
        updates = late(*args)
        made.controller.process_result_of_unknown_task(Client("site-a", ""), PRETRAIN, "", Shareable(), made.fl_ctx)
        return updates

    made.controller._round = with_late
    found, lines = finished(made)
    refused = Counter((line["site"], line["reason"]) for line in lines if line["kind"] == "refuse")
    assert found.faults == ()
    assert refused == {("site-c", "not-finite"): 2, ("site-b", "site-error"): 2, ("site-a", "phase-over"): 2}
    assert [line["inputs"] for line in lines if line["kind"] == "commit"] == [["site-a"]] * 2


class Killed(BaseException):
    """The server's process is gone."""


def kill(made: Federation, patch: pytest.MonkeyPatch, *, at: str) -> None:
    """Runs a job that is killed in its second round: at an event, or after a commit before its line."""
    fire, commit = made.engine.fire_event, RunStore.commit

    def fired(name: str, fl_ctx: Any) -> None:
        if name == at and made.controller._current_round == 1:
            raise Killed
        fire(name, fl_ctx)

    def committed(self: RunStore, tensors: Any, state: Any, **more: Any) -> Any:
        found = commit(self, tensors, state, **more)
        if at == "line" and state["round"] == 2:
            raise Killed
        return found

    patch.setattr(made.engine, "fire_event", fired)
    patch.setattr(RunStore, "commit", committed)
    made.start()
    with pytest.raises(Killed):
        made.controller.control_flow(made.engine.abort_signal, made.fl_ctx)
    made.controller._lock.release()


@pytest.mark.parametrize("at", [AppEventType.BEFORE_AGGREGATION, "line", AppEventType.ROUND_DONE])
def test_a_killed_run_continues_its_chain_and_has_one_commit_a_round(at: str, job: Make) -> None:
    with pytest.MonkeyPatch.context() as patch:
        kill(job(), patch, at=at)
    found, lines = finished(job(attempt=2))
    assert (found.faults, found.attempts) == ((), 2)
    commits = [(line["round"], line["attempt"]) for line in lines if line["kind"] == "commit"]
    assert commits == [(1, 1), (2, 1 if at == AppEventType.ROUND_DONE else 2)]


def test_a_damaged_round_that_is_done_again_is_no_fault(job: Make) -> None:
    with pytest.MonkeyPatch.context() as patch:
        made = job()
        kill(made, patch, at=AppEventType.ROUND_DONE)
    (made.run_store / "round-00002" / "state.json").write_text("{}")
    found, lines = finished(job(attempt=2))
    assert found.faults == ()
    assert [line["round"] for line in lines if line["kind"] == "commit"] == [1, 2, 2]


def test_a_finished_run_that_is_delivered_again_holds(job: Make) -> None:
    first, _ = finished(job())
    again, _ = finished(job(attempt=2))
    assert again == first


def test_a_run_below_its_quorum_says_that_it_stopped(job: Make) -> None:
    made = job({"site-b": lambda task, data: None, "site-c": lambda task, data: None})
    made.run()
    assert [line["kind"] for line in lines_of(made.store / LEDGER)][-2:] == ["close", "stop"]


def rewritten(lines: list[dict[str, Any]], store: Path) -> None:
    """Writes other lines with a whole chain, and the files around them, as a person with time would."""
    previous, text = "0" * 64, b""
    for line in lines:
        content = canonical({**line, "previous": previous})
        previous, text = digest(content), text + content + b"\n"
    (store / LEDGER).write_bytes(text)
    results = json.loads((store / "results.json").read_text())
    results["ledger"] = {"lines": len(lines), "sha256": previous}
    (store / "results.json").write_text(json.dumps(results))
    seal(store)


def test_changes_after_the_run_are_found(job: Make, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    made = job()
    _, lines = finished(made)
    run = made.app.parent
    assert main(["check", str(run)]) == 0
    assert "2 rounds with one commit each" in capsys.readouterr().out

    def faults(change: Callable[[Path], None]) -> tuple[str, ...]:
        copy = tmp_path / "copy"
        shutil.rmtree(copy, ignore_errors=True)
        shutil.copytree(run, copy)
        change(copy / "app_server" / "fedaid")
        return check_ledger(copy).faults

    def end_cut(store: Path) -> None:
        (store / LEDGER).write_bytes(b"".join((store / LEDGER).read_bytes().splitlines(keepends=True)[:-1]))
        seal(store)

    def other_model(store: Path) -> None:
        name = (store / "ROUND").read_text()
        file = store / name / "model.safetensors"
        file.write_bytes(file.read_bytes()[:-4] + b"\0\0\0\1")
        seal(store / name)
        seal(store)

    def other_weights(store: Path) -> None:
        rewritten([line | ({"site_weights": {"a": 1.0}} if line["kind"] == "commit" else {}) for line in lines], store)

    def late(store: Path) -> None:
        number = next(n for n, line in enumerate(lines) if line["kind"] == "close")
        rewritten([*lines[: number + 1], lines[number - 1], *lines[number + 1 :]], store)

    def no_commit(store: Path) -> None:
        rewritten([line for line in lines if (line["kind"], line.get("round")) != ("commit", 1)], store)

    assert faults(end_cut) == (f"line {len(lines)} is not the one that results.json names",)
    assert faults(other_model) == ("the model in round-00002 is not the one that was committed",)
    assert "round 1: results.json has other inputs or site weights" in faults(other_weights)
    assert any("the gate is closed" in fault for fault in faults(late))
    assert any("rounds 1 to 2 must have one commit each" in fault for fault in faults(no_commit))
    end_cut(made.store)
    assert main(["check", str(run)]) == 1
    assert "ledger must hold" in capsys.readouterr().err


def test_the_tasks_of_the_final_validation_are_gates_too(job: Make) -> None:
    _, lines = finished(job())
    assert VALIDATE in {line["phase"] for line in lines if line["kind"] == "open"}


def test_a_phase_that_is_tried_again_keeps_what_it_accepted(job: Make, honest: Callable[..., Any]) -> None:
    failed: list[str] = []

    def fails_once(task: str, shareable: Shareable) -> Any:
        if task == PRETRAIN and not failed:
            failed.append(task)
            return make_reply(ReturnCode.EXECUTION_EXCEPTION)
        return honest("site-b", 2.0)(task, shareable)

    found, lines = finished(job({"site-b": fails_once}, min_clients=3))
    assert found.faults == ()
    (again,) = [line for line in lines if line.get("retry")]
    assert (again["kind"], again["phase"], again["round"], again["sites"]) == ("open", PRETRAIN, 1, ["site-b"])
    commits = [line["inputs"] for line in lines if line["kind"] == "commit"]
    assert commits == [sorted(SITES)] * ROUNDS


def test_a_second_try_at_a_site_that_has_answered_is_a_fault() -> None:
    rounds, gate = LedgerRounds(), {"round": 1, "phase": ALIGN}
    rounds.read({"kind": "open", **gate, "sites": ["a", "b"]})
    rounds.read({"kind": "accept", **gate, "site": "a"})
    rounds.read({"kind": "open", **gate, "sites": ["b"], "retry": True})
    with pytest.raises(ValueError, match="a second try asks a site that has answered"):
        rounds.read({"kind": "open", **gate, "sites": ["a"], "retry": True})
