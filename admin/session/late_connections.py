"""Closes what connects to the server while a session is being closed.

FLARE 2.9.0 closes the connections of a session and then waits for the thread that connects. If that thread is just
connecting, as when the server starts again, it connects afterwards, and reads until the server ends: the session is
never closed, and a command that logs in again waits for ever.
"""

from __future__ import annotations

import threading
from collections.abc import Iterable
from contextlib import suppress
from functools import wraps
from typing import Any

from nvflare.fuel.f3.sfm.conn_manager import ConnManager

PAUSE = 0.5  # seconds


def close_late_connections() -> None:
    """Let FLARE's communicators in this process end although a connection comes late; a second call does nothing."""
    stop = ConnManager.stop
    if hasattr(stop, "__wrapped__"):
        return

    @wraps(stop)
    def stop_all(manager: ConnManager) -> None:
        ended, drivers = threading.Event(), [connector.driver for connector in [*manager.connectors.values()]]
        threading.Thread(target=close_until, args=(ended, drivers), daemon=True).start()
        try:
            stop(manager)
        finally:
            ended.set()

    ConnManager.stop = stop_all


def close_until(ended: threading.Event, drivers: Iterable[Any]) -> None:
    """Close each connection of the drivers again and again until FLARE has ended them."""
    while not ended.wait(PAUSE):
        for driver in drivers:
            with suppress(Exception):  # of another thread's work on the same connection
                driver.close_all()
