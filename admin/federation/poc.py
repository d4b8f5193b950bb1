"""FLARE's proof of concept (POC): a server and named sites on this machine, to try a job before hospitals run it."""

from __future__ import annotations

import shutil
from collections.abc import Sequence

import yaml

from admin.federation.federation import Federation
from admin.federation.kit_settings import add_clock, add_guard, add_watch, keep_exceptions_private
from admin.federation.nvflare_command import run_nvflare
from admin.federation.project_file import LOG_STREAMING
from admin.federation.record import Record, new_mark

NAME = "fedaid_poc"
SERVER = "server"
PROJECT_ADMIN = "admin@nvidia.com"
LEAD = "lead@nvidia.com"


class PocFederation(Federation):
    """A POC with chosen site names; it starts and stops without the pauses of ``nvflare poc start``.

    The POC folder is ``<workspace>/kits``. Set NVFLARE_POC_WORKSPACE to it for the plain ``nvflare poc`` commands.
    """

    def make_kits(self) -> Record:
        """Prepare a POC with ``nvflare poc prepare`` below the workspace."""
        kits = self.workspace / "kits"
        shutil.rmtree(kits, ignore_errors=True)
        project = self.workspace / "project.yml"
        project.write_text(yaml.safe_dump(poc_project(self.sites, self.port), sort_keys=False), encoding="utf-8")
        run_nvflare(
            ["poc", "prepare", "-i", str(project)],
            home=self.workspace / "home",
            extra={"NVFLARE_POC_WORKSPACE": str(kits)},
        )
        made = kits / NAME / "prod_00"
        add_guard(made / SERVER)
        add_clock(made / SERVER)
        add_watch(made / SERVER, self.sites)
        for site in self.sites:
            keep_exceptions_private(made / site)
        return Record(new_mark(), made, SERVER, PROJECT_ADMIN, LEAD, self.sites)


def poc_project(sites: Sequence[str], port: int) -> dict[str, object]:
    """Return the project file of a POC with these sites and the names and roles of ``nvflare poc``."""
    people: list[dict[str, object]] = [{"name": SERVER, "type": "server", "org": "nvidia", "fed_learn_port": port}]
    people += [{"name": site, "type": "client", "org": "nvidia"} for site in sites]
    for name, role in ((PROJECT_ADMIN, "project_admin"), (LEAD, "lead")):
        people.append({"name": name, "type": "admin", "org": "nvidia", "role": role})
    builders: list[dict[str, object]] = [
        {"path": "nvflare.lighter.impl.workspace.WorkspaceBuilder", "args": {"template_file": ["master_template.yml"]}},
        {"path": "nvflare.lighter.impl.static_file.StaticFileBuilder", "args": {"config_folder": "config"}},
        {"path": "nvflare.lighter.impl.cert.CertBuilder"},
        {"path": "nvflare.lighter.impl.signature.SignatureBuilder"},
    ]
    about: dict[str, object] = {"api_version": 3, "name": NAME, "description": "POC", LOG_STREAMING: False}
    return {**about, "participants": people, "builders": builders}
