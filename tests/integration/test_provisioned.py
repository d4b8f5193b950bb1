"""The packaged job in a provisioned federation: own certificates, mutual TLS, submitted by the lead."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import psutil
import pytest
from nvflare.fuel.flare_api.api_spec import AuthorizationError

from admin.__main__ import main
from admin.federation.kit_process import family
from admin.federation.provision import ProvisionedFederation
from admin.federation.simulate import simulate
from admin.results.run_results import read_results
from admin.session.follow import COMPLETED
from admin.session.login import admin_session
from fedaid.models.saved_model import load_model
from tests.chaos.sites.private_exceptions import hits_at_the_server, told, write_own_code
from tests.deploy.canaries import zipped_hits
from tests.deploy.intruders.false_servers import false_servers
from tests.deploy.intruders.intruder import Ground, all_failures
from tests.deploy.intruders.intruders import owner_comes_in
from tests.deploy.intruders.strangers import strangers
from tests.deploy.roles.cells import MANAGER, MEMBER, forbidden, looking
from tests.deploy.roles.role_table import Table
from tests.deploy.submitted_job import hash_of, weights_of
from tests.integration.conftest import small_job

pytestmark = pytest.mark.slow
PROJECT = Path(__file__).parents[2] / "admin" / "project.yml"
OWN = {
    "watching _start_run": "Zqstart",
    "watching _before_task_execution": "Zqbefore",
    "logging _start_run": "Zqlogged",
}
"""Where code of a site's own fails or logs, and the name of a patient in it; the run goes on."""


def test_the_lead_submits_waits_and_downloads_over_mutual_tls(consortium: Path, tmp_path: Path) -> None:
    folders = sorted(consortium.iterdir())
    sites = project_sites()
    roots = dict(zip(sites, folders, strict=True))
    with ProvisionedFederation(tmp_path / "federation", PROJECT, data_roots=roots) as federation:
        record = federation.record
        server = json.loads((record.server_kit / "startup" / "fed_server.json").read_text())["servers"][0]
        assert server["connection_security"] == "mtls"
        assert refuses_strangers(federation, tmp_path / "strangers")
        members = family(record.processes, mark=record.mark)
        heard = [c for member in members for c in member.net_connections("inet") if c.status == psutil.CONN_LISTEN]
        assert {connection.laddr.ip for connection in heard} == {"127.0.0.1"}
        local = record.kits / sites[0] / "local"
        write_own_code(local, places=OWN)
        job = small_job(tmp_path / "jobs", sites=3)
        assert roles_are_right(record.kits, job)
        command = [sys.executable, "-m", "admin", "submit", str(job), "--kit", str(federation.lead_kit), "--wait"]
        command += ["--out", str(tmp_path / "out"), "--format", "json", "--timeout", "240"]
        done = subprocess.run(command, capture_output=True, text=True, timeout=300)
        assert done.returncode == 0, done.stderr
        answer = json.loads(done.stdout)
        assert answer["data"]["job_status"] == COMPLETED
        stored = [path.name for path in (federation.workspace / "server_storage" / "jobs").iterdir()]
        assert stored == [answer["data"]["job_id"]], "the job store must lie in the federation's own folder"
        assert [path for path in store_of(federation) if path.stat().st_mode & 0o077] == []
        assert reads_only_the_own_jobs_log(federation.lead_kit, answer["data"]["job_id"])
        assert [*zipped_hits(federation, OWN.values(), tmp_path / "out")] == []
        command = ["status", "--kit", str(federation.lead_kit), "--out", str(tmp_path / "out"), "--delete-ended", "0"]
        assert main(command) == 0
        assert list((federation.workspace / "server_storage" / "jobs").iterdir()) == []
        assert told(local) == {*OWN.values()}
        assert hits_at_the_server(federation, tuple(OWN.values()), tmp_path / "out") == []
    assert family(record.processes, mark=record.mark) == set()
    run = Path(answer["data"]["result"]) / "workspace"
    assert hash_of(weights_of(run)) == hash_of(weights_of(simulated(job, roots, tmp_path)))
    results = read_results(run)
    assert [site.name for site in results.sites] == sorted(sites)
    assert results.rounds == 2
    assert load_model(results.model).configuration["image_size"] == 32


def simulated(job: Path, roots: dict[str, Path], folder: Path) -> Path:
    """The server's run folder of the same job in FLARE's simulator, which must give the same bits."""
    (folder / "data").mkdir()
    for site, root in roots.items():
        (folder / "data" / site).symlink_to(root)
    return simulate(job, workspace=folder / "simulation", sites=sorted(roots), data=folder / "data").parent


def store_of(federation: ProvisionedFederation) -> list[Path]:
    """The server's job store and everything in it."""
    folder = federation.workspace / "server_storage"
    return [folder, *folder.rglob("*")]


def reads_only_the_own_jobs_log(lead_kit: Path, job_id: str) -> bool:
    """Whether the lead gets the server's log of the job, and is refused files of the server and rights over sites."""
    with admin_session(lead_kit) as session:
        assert "round" in str(session.get_job_logs(job_id))
        for refused in (lambda: session.ls_target("server"), lambda: session.disable_client(project_sites()[0])):
            with pytest.raises(AuthorizationError):
                refused()
    return True


def project_sites() -> list[str]:
    """The hospitals of the project file."""
    import yaml

    project = yaml.safe_load(PROJECT.read_text())
    return [person["name"] for person in project["participants"] if person["type"] == "client"]


def refuses_strangers(federation: ProvisionedFederation, folder: Path) -> bool:
    """Whether server and sites refuse strangers, and the server logs why; the owner of a kit comes in."""
    folder.mkdir()
    ground = Ground(federation, folder)
    assert owner_comes_in(ground)
    intruders = [*strangers(), *false_servers()]
    assert all_failures(intruders, ground) == (len(intruders), [])
    return len(intruders) == 13


def roles_are_right(kits: Path, job: Path) -> bool:
    """Whether a data manager and a member may do what the table of roles says, of what changes nothing."""
    with admin_session(kits / MANAGER) as manager, admin_session(kits / MEMBER) as member:
        table = Table({MANAGER: manager, MEMBER: member}, job)
        cells = [cell for cell in (*looking(), *forbidden()) if cell.person in table.sessions]
        table.compare(cell for cell in cells if "JOB" not in cell.command)
    assert table.wrong == []
    return table.tried == 83  # the cells of studies among them
