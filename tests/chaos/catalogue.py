"""All series of faults, by name."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from tests.chaos.messages.good_updates import good_updates
from tests.chaos.messages.mutations import false_updates
from tests.chaos.outcome import Outcome

Series = Callable[[Path], Outcome]
"""Injects its faults in an empty folder of its own. Starts processes on loopback only, and ends them by their ids."""

SERIES: dict[str, Series] = {
    "false updates": false_updates,
    "good updates": good_updates,
}
"""Each series runs by itself: ``python -m tests.chaos NAME``. The order is that of the table in docs/reliability.md."""
