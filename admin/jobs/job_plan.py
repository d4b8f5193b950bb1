"""The plan that lies with a packaged job: what ``admin.jobs.plan --write`` found that its rounds need."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from admin.jobs.folder import read_object
from admin.jobs.settings import settable
from fedaid.errors import require

PLAN = "plan.json"  # beside meta.json
OWN = ("task_timeout", "wait_time_after_min_received")  # the timeouts that are settings of a job


def by_name(job: Path) -> dict[str, Any]:
    """Return a job's settings by their own names; of two with one name the last."""
    return {name.rpartition(".")[2]: value for name, value in settable(job).items()}


def require_planned_timeouts(job: Path, *, least: Mapping[str, int] | None = None) -> None:
    """Refuse a job with a timeout of its own below what its plan needs; a job without a plan passes.

    Args:
        job: a packaged job.
        least: the timeouts needed; by default those of the plan that lies with the job.

    Raises:
        InputError: saying what it must be at least.
    """
    plan = job / PLAN
    if least is None and not plan.is_file():
        return
    needed = least if least is not None else read_object(plan)["timeouts"]
    present = by_name(job)
    remedy = "python -m admin plan JOB --write sets it; a smaller wire_dtype or fewer steps need less."
    for name in [name for name in OWN if name in needed]:
        rule = f"be at least {needed[name]} s for the planned rounds"
        require(present[name] >= int(needed[name]), name, rule, got=present[name], where=job.name, remedy=remedy)
