"""What a server's or a site's machine needs for a job, as ``python -m admin plan`` computes it."""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

from admin.jobs.cost import PlannedFederation, model_size, server_disk
from admin.jobs.folder import read_object
from admin.jobs.memory.job_memory import GIGA, job_memory
from admin.jobs.plan import BANDWIDTH_MBIT, CONDITIONS, EXCHANGE_SETTINGS, PLAN_FILE
from admin.jobs.settings import model_configuration, values_by_name
from fedaid.errors import require


class Needs(NamedTuple):
    """Bytes that a machine needs, and where the numbers are from."""

    disk: float
    memory: float
    source: str


LEAST = Needs(10 * GIGA, 4 * GIGA, "the least for any job; give --job JOB_FOLDER for a job's plan")


def needs_of(job: Path | None, *, server: bool, gpus: int = 0) -> Needs:
    """Return what a packaged job needs at the server or at a site; without a job, the least for any.

    Args:
        job: its folder.
        server: whether the machine is the server's.
        gpus: of a site; activations are then in their memory.

    Raises:
        InputError: the job's rounds exchange no model.
    """
    if job is None:
        return LEAST
    values = values_by_name(job)
    rule, remedy = "have rounds in which a model is exchanged", "Leave --job out."
    require(values.keys() >= EXCHANGE_SETTINGS, "--job", rule, got=job.name, where="its settings", remedy=remedy)
    planned = job / PLAN_FILE
    sites = int(read_object(planned)[CONDITIONS]["sites"] if planned.is_file() else values["min_clients"])
    size = model_size(model_configuration(job))
    work = {"step_seconds": 0.0, "align_steps": 0, "pretrain_steps": 0, "wire_dtype": values.get("wire_dtype", "fp32")}
    federation = PlannedFederation(sites=sites, bandwidth_mbit=BANDWIDTH_MBIT, **work)
    disk = server_disk(size, federation) if server else 0.0
    memory = job_memory(job, size, sites=sites)
    site = memory.without_activations if gpus else memory.totals["a site"]
    needed = memory.totals["the server"] if server else site
    return Needs(max(disk, LEAST.disk), needed, f"{job.name} with {sites} sites")
