"""Make a consortium's startup kits: one folder each for server, hospitals, project admin and lead."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import yaml

from admin.federation.federation import Federation
from admin.federation.kit_settings import (
    add_clock,
    add_guard,
    add_watch,
    bind_to_loopback,
    check_before_start,
    expect_sites,
    forbid_code,
    keep_exceptions_private,
    shorten_wait,
)
from admin.federation.kits.installed_refusals import install_refusals, name_refused_classes
from admin.federation.kits.issued import stored_certificates, to_renew
from admin.federation.kits.lead_software import state_software
from admin.federation.kits.reach import LOOPBACK, listen_host, port_of, stays_on_this_machine
from admin.federation.kits.rights import limit_rights
from admin.federation.kits.signed_files import sign_kits
from admin.federation.kits.validity import root_days, valid_days, with_dates
from admin.federation.nvflare_command import run_nvflare
from admin.federation.project_file import Project, read_project, with_port, with_private_logs
from admin.federation.record import Record, new_mark
from admin.federation.site_names import require_site_names
from admin.jobs.code_wheel import build_wheel, classes_of_jobs, install_wheel
from fedaid.version import VERSION

WHEEL = "wheel"  # folder of the wheel, beside the kits
CHECKOUT = Path(__file__).parents[2]  # from where FLARE's process imports our builder of certificates


class ProvisionedFederation(Federation):
    """A trial of a consortium's project file on this machine, with certificates and mutual TLS.

    Args:
        workspace: a folder that is absent, empty, or left by a stopped federation.
        project: the project file; the trial moves its server to loopback and to ``port``.
        data_roots: the data folder of every hospital in the project file.
        port: the server's port; None chooses a free one.
        no_byoc: whether jobs carry no code; the wheel is then installed in ``local/custom`` of the kits.
    """

    def __init__(
        self,
        workspace: Path,
        project: Path,
        *,
        data_roots: Mapping[str, Path],
        port: int | None = None,
        no_byoc: bool = False,
    ) -> None:
        self.project: Project = read_project(project)
        self._no_byoc = no_byoc
        super().__init__(workspace, self.project.sites, data_roots=data_roots, port=port)

    def make_kits(self) -> Record:
        """Provision new kits below the workspace, for loopback and this federation's port."""
        file = self.workspace / "project.yml"
        file.write_text(yaml.safe_dump(with_port(self.project, self.port), sort_keys=False), encoding="utf-8")
        kits = provision(
            file, out=self.workspace / "kits", home=self.workspace / "home", no_byoc=self._no_byoc, trial=True
        )
        project = self.project
        for wheel in (self.workspace / "kits" / WHEEL).glob("*.whl"):
            for name in (project.server, *self.sites):
                install_wheel(wheel, kits / name / "local" / "custom")
        return Record(new_mark(), kits, project.server, project.project_admin, project.lead, self.sites)


def provision(
    project: Path,
    *,
    out: Path,
    home: Path,
    no_byoc: bool = False,
    renew: Sequence[str] = (),
    trial: bool = False,
) -> Path:
    """Make the kits of ``project`` below ``out``, readable by their maker only, and return their folder.

    No site sends its log, or the texts of its exceptions, to the server.

    A second run with the same ``out`` reuses its authority and the certificates, and writes ``prod_01``, then
    ``prod_02`` and so on. A new hospital's kit therefore works with the kits that were handed out earlier. A
    certificate that ends within 60 days, or that differs from the project file, is issued again.

    Args:
        project: the project file.
        out: the output folder; it will hold the consortium's private keys.
        home: the folder that FLARE's command uses as the user's home.
        no_byoc: whether server and sites refuse jobs with code. They then build the classes of ``jobs/`` only, and the
            wheel to install there is in ``<out>/wheel``.
        renew: participants who get a new key and certificate.
        trial: whether the kits stay on this machine; the server then listens on loopback. A file whose server is that
            of ``admin/project.yml`` is a trial.

    Raises:
        InputError: the project file is invalid or has a placeholder beside real names, or ``renew`` names nobody in it.
        RuntimeError: FLARE refused the project file.
    """
    read = read_project(project)
    require_site_names(read.sites)
    host = listen_host(read, trial=trial or stays_on_this_machine(read))
    days, folder = valid_days(read), out / read.name
    again, earlier = to_renew(read, stored_certificates(folder), asked=renew), set(folder.glob("prod_*"))
    content = with_dates(with_private_logs(read), days=days, root=root_days(read), renew=again)
    out.mkdir(parents=True, exist_ok=True)
    out.chmod(0o700)
    file = out / "provisioned_project.yml"  # never the file that was given
    file.write_text(yaml.safe_dump(content, sort_keys=False), encoding="utf-8")
    arguments = ["provision", "-p", str(file.resolve()), "-w", str(out.resolve()), "--force"]
    said = run_nvflare(arguments, home=home, extra={"PYTHONPATH": str(CHECKOUT)})
    made = list(set(folder.glob("prod_*")) - earlier)
    if not made:
        raise RuntimeError(f"nvflare provision left no kits in {folder}: {said}")
    finish(made[-1], read, host=host)
    if no_byoc:
        without_code(made[-1], wheel=out / WHEEL)
        for name in (read.server, *read.sites):
            name_refused_classes(made[-1] / name)
    sign_kits(made[-1])  # last: what is written to startup/ later stops the start
    keep_private(out)
    return made[-1].resolve()


def finish(kits: Path, project: Project, *, host: str) -> None:
    """Write what FLARE's own kits lack: checks, rights, the server's settings and components, the lead's versions."""
    if host == LOOPBACK:
        bind_to_loopback(kits / project.server, port_of(project))
    shorten_wait(kits / project.server)
    add_guard(kits / project.server)
    add_clock(kits / project.server)
    install_refusals(kits / project.server)
    add_watch(kits / project.server, project.sites)
    expect_sites(kits / project.server, project.sites)
    for site in project.sites:
        keep_exceptions_private(kits / site)
    for name in (project.server, *project.sites):
        check_before_start(kits / name)
        limit_rights(kits / name)
    state_software(kits)


def without_code(kits: Path, *, wheel: Path) -> None:
    """Let the kits refuse jobs with code, and build the wheel that they need instead."""
    built, allowed = build_wheel(wheel), classes_of_jobs()
    code = {"version": VERSION, "wheel": built.file.name, "wheel_sha256": built.sha256, "code": built.code}
    for kit in kits.iterdir():
        forbid_code(kit, allowed=allowed, code=code)


def keep_private(folder: Path) -> None:
    """Let only the owner read the folder and what is in it: keys lie in the state and in every kit."""
    for path in (folder, *folder.rglob("*")):
        if not path.is_symlink():
            path.chmod(path.stat().st_mode & 0o700)
