"""The steps of docs/policy.md at one hospital, whose kit is renewed first: evaluations, a spent budget, the ledger."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

from admin.jobs.package import package_job
from admin.site.policy.examined_ledger import examine_ledger
from tests.integration.conftest import small_job
from tests.walk.kit_steps import PAGE as PROVISIONED
from tests.walk.kit_steps import PROVISION
from tests.walk.step import Step
from tests.walk.world import LEAD, SITES, World

PAGE = "policy"
SITE = "hospital-north"
EVALUATION = {"min_clients": 2, "batch_size": 8, "valid_batch_size": 4, "threads": 1, "draws": 200, "probe_draws": 1}
OVER = "hospital policy: a result must be over at least 6 patients, least_patients of the job too"
SPENT = "the privacy budget of this hospital is spent: one more update has epsilon 8.6"


def stopped(world: World) -> None:
    world.wait_for(lambda: not world.processes(SITE), "the site has stopped", seconds=30)


def renewed(world: World) -> None:
    """Put the new startup/ in the place of the old one; everything else in the kit stays."""
    newest = max(world.kits.parent.glob("prod_*"))
    assert newest != world.kits
    kit = world.kit(SITE)
    old = (kit / "startup" / "client.crt").read_bytes()
    shutil.rmtree(kit / "startup")
    shutil.copytree(newest / SITE / "startup", kit / "startup")
    assert (kit / "startup" / "client.crt").read_bytes() != old


def start(world: World) -> None:
    times = world.times_registered()[SITE]
    code, said = world.shell("bash startup/start.sh", at=world.kit(SITE))
    assert code == 0, said
    world.wait_for(lambda: world.times_registered()[SITE] > times, f"{SITE} is connected again")


def restart(world: World) -> None:
    code, said = world.shell("bash startup/stop_fl.sh", at=world.kit(SITE), answer="y")
    assert code == 0, said
    stopped(world)
    start(world)


def submitted(world: World, job: Path, *, code: int) -> str:
    """What ``submit --wait`` answers."""
    found, said = world.shell(f"python -m admin submit {job} --kit {world.kit(LEAD)} --wait", at=world.checkout)
    assert found == code, said[-3000:]
    return said


def evaluation_of(world: World, name: str, *, least_patients: int) -> tuple[str, dict[str, Any]]:
    """The job's id, and what the lead gets of an evaluation of the walk's model at all sites."""
    run = world.checkout / "build" / "results" / world.values["DONE"] / "workspace" / "app_server" / "fedaid"
    (model,) = run.glob("best-*")
    settings = EVALUATION | {"least_patients": least_patients}
    job = package_job(
        "evaluate_global", out=world.checkout / "build" / name, model=model, sites=list(SITES), settings=settings
    )
    job_id = world.job_in(submitted(world, job, code=0))
    out = world.checkout / "build" / "results" / job_id / "workspace" / "app_server" / "fedaid"
    return job_id, json.loads((out / "evaluation.json").read_text())


def evaluations(world: World) -> None:
    """An evaluation of enough patients leaves and is in the ledger; one of fewer stays, and the lead reads why."""
    restart(world)
    job, found = evaluation_of(world, "enough", least_patients=5)
    assert sorted(found["models"]["global"]) == sorted(SITES), found["left_out"]
    assert {line["kind"] for line in lines_of(world, job)} == {"metrics"}
    more = f"python -m admin policy --kit {world.kit(SITE)} --min-studies 6 --clip 1.0"
    assert world.shell(more, at=world.checkout)[0] == 0
    restart(world)
    job, found = evaluation_of(world, "fewer", least_patients=5)
    assert sorted(found["models"]["global"]) == sorted(set(SITES) - {SITE})
    assert OVER in found["left_out"]["global"][SITE], found["left_out"]
    (line,) = (line for line in lines_of(world, job) if line["task"] == "evaluate")
    assert (line["kind"], line["reason"]) == ("error", OVER)


def lines_of(world: World, job: str) -> list[dict[str, Any]]:
    ledger = examine_ledger(world.kit(SITE))
    assert ledger.problems == []
    found = [line for line in ledger.lines if line["job"] == job]
    assert found, "everything that left is in the ledger"
    return found


def budget(world: World) -> None:
    """The second update of the first round stays at the site, and so does the first one after a restart.

    The jobs are without the server's rule about norms, which refuses one hospital's noise before the budget is spent.
    """
    restart(world)
    for attempt, updates in (("first", 1), ("after-a-restart", 0)):
        job = small_job(
            world.checkout / "build" / attempt, sites=3, num_rounds=1, run_name=attempt, largest_norm_ratio=None
        )
        said = submitted(world, job, code=1)
        assert f"site {SITE} could not work: hospital policy: {SPENT}" in said, said[-3000:]
        kinds = [line["kind"] for line in lines_of(world, world.job_in(said))]
        assert kinds.count("update") == updates, kinds
        restart(world)


def read_ledger(world: World) -> None:
    out = world.checkout / "for-the-officer"
    content = json.loads((out / "ledger.json").read_text())
    assert (out / "ledger.html").is_file()
    assert 5.6 < content["epsilon"] < 5.8, content["epsilon"]


def policy_removed(world: World) -> None:
    """The hospital takes part again without a policy; its ledger stays."""
    code, said = world.shell(f"python -m admin policy --kit {world.kit(SITE)} --remove", at=world.checkout)
    assert code == 0, said
    restart(world)
    assert examine_ledger(world.kit(SITE)).lines


RENEWED = (
    Step(PROVISIONED, "bash startup/stop_fl.sh", at=SITE, answer="y", then=stopped),
    Step(
        PROVISIONED,
        f"{PROVISION} --renew {SITE}",
        says=(f"^{SITE}: .*renewed", "^fl-server: .*as before"),
        then=renewed,
    ),
    start,
)
POLICY = (
    Step(PAGE, "python -m admin policy --kit site-1 --min-studies 5 --clip 1.0", says=("clip: 1.0",), then=evaluations),
    Step(
        PAGE,
        "python -m admin policy --kit site-1 --clip 1.0 --noise 0.8 --epsilon 8",
        says=("budget: 1 updates",),
        then=budget,
    ),
    Step(PAGE, "python -m admin ledger site-1 --out for-the-officer", then=read_ledger),
    policy_removed,
)
MEASURED = (
    Step(
        PAGE,
        "python -m tests.benchmarks.policy_noise --folder FOLDER",
        at="project",
        instead={"--folder FOLDER": "--help"},
        why="it takes some minutes for each level of noise",
        says=("usage",),
    ),
)
