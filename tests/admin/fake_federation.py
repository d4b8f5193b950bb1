"""A federation whose kits only sleep: it shows how processes are started and ended, in a second."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path

from admin.federation.federation import Federation
from admin.federation.record import Record, new_mark

SLEEP = "exec sleep 60"
RESOURCES = {
    "servers": [{}],
    "snapshot_persistor": {"args": {"storage": {"args": {}}}},
    "components": [{"id": "job_manager", "args": {}}],
}


class FakeFederation(Federation):
    """Kits with a shell script each; ``scripts`` says which do something else than sleep."""

    def __init__(self, workspace: Path, data_roots: Mapping[str, Path], *, scripts: Mapping[str, str]) -> None:
        super().__init__(workspace, tuple(data_roots), data_roots=data_roots)
        self.scripts = scripts

    def make_kits(self) -> Record:
        kits = self.workspace / "kits"
        for name in ("server", *self.sites):
            (kits / name / "startup").mkdir(parents=True, exist_ok=True)
            (kits / name / "local").mkdir(exist_ok=True)
            (kits / name / "startup" / "sub_start.sh").write_text(self.scripts.get(name, SLEEP))
        server = {"servers": [{"service": {"target": "server:8002"}}]}
        (kits / "server" / "startup" / "fed_server.json").write_text(json.dumps(server))
        (kits / "server" / "local" / "resources.json.default").write_text(json.dumps(RESOURCES))
        return Record(new_mark(), kits, "server", "admin@x.org", "lead@x.org", self.sites)
