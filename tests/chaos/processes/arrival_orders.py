"""A series of the same job with the sites' answers in other orders: one model must come out."""

from __future__ import annotations

from itertools import islice, permutations
from pathlib import Path

from admin.federation.poc import PocFederation
from tests.chaos.outcome import Outcome
from tests.chaos.processes.kills import hospitals
from tests.chaos.processes.supervised import Runs, ledger_of

SITES = ("site-1", "site-2", "site-3")
REPEATS = 5
DELAYS = (0.0, 1.5, 3.0)  # seconds before a task


def arrival_orders(folder: Path) -> Outcome:
    """Run the job five times, each time with other delays of the sites."""
    with PocFederation(folder / "poc", SITES, data_roots=hospitals(folder / "data", SITES)) as federation:
        runs, hashes, orders = Runs(federation, folder / "runs"), [], set()
        for number, delays in enumerate(islice(permutations(DELAYS), REPEATS)):
            name = f"order {number}"
            hashes.append(runs.run(name, delays=dict(zip(SITES, delays, strict=True))).digest)
            orders.add(order_of(federation.record.server_kit / "fedaid_runs" / f"order-{number}"))
    failures = [f"order {number} has no result" for number, digest in enumerate(hashes) if not digest]
    if len(orders) < REPEATS:
        failures.append(f"the answers came in {len(orders)} orders only")
    return Outcome(place="POC", distinct_hashes=len(set(hashes)), failures=tuple(failures))


def order_of(store: Path) -> tuple[str, ...]:
    """The sites in the order in which the server accepted their answers in all rounds."""
    return tuple(line["site"] for line in ledger_of(store) if line["kind"] == "accept")
