"""Seeds: one per run, site, round and purpose, so that no site's draws depend on another's or on who was first."""

from __future__ import annotations

import hashlib


def seed_of(run: int, *purpose: str | int) -> int:
    """A seed in [0, 2³²) from the run's seed and the names of what it is for."""
    text = "\x1f".join(str(part) for part in (run, *purpose))
    return int.from_bytes(hashlib.sha256(text.encode()).digest()[:4], "big")
