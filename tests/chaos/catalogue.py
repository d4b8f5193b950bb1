"""All series of faults, by name."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from tests.chaos.files.damaged_files import damaged_files
from tests.chaos.files.full_disk import full_disk
from tests.chaos.guards.removed_guards import removed_guards
from tests.chaos.lines.network_faults import network_faults
from tests.chaos.messages.good_updates import good_updates
from tests.chaos.messages.mutations import false_updates
from tests.chaos.outcome import Outcome
from tests.chaos.processes.arrival_orders import arrival_orders
from tests.chaos.processes.frozen_site import frozen_site
from tests.chaos.processes.kills import kills_in_poc, kills_with_tls
from tests.chaos.processes.returning_site import returning_site
from tests.chaos.sites.hostile_messages import hostile_messages
from tests.chaos.sites.private_exceptions import private_exceptions
from tests.chaos.training.training_kills import training_kills, want_of_memory
from tests.chaos.weights.false_losses import false_losses
from tests.chaos.weights.loss_tables import random_losses
from tests.series.bench import Bench
from tests.series.page_table import PageTable

Series = Callable[[Path], Outcome]
"""Injects its faults in an empty folder of its own. Starts processes on loopback only, and ends them by their ids."""

SERIES: dict[str, Series] = {
    "kills in POC": kills_in_poc,
    "kills with TLS": kills_with_tls,
    "kills of a site's training process": training_kills,
    "out of memory at a site": want_of_memory,
    "a frozen site": frozen_site,
    "a site that comes back": returning_site,
    "orders of arrival": arrival_orders,
    "faults of a hospital's line": network_faults,
    "damaged files": damaged_files,
    "full disks": full_disk,
    "false updates": false_updates,
    "hostile messages": hostile_messages,
    "private exceptions": private_exceptions,
    "good updates": good_updates,
    "random losses": random_losses,
    "false losses": false_losses,
    "removed guards": removed_guards,
}
"""Each series runs by itself: ``python -m tests.chaos NAME``. The order is that of the table in docs/reliability.md."""
TABLE = PageTable(
    Path("docs/reliability.md"), "chaos", {"injected": "faults", "survived": "survived"}, others="other numbers"
)
CHAOS = Bench(name="chaos", kind=Outcome, series=SERIES, page=TABLE)
