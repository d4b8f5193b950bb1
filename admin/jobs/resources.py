"""What a job needs at its sites: processors, memory, GPUs, and the image for a launcher of containers."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from nvflare.apis.job_def import JobMetaKey
from nvflare.private.fed.server.job_meta_validator import JobMetaValidator
from nvflare.utils.job_launcher_utils import (
    PORTABLE_RESOURCE_DEFAULT_KEY,
    PORTABLE_RESOURCE_KEYS,
    validate_portable_resource_conflicts,
)

from admin.jobs.folder import META, read_object, write_object
from fedaid.errors import InputError

RESOURCES, LAUNCHER = "resources", "launcher"  # settings of every job
KEYS = {RESOURCES: JobMetaKey.RESOURCE_SPEC.value, LAUNCHER: JobMetaKey.JOB_LAUNCHER_SPEC.value}
EVERY_SITE = {RESOURCES: PORTABLE_RESOURCE_DEFAULT_KEY, LAUNCHER: "default"}
OF_ONE_SITE = {RESOURCES: frozenset(PORTABLE_RESOURCE_KEYS), LAUNCHER: frozenset({"docker", "k8s", "slurm", "process"})}
EXAMPLES = {
    RESOURCES: """--set resources='{"num_of_gpus": 1}'""",
    LAUNCHER: """--set launcher='{"docker": {"shm_size": "2g"}}'""",
}


def without_resources(settings: Mapping[str, object]) -> dict[str, object]:
    """Return the settings that change the job's configs: all but ``resources`` and ``launcher``."""
    return {name: value for name, value in settings.items() if name not in KEYS}


def write_resources(job: Path, settings: Mapping[str, object]) -> None:
    """Write ``resources`` and ``launcher`` of the settings to the job's meta.json, where FLARE reads them.

    A value holds for every site, or it has one entry for each site and ``@default`` (``default`` for ``launcher``).

    Args:
        job: the job folder; its meta.json is rewritten.
        settings: name → value; other names are ignored.

    Raises:
        InputError: FLARE's server would refuse the job for this value.
    """
    for name in KEYS.keys() & settings.keys():
        value = settings[name]
        meta = {**read_object(job / META), KEYS[name]: for_sites(name, value)}
        try:
            JobMetaValidator._validate_resource(job.name, meta)
            JobMetaValidator._validate_launcher_spec(job.name, meta)
            validate_portable_resource_conflicts(meta)
        except (ValueError, TypeError, AttributeError) as error:
            remedy = f"FLARE: {error}. Write for example {EXAMPLES[name]}."
            raise InputError(name, "be accepted by FLARE", got=value, where=job.name, remedy=remedy) from error
        write_object(job / META, meta)


def for_sites(name: str, value: object) -> Any:
    """Return the value by sites; one without sites is for every site."""
    if isinstance(value, dict) and value and value.keys() <= OF_ONE_SITE[name]:
        return {EVERY_SITE[name]: value}
    if isinstance(value, dict) and all(isinstance(of_site, dict) for of_site in value.values()):
        return value
    known = ", ".join(sorted(OF_ONE_SITE[name]))
    rule, remedy = f"be an object with {known}", f"Write for example {EXAMPLES[name]}."
    raise InputError(name, rule, got=value, where="meta.json", remedy=remedy)
