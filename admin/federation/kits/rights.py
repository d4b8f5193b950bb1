"""What each role may do at the server and at the sites, in FLARE's authorization policy of a kit."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from admin.federation.kit_settings import read_json, write_json

CHANGES: Mapping[str, Mapping[str, str]] = {
    "lead": {"operate": "none", "shell_commands": "none", "get_job_log": "n:submitter"},
    "org_admin": {"get_job_log": "o:submitter"},
}
"""FLARE lets a lead list and read files, and disable sites, where the lead's organisation has a machine. Only the
project's admin may read a job's log. ``n:submitter`` is a person's own job, ``o:submitter`` one of the organisation's.
"""


def limit_rights(kit: Path) -> None:
    """Take the lead's rights on machines away in a server's or a site's kit; let submitters read their job's log."""
    file = kit / "local" / "authorization.json.default"
    content = read_json(file)
    content["permissions"] = changed(content["permissions"])
    write_json(file, content)


def changed(permissions: Mapping[str, Any]) -> dict[str, Any]:
    """Return FLARE's permissions with our changes; a role that may do anything or nothing stays as it is."""
    return {
        role: {**own, **CHANGES.get(role, {})} if isinstance(own, dict) else own for role, own in permissions.items()
    }
