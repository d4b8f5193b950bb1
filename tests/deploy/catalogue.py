"""All series about deployed federations, by name."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from tests.deploy.canaries import canaries
from tests.deploy.deployed import Deployed
from tests.deploy.egress import ledger
from tests.deploy.intruders.intruders import intruders
from tests.deploy.misconfigurations import misconfigurations
from tests.deploy.modes import modes
from tests.deploy.roles.role_table import roles
from tests.deploy.separate_machines import separate_machines
from tests.series.bench import Bench
from tests.series.page_table import PageTable

Series = Callable[[Path], Deployed]
"""Measures in an empty folder of its own. Starts processes on loopback only, and ends them by their ids."""

SERIES: dict[str, Series] = {
    "modes": modes,
    "separate machines": separate_machines,
    "intruders": intruders,
    "roles": roles,
    "canaries": canaries,
    "ledger": ledger,
    "misconfigurations": misconfigurations,
}
"""Each series runs by itself: ``python -m tests.deploy NAME``. The order is that of the table in docs/operating.md."""
TABLE = PageTable(Path("docs/operating.md"), "deploy", {}, others="numbers")
DEPLOY = Bench(name="deploy", kind=Deployed, series=SERIES, page=TABLE)
