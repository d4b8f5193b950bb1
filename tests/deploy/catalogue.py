"""All series about deployed federations, by name."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from tests.deploy.deployed import Deployed
from tests.deploy.settings.misconfigurations import misconfigurations
from tests.series.bench import Bench
from tests.series.page_table import PageTable

Series = Callable[[Path], Deployed]
"""Measures in an empty folder of its own. Starts processes on loopback only, and ends them by their ids."""

SERIES: dict[str, Series] = {
    # here: intruders
    # here: roles
    "misconfigurations": misconfigurations,
}
"""Each series runs by itself: ``python -m tests.deploy NAME``. The order is that of the table in docs/operating.md."""
TABLE = PageTable(Path("docs/operating.md"), "deploy", {}, others="numbers")
DEPLOY = Bench(name="deploy", kind=Deployed, series=SERIES, page=TABLE)
