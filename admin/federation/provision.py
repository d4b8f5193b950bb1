"""Makes the kits of a consortium: one folder each for the server, the hospitals, the project's admin and the lead."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import yaml

from admin.federation.federation import Federation
from admin.federation.nvflare_command import run_nvflare
from admin.federation.project_file import Project, read_project, with_port
from admin.federation.record import Record, new_mark
from admin.federation.site_names import require_site_names


class ProvisionedFederation(Federation):
    """The consortium of a project file on this machine, with the certificates and mutual TLS that it will have.

    Args:
        workspace: a folder that is absent, empty, or a stopped federation's.
        project: the project file; the trial puts its server on loopback and on ``port``.
        data_roots: for every hospital of the project file its data folder.
        port: the server's port; a free one if None.
    """

    def __init__(
        self, workspace: Path, project: Path, *, data_roots: Mapping[str, Path], port: int | None = None
    ) -> None:
        self.project: Project = read_project(project)
        super().__init__(workspace, self.project.sites, data_roots=data_roots, port=port)

    def make_kits(self) -> Record:
        """Provision new kits below the workspace, for loopback and this federation's port."""
        file = self.workspace / "project.yml"
        file.write_text(yaml.safe_dump(with_port(self.project, self.port), sort_keys=False), encoding="utf-8")
        kits = provision(file, out=self.workspace / "kits", home=self.workspace / "home")
        project = self.project
        return Record(new_mark(), kits, project.server, project.project_admin, project.lead, self.sites)


def provision(project: Path, *, out: Path, home: Path) -> Path:
    """Make the kits of ``project`` below ``out`` and return their folder.

    Run again with the same ``out`` it keeps the root certificate there and writes ``prod_01``, ``prod_02`` and so on:
    a new hospital's kit then works with the kits already handed out.

    Args:
        project: the project file.
        out: a folder; it holds the consortium's private keys afterwards.
        home: what FLARE's command takes for the user's home folder.

    Raises:
        InputError: the project file is not usable.
        RuntimeError: FLARE refused it.
    """
    read = read_project(project)
    require_site_names(read.sites)
    out.mkdir(parents=True, exist_ok=True)
    out.chmod(0o700)
    run_nvflare(["provision", "-p", str(project.resolve()), "-w", str(out.resolve()), "--force"], home=home)
    made = sorted((out / read.name).glob("prod_*"))
    if not made:
        raise RuntimeError(f"nvflare provision left no kits in {out / read.name}")
    return made[-1].resolve()
