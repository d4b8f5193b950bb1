"""How long the project file lets certificates be valid."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from admin.federation.project_file import Project
from fedaid.errors import require

VALID_DAYS = "certificate_valid_days"  # a line of the project file
DEFAULT_DAYS = 730
ROOT_DAYS = "root_valid_days"
FLARE_DAYS = 360  # of an authority whose project file does not say it
FLARES_BUILDER = "nvflare.lighter.impl.cert.CertBuilder"
OUR_BUILDER = "admin.federation.kits.dated_certificates.DatedCertBuilder"


def valid_days(project: Project) -> int:
    """Return for how many days a new certificate of the project is valid.

    Raises:
        InputError: the number is not a whole number of days, or the authority's certificate ends earlier.
    """
    root = root_days(project)
    days, where = project.content.get(VALID_DAYS, min(DEFAULT_DAYS, root)), f"project {project.name}"
    whole = isinstance(days, int) and not isinstance(days, bool) and days > 0
    require(whole, VALID_DAYS, "be a whole number of days", got=days, where=where, remedy=f"Write {DEFAULT_DAYS}.")
    rule = f"be at most {ROOT_DAYS}, which is {root}"
    require(days <= root, VALID_DAYS, rule, got=days, where=where, remedy="Write a smaller number of days.")
    return int(days)


def root_days(project: Project) -> int:
    """Return for how many days the authority of a new consortium is valid."""
    builders = [one for one in project.content.get("builders") or [] if isinstance(one, dict)]
    args = [one.get("args") or {} for one in builders if one.get("path") == FLARES_BUILDER]
    return int(args[0].get(ROOT_DAYS, FLARE_DAYS)) if args else FLARE_DAYS


def with_dates(content: dict[str, Any], *, days: int, root: int, renew: Sequence[str]) -> dict[str, Any]:
    """Return a project's content whose certificates last ``days``; ``renew`` names the ones to issue again."""
    ours = {"path": OUR_BUILDER, "args": {ROOT_DAYS: root, "valid_days": days, "renew": list(renew)}}
    builders = [ours if one.get("path") == FLARES_BUILDER else one for one in content.get("builders") or []]
    return {**content, "builders": builders}
