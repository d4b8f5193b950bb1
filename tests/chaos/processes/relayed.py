"""A provisioned federation with mutual TLS on this machine: two sites, one of them behind a relay."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import yaml

from admin.federation.federation import free_port
from admin.federation.kit_process import start_kit
from admin.federation.provision import ProvisionedFederation
from admin.federation.record import Record

PROJECT = Path(__file__).parents[3] / "admin" / "project.yml"
RELAY = "relay-one"


class TrialFederation(ProvisionedFederation):
    """The first two hospitals of the project file; the second one connects to a relay.

    Args:
        workspace: of the federation.
        data: makes the data roots of the sites.
    """

    def __init__(self, workspace: Path, *, data: Callable[[tuple[str, ...]], Mapping[str, Path]]) -> None:
        workspace.mkdir(parents=True)
        content = relayed(yaml.safe_load(PROJECT.read_text()), port=free_port())
        project = workspace.with_suffix(".yml")
        project.write_text(yaml.safe_dump(content, sort_keys=False))
        names = tuple(one["name"] for one in content["participants"] if one["type"] == "client")
        super().__init__(workspace, project, data_roots=data(names))

    def make_kits(self) -> Record:
        """Provision the kits, and start the relay, which waits for the server."""
        record = super().make_kits()
        logs = self.workspace / "console"
        logs.mkdir()
        start_kit(record.kits / RELAY, log=logs / f"{RELAY}.txt", mark=record.mark)
        return record


def relayed(content: dict[str, Any], *, port: int) -> dict[str, Any]:
    """A project with two sites and a relay that listens on a port of loopback."""
    people: list[dict[str, Any]] = content["participants"]
    first, second = [one for one in people if one["type"] == "client"][:2]
    others = [one for one in people if one["type"] != "client"]
    host = {"default_host": "localhost", "host_names": ["localhost", "127.0.0.1"], "port": port}
    host |= {"scheme": "http", "connection_security": "mtls"}
    relay = {"name": RELAY, "type": "relay", "org": "consortium", "listening_host": host}
    behind = {**second, "connect_to": {"name": RELAY, "host": "localhost", "port": port}}
    return {**content, "participants": [*others, relay, first, behind]}
