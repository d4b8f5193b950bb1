"""Make a consortium's startup kits: one folder each for server, hospitals, project admin and lead."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import yaml

from admin.federation.federation import Federation
from admin.federation.kit_settings import forbid_code, keep_exceptions_private
from admin.federation.nvflare_command import run_nvflare
from admin.federation.project_file import Project, read_project, with_port, with_private_logs
from admin.federation.record import Record, new_mark
from admin.federation.site_names import require_site_names
from admin.jobs.code_wheel import build_wheel, classes_of_jobs, install_wheel
from fedaid.version import VERSION

WHEEL = "wheel"  # folder of the wheel, beside the kits


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
        kits = provision(file, out=self.workspace / "kits", home=self.workspace / "home", no_byoc=self._no_byoc)
        project = self.project
        for wheel in (self.workspace / "kits" / WHEEL).glob("*.whl"):
            for name in (project.server, *self.sites):
                install_wheel(wheel, kits / name / "local" / "custom")
        return Record(new_mark(), kits, project.server, project.project_admin, project.lead, self.sites)


def provision(project: Path, *, out: Path, home: Path, no_byoc: bool = False) -> Path:
    """Make the kits of ``project`` below ``out`` and return their folder.

    No site sends its log, or the texts of its exceptions, to the server.

    A second run with the same ``out`` reuses its root certificate and writes ``prod_01``, then ``prod_02`` and so on.
    A new hospital's kit therefore works with the kits that were handed out earlier.

    Args:
        project: the project file.
        out: the output folder; it will hold the consortium's private keys.
        home: the folder that FLARE's command uses as the user's home.
        no_byoc: whether server and sites refuse jobs with code. They then build the classes of ``jobs/`` only, and the
            wheel to install there is in ``<out>/wheel``.

    Raises:
        InputError: the project file is invalid.
        RuntimeError: FLARE refused the project file.
    """
    read = read_project(project)
    require_site_names(read.sites)
    out.mkdir(parents=True, exist_ok=True)
    out.chmod(0o700)
    file = out / "provisioned_project.yml"  # never the file that was given
    file.write_text(yaml.safe_dump(with_private_logs(read), sort_keys=False), encoding="utf-8")
    run_nvflare(["provision", "-p", str(file.resolve()), "-w", str(out.resolve()), "--force"], home=home)
    made = sorted((out / read.name).glob("prod_*"))
    if not made:
        raise RuntimeError(f"nvflare provision left no kits in {out / read.name}")
    for site in read.sites:
        keep_exceptions_private(made[-1] / site)
    if no_byoc:
        wheel, allowed = build_wheel(out / WHEEL), classes_of_jobs()
        code = {"version": VERSION, "wheel": wheel.file.name, "wheel_sha256": wheel.sha256, "code": wheel.code}
        for kit in made[-1].iterdir():
            forbid_code(kit, allowed=allowed, code=code)
    return made[-1].resolve()
