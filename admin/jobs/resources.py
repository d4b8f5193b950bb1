"""What a job needs at its sites: processors, memory, GPUs, and the options of a launcher of containers."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, NoReturn

from admin.jobs.folder import META, read_object, write_object
from fedaid.errors import InputError

RESOURCES, LAUNCHER = "resources", "launcher"  # settings of every job
KEYS = {RESOURCES: "resource_spec", LAUNCHER: "launcher_spec"}  # where FLARE reads them in meta.json
EVERY_SITE = {RESOURCES: "@default", LAUNCHER: "default"}
MEMORY = re.compile(r"[1-9][0-9]*(Mi|Gi|Ti)")
EXAMPLES = {RESOURCES: {"num_of_gpus": 1, "memory": "24Gi"}, LAUNCHER: {"docker": {"shm_size": "2g"}}}


def is_whole(value: object, least: int) -> bool:
    """Return whether the value is a whole number from ``least``."""
    return isinstance(value, int) and not isinstance(value, bool) and value >= least


def is_object(value: object) -> bool:
    """Return whether the value is a JSON object."""
    return isinstance(value, dict)


OPTIONS: dict[str, dict[str, tuple[Callable[[Any], bool], str]]] = {
    RESOURCES: {
        "num_of_gpus": (lambda value: is_whole(value, 0), "a whole number from 0"),
        "num_of_cpus": (lambda value: is_whole(value, 1), "a whole number from 1"),
        "memory": (lambda value: isinstance(value, str) and bool(MEMORY.fullmatch(value)), "text as in 24Gi"),
    },
    LAUNCHER: {mode: (is_object, "an object") for mode in ("docker", "k8s", "process", "slurm")},
}
DOCKER = frozenset({"entrypoint", "image", "num_of_gpus", "python_path", "shm_size"})  # what a job may set


def without_resources(settings: Mapping[str, object]) -> dict[str, object]:
    """Return the settings that change the job's configs: all but ``resources`` and ``launcher``."""
    return {name: value for name, value in settings.items() if name not in KEYS}


def write_resources(job: Path, settings: Mapping[str, object]) -> None:
    """Write ``resources`` and ``launcher`` of the settings to the job's meta.json.

    A value holds for every site, or it has one entry for each site and ``@default`` (``default`` for ``launcher``).

    Args:
        job: the job folder; its meta.json is rewritten.
        settings: name → value; other names are ignored.

    Raises:
        InputError: FLARE's server would refuse the job for this value.
    """
    for name in KEYS.keys() & settings.keys():
        by_site = for_sites(name, settings[name])
        for site, options in by_site.items():
            require_options(name, options, where=f"{job.name}, {site}")
        write_object(job / META, {**read_object(job / META), KEYS[name]: by_site})


def for_sites(name: str, value: object) -> dict[str, Any]:
    """Return the value by sites; one without sites is for every site."""
    if not isinstance(value, dict):
        refuse(name, "be an object", value, where=META)
    by_site = {EVERY_SITE[name]: value} if value.keys() & OPTIONS[name].keys() else value
    if strange := by_site.keys() & set(EVERY_SITE.values()) - {EVERY_SITE[name]}:  # FLARE takes it for a site's name
        refuse(name, f"call all sites {EVERY_SITE[name]}", min(strange), where=META)
    return by_site


def require_options(name: str, options: object, *, where: str) -> None:
    """Refuse an option of one site that FLARE does not know, or a value that it does not take."""
    known = OPTIONS[name]
    if not isinstance(options, dict) or options.keys() - known.keys():
        refuse(name, f"have only {', '.join(sorted(known))} for a site", options, where=where)
    for option, value in options.items():
        holds, rule = known[option]
        if not holds(value):
            refuse(f"{name}: {option}", f"be {rule}", value, where=where)
    if unknown := sorted(options.get("docker", {}).keys() - DOCKER):
        refuse(f"{name}: docker", f"have only {', '.join(sorted(DOCKER))}", unknown, where=where)


def refuse(name: str, rule: str, got: object, *, where: str) -> NoReturn:
    """Raise the error, with an example."""
    setting = name.partition(":")[0]
    remedy = f"Write for example --set {setting}='{json.dumps(EXAMPLES[setting])}'."
    raise InputError(name, rule, got=got, where=where, remedy=remedy)
