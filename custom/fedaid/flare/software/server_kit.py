"""Whether the server's kit has the components that ``provision`` puts into it; FLARE's own kits lack them."""

from __future__ import annotations

from pathlib import Path

STARTS = "startup/fed_server.json"  # no kit, no line: as in a simulation
COMPONENTS = {
    "guard": "the failure of one site ends the job for all",
    "clock": "a step of the server's clock drops its sites",
    "watch": "two machines with one kit, and absent sites, are not named",
}
"""Part of the name of a component's file → what happens without it."""


def lacking_components(kit: Path) -> str:
    """Return which components the kit of the server lacks, in one line with the remedy; empty if it has all."""
    files = {f"local/fedaid_{name}__p_resources.json": effect for name, effect in COMPONENTS.items()}
    lacking = {file: effect for file, effect in files.items() if not (kit / file).is_file()}
    if not lacking or not (kit / STARTS).is_file():
        return ""
    found = ", ".join(f"{file} ({effect})" for file, effect in lacking.items())
    remedy = "python -m admin doctor KIT, at the server, names what to copy"
    return f"the server's kit is of an older version and lacks {found}. {remedy}"
