"""Make a consortium's startup kits: one folder each for server, hospitals, project admin and lead."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import yaml

from admin.federation.federation import Federation
from admin.federation.kit_settings import keep_exceptions_private
from admin.federation.nvflare_command import run_nvflare
from admin.federation.project_file import Project, read_project, with_port, with_private_logs
from admin.federation.record import Record, new_mark
from admin.federation.site_names import require_site_names


class ProvisionedFederation(Federation):
    """A trial of a consortium's project file on this machine, with certificates and mutual TLS.

    Args:
        workspace: a folder that is absent, empty, or left by a stopped federation.
        project: the project file; the trial moves its server to loopback and to ``port``.
        data_roots: the data folder of every hospital in the project file.
        port: the server's port; None chooses a free one.
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

    No site sends its log, or the texts of its exceptions, to the server.

    A second run with the same ``out`` reuses its root certificate and writes ``prod_01``, then ``prod_02`` and so on.
    A new hospital's kit therefore works with the kits that were handed out earlier.

    Args:
        project: the project file.
        out: the output folder; it will hold the consortium's private keys.
        home: the folder that FLARE's command uses as the user's home.

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
    return made[-1].resolve()
