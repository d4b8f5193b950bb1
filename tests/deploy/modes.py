"""One job in every way that a person can run it: the models must be the same bits."""

from __future__ import annotations

import os
import re
import shutil
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import yaml
from nvflare.recipe import PocEnv, ProdEnv, SimEnv
from nvflare.recipe.spec import ExecEnv

from admin.federation.federation import free_port
from admin.federation.nvflare_command import run_nvflare
from admin.federation.poc import PocFederation, poc_project
from admin.federation.provision import ProvisionedFederation
from admin.federation.simulate import simulate
from admin.recipe import FedAIDRecipe
from admin.session.download import download
from admin.session.follow import COMPLETED, monitor
from admin.session.login import admin_session
from tests.chaos.lines.lined_federation import PROJECT, SITES
from tests.deploy.deployed import Deployed
from tests.deploy.submitted_job import (
    PATIENT,
    SECONDS,
    connect_seconds,
    first_task_seconds,
    named_hospitals,
    submitted,
)
from tests.deploy.ways import Ways
from tests.integration.conftest import CONTROL, MODEL, TRAINING

JOB_ID = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}")


def modes(folder: Path) -> Deployed:
    """Run the job in eight ways; two of them are on one machine without a federation of ours."""
    roots = named_hospitals(folder)
    ways = Ways(folder, SITES)
    with environment(FEDAID_DATA=str(folder / "data" / "{site}")):
        ways.add("simulator", lambda at: simulated(ways.job(at), at, folder / "data", SITES))
        ways.add("SimEnv", lambda at: executed(SimEnv(clients=[*SITES], workspace_root=str(at / "simulation"))))
        with PocFederation(folder / "poc", SITES, data_roots=roots) as poc:
            ways.add("POC", lambda at: submitted(poc.lead_kit, ways.job(at), at / "out").run)
        ways.add("PocEnv", in_poc_environment)
        seconds = with_code(ways, roots)
        without_code(ways, roots)
    return Deployed(
        place="simulator, POC, provisioned with TLS",
        modes_equal=len(ways.equal()),
        modes_tried=ways.tried,
        failures=tuple(ways.differences()),
        remarks=("server and sites of a federation are processes of one machine, on ports of loopback",),
        details={"one_hash": ways.equal()},
        **seconds,
    )


def with_code(ways: Ways, roots: Mapping[str, Path]) -> dict[str, Any]:
    """Three ways into one provisioned federation, with the code in the job; returns its times."""
    with ProvisionedFederation(ways.folder / "provisioned", PROJECT, data_roots=roots) as federation:
        seconds: dict[str, Any] = {"connect_seconds": connect_seconds(federation)}
        kits = [federation.record.kits / site for site in SITES]

        def by_command(at: Path) -> Path:
            done = submitted(federation.lead_kit, ways.job(at), at / "out")
            seconds["submit_to_first_task_seconds"] = first_task_seconds(kits, done)
            return done.run

        lead = federation.lead_kit
        ways.add("provisioned", by_command)
        ways.add("provisioned, nvflare job submit", lambda at: by_nvflare(lead, ways.job(at), at))
        ways.add("provisioned, ProdEnv", lambda at: executed(ProdEnv(startup_kit_location=str(lead))))
    return seconds


def without_code(ways: Ways, roots: Mapping[str, Path]) -> None:
    """Two ways into one provisioned federation that refuses code; the wheel is installed in its kits."""
    workspace = ways.folder / "no-byoc"
    with ProvisionedFederation(workspace, PROJECT, data_roots=roots, no_byoc=True) as federation:
        lead = federation.lead_kit
        ways.add("no BYOC", lambda at: submitted(lead, ways.job(at, code=False), at / "out").run)
        ways.add("no BYOC, ProdEnv", lambda at: executed(ProdEnv(startup_kit_location=str(lead)), code=False))


def simulated(job: Path, at: Path, data: Path, sites: tuple[str, ...]) -> Path:
    """The run folder of FLARE's simulator."""
    return simulate(job, workspace=at / "simulation", sites=sites, data=data).parent


def executed(env: ExecEnv, *, code: bool = True) -> Path:
    """The run folder of the job as a recipe, in one of FLARE's environments."""
    others = {name: value for name, value in (CONTROL | PATIENT).items() if name != "num_rounds"}
    rounds = CONTROL["num_rounds"]
    recipe = FedAIDRecipe(
        "pilot", min_clients=len(SITES), num_rounds=rounds, model=MODEL, settings=TRAINING | others, code=code
    )
    run = recipe.execute(env)
    found = run.get_result(timeout=SECONDS, clean_up=False)
    if found is None:
        raise RuntimeError(f"no result: {run.get_status()}")
    return Path(found) / ("server/simulate_job" if isinstance(env, SimEnv) else "workspace")


def in_poc_environment(at: Path) -> Path:
    """The run folder in FLARE's own POC, with a port and a home of its own."""
    project = at / "project.yml"
    project.write_text(yaml.safe_dump(poc_project(SITES, free_port()), sort_keys=False))
    with environment(NVFLARE_POC_WORKSPACE=str(at / "poc"), HOME=str(at)):
        env = PocEnv(num_clients=len(SITES), clients=[*SITES], project_conf_path=str(project))
        try:
            return executed(env)
        finally:
            env.stop()


def by_nvflare(lead_kit: Path, job: Path, at: Path) -> Path:
    """The run folder of a job that FLARE's own command submitted, a copy because FLARE signs it in place."""
    copy = shutil.copytree(job, at / "copy" / job.name)
    said = run_nvflare(["job", "submit", "-j", str(copy), "--startup-kit", str(lead_kit)], home=at / "home")
    found = JOB_ID.search(said)
    if found is None:
        raise RuntimeError(f"no job id: {said}")
    with admin_session(lead_kit, timeout=60.0) as session:
        status = monitor(session, found[0], on_progress=lambda progress: None, timeout=SECONDS)
        if status != COMPLETED:
            raise RuntimeError(status)
        return download(session, found[0], at / "out") / "workspace"


@contextmanager
def environment(**variables: str) -> Iterator[None]:
    """Environment variables of this process, as they were afterwards."""
    before = {name: os.environ.get(name) for name in variables}
    os.environ.update(variables)
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                del os.environ[name]
            else:
                os.environ[name] = value
