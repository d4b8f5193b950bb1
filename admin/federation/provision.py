"""Make the kits of a consortium: one folder each for the server, the hospitals, the project's admin and the lead.

python -m admin provision --project admin/project.yml --out build/provision
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path

import yaml

from admin.federation.federation import Federation
from admin.federation.nvflare_command import run_nvflare
from admin.federation.project_file import Project, read_project, with_port
from admin.federation.record import Record, new_mark
from admin.federation.site_names import require_site_names
from fedaid.errors import InputError

DEFAULT_PROJECT = Path("admin/project.yml")


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


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command and return its exit code: 0 made, 1 not possible."""
    parser = argparse.ArgumentParser(prog="python -m admin provision", description="Make the kits of a consortium.")
    parser.add_argument("--project", type=Path, default=DEFAULT_PROJECT, help="default: %(default)s")
    parser.add_argument("--out", type=Path, default=Path("build/provision"), help="default: %(default)s")
    options = parser.parse_args(arguments)
    try:
        with tempfile.TemporaryDirectory(prefix="fedaid-home-") as home:
            kits = provision(options.project, out=options.out, home=Path(home))
    except (InputError, RuntimeError, OSError) as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    for kit in sorted(kits.iterdir()):
        print(kit)
    print(f"Hand each folder to its owner over a secure channel, and keep {options.out} private: docs/provisioned.md")
    return 0


if __name__ == "__main__":
    sys.exit(main())
