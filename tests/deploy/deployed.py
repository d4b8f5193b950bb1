"""What one series about deployed federations gave."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, ClassVar

from tests.series.measured import Measured

PAIRS = {
    "modes_equal": "modes_tried",
    "refused": "refused_expected",
    "roles_right": "roles_cells",
    "misconfigurations_found": "misconfigurations_planted",
    "ledgers_found": "ledgers_damaged",
}
"""The first number must be the second one."""
ZERO = ("canary_hits", "ledger_missing")
"""Numbers that must be zero."""


@dataclass(frozen=True, kw_only=True)
class Deployed(Measured):
    """The keys of build/bench/deploy.json, of one series.

    Attributes:
        modes_equal: ways to run one job whose model has the hash that most of them have.
        modes_tried: ways that were tried.
        refused: intruders and forbidden jobs that were refused as they must be.
        refused_expected: those that were tried.
        roles_right: cells of role × command whose answer is that of the table in docs/provisioned.md.
        roles_cells: cells that were tried.
        canary_hits: places at the server, the admin or the lead where a planted name was found.
        misconfigurations_found: planted faults of a kit that ``doctor`` named, with a remedy.
        misconfigurations_planted: those that were planted.
        ledger_missing: messages with a model or metrics that left a site and are not in its egress ledger.
        ledgers_found: damaged ledgers that were found.
        ledgers_damaged: altered, truncated and reordered ledgers.
        submit_to_first_task_seconds: the longest time from the lead's submission to the first task at a site.
        connect_seconds: the longest time from the start of a federation's processes until all sites are connected.
        remarks: what one has to know to read the numbers, in words.
        details: further numbers of the series.
    """

    LARGEST: ClassVar[tuple[str, ...]] = ("submit_to_first_task_seconds", "connect_seconds")
    NO_KEYS: ClassVar[tuple[str, ...]] = (*Measured.NO_KEYS, "remarks", "details")

    modes_equal: int | None = None
    modes_tried: int | None = None
    refused: int | None = None
    refused_expected: int | None = None
    roles_right: int | None = None
    roles_cells: int | None = None
    canary_hits: int | None = None
    misconfigurations_found: int | None = None
    misconfigurations_planted: int | None = None
    ledger_missing: int | None = None
    ledgers_found: int | None = None
    ledgers_damaged: int | None = None
    submit_to_first_task_seconds: float | None = None
    connect_seconds: float | None = None
    remarks: tuple[str, ...] = ()
    details: Mapping[str, Any] = field(default_factory=dict)

    def shortfalls(self) -> list[str]:
        """Numbers below those that were tried, and numbers that are not zero."""
        low = [
            f"{found} is {getattr(self, found)} of {wanted}"
            for found, most in PAIRS.items()
            if (getattr(self, found) or 0) != (wanted := getattr(self, most) or 0)
        ]
        return low + [f"{name} is {value}" for name in ZERO if (value := getattr(self, name))]
