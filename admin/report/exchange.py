"""What went over the wire, and which updates the server refused."""

from __future__ import annotations

from typing import Any

from admin.report.run_files import RunFiles


def exchange(files: RunFiles) -> dict[str, Any]:
    """Bytes of each round by task and direction, and their sum; ``down`` is from the server to the sites."""
    rounds = files.results.get("bytes", {})
    if not rounds:
        return {"missing": "The run did not count the bytes that it exchanged."}
    rows = [
        {"round": int(number) + 1, "task": task, "down": ways.get("down", 0), "up": ways.get("up", 0)}
        for number, tasks in sorted(rounds.items(), key=lambda item: int(item[0]))
        for task, ways in tasks.items()
    ]
    return {"rows": rows, "down": sum(row["down"] for row in rows), "up": sum(row["up"] for row in rows)}


def refusals(files: RunFiles) -> list[dict[str, Any]]:
    """Every update that the server did not take: round, site and the reason in words."""
    return [
        {"round": entry["round"] + 1, "site": site, "reason": reason}
        for entry in files.results["history"]
        for site, reason in sorted(entry.get("refused", {}).items())
    ]
