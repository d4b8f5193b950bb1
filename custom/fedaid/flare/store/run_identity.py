"""What makes two jobs the same run: its name, its settings and its sites; and what may differ between them."""

from __future__ import annotations

import json
import platform
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import Any

import torch

from fedaid.errors import NotYet, closest, require
from fedaid.flare.software.software_report import VOCABULARY, software_report
from fedaid.flare.store.run_folder import is_run_name
from fedaid.flare.store.setting_defaults import parts_of

CONFIGS = ("config_fed_server.json", "config_fed_client.json")
# Settings that do not change the bits of a round.
FREE = {
    "run_name",
    "start_name",
    "attempt",
    "without",
    "num_rounds",
    "min_clients",
    "task_timeout",
    "wait_time_after_min_received",
    "get_task_timeout",
    "submit_task_result_timeout",
    "max_runner_sync_timeout",
    "np_min_download_timeout",
    "task_request_interval",
    "tensorboard",
    "mlflow",
    "feature_memory_mb",
    "workers",
    "training_process",
}
DRAWN: Mapping[str, Any] = MappingProxyType({})  # the origin of a run whose model was drawn
SETTINGS, SOFTWARE = "settings", "software"  # parts of run.json
WHERE = "controller args of config_fed_server.json"
ABSENT = "absent"


@dataclass(frozen=True)
class RunIdentity:
    """The name of a run, and which of its jobs this is.

    Attributes:
        run_name: a later job of the same name continues the run; empty for the job's id, so that no other job does.
        attempt: number of this job in the run, from 1; an answer to another attempt is refused.
        without: names of sites that are withdrawn from the run.

    Raises:
        InputError: naming the setting.
    """

    run_name: str = ""
    attempt: int = 1
    without: tuple[str, ...] | list[str] = ()

    def __post_init__(self) -> None:
        name, rule = self.run_name, "be letters, digits, dots, underscores and hyphens"
        remedy = "Package the job with another --run-name."
        require(name == "" or is_run_name(name), "run_name", rule, got=repr(name), where=WHERE, remedy=remedy)
        whole = isinstance(self.attempt, int) and not isinstance(self.attempt, bool) and self.attempt >= 1
        rule, remedy = "be a whole number of at least 1", "Use 1 for the first job of a run."
        require(whole, "attempt", rule, got=repr(self.attempt), where=WHERE, remedy=remedy)
        listed = isinstance(self.without, (list, tuple)) and all(isinstance(site, str) for site in self.without)
        remedy = 'Write ["site-c"].'
        require(listed, "without", "be a list of site names", got=repr(self.without), where=WHERE, remedy=remedy)


def run_file(config: Path, *, vocabulary_hash: str, origin: Mapping[str, Any] = DRAWN) -> dict[str, Any]:
    """The content of ``run.json``: the settings of a job by their path, and the software that the server runs.

    Args:
        config: the job's folder ``config`` at the server.
        vocabulary_hash: sha256 of the vocabulary.
        origin: where the run began, added as it is.
    """
    files = [config / name for name in CONFIGS if (config / name).is_file()]
    settings = {path: value for file in files for path, value in leaves(json.loads(file.read_text()), file.stem)}
    return {SETTINGS: settings | {"vocabulary_sha256": vocabulary_hash}, SOFTWARE: software(), **origin}


def software() -> dict[str, str]:
    """Versions, code and processor: another one may give other bits, but the run can continue."""
    versions = {name: value for name, value in software_report().items() if name != VOCABULARY}
    return versions | {"cpu": f"{platform.machine()} {torch.backends.cpu.get_cpu_capability()}"}


def leaves(content: Any, path: str) -> Iterator[tuple[str, Any]]:
    """The values of a config that are not :data:`FREE`, by their path; an entry of a list has its ``id`` or number."""
    if isinstance(content, Mapping) and content:
        for key in sorted(content.keys() - FREE):
            yield from leaves(content[key], f"{path}.{key}")
    elif isinstance(content, list) and any(isinstance(part, (Mapping, list)) for part in content):
        for name, part in parts_of(content):
            yield from leaves(part, f"{path}.{name}")
    else:
        yield path, content


def differing(
    part: str, committed: Mapping[str, Any], present: Mapping[str, Any], *, defaults: Mapping[str, Any] | None = None
) -> list[str]:
    """One line for each value of a part of ``run.json`` that differs between the run and this job.

    Args:
        part: its name.
        committed: ``run.json`` of the run.
        present: that of this job.
        defaults: path → what an absent value means, null where it has no entry; None to compare the parts as they are.
    """
    before, now = committed.get(part, {}), present.get(part, {})

    def meant(values: Mapping[str, Any], key: str) -> Any:
        """The value of a setting, stated or not."""
        value = values.get(key, ABSENT if defaults is None else defaults.get(key))
        return None if value == {} and defaults is not None else value  # a component without arguments

    keys = sorted(key for key in before.keys() | now.keys() if meant(before, key) != meant(now, key))
    return [f"{key}: {before.get(key, ABSENT)} in the run, {now.get(key, ABSENT)} in this job" for key in keys]


def require_same_settings(
    run_name: str, committed: Mapping[str, Any], present: Mapping[str, Any], *, defaults: Callable[[], Any] = dict
) -> None:
    """Refuses a job with other settings than the run was started with.

    Args:
        run_name: for the message.
        committed: ``run.json`` of the run.
        present: that of this job.
        defaults: returns path → default of a setting; called only if a setting seems to differ.

    Raises:
        InputError: with one line for each setting that differs.
    """
    lines = differing(SETTINGS, committed, present)
    lines = lines and differing(SETTINGS, committed, present, defaults=defaults())
    remedy = "Package the job with the run's settings, or with another --run-name."
    got = "".join(f"\n  {line}" for line in lines) + "\n "
    require(not lines, f"job of run {run_name}", "have the run's settings", got=got, where=WHERE, remedy=remedy)


def require_known_sites(without: Iterable[str], known: Collection[str]) -> None:
    """Refuses to withdraw a site that nobody knows: with a typo in its name the site would stay in the run.

    Args:
        without: names of the sites to withdraw.
        known: names of the sites of the run and of those that are connected.

    Raises:
        InputError: naming the first unknown one.
    """
    for site in without:
        remedy = f"{closest(site, sorted(known))} A site that is neither in the run nor connected needs no --without."
        require(site in known, "without", "be sites of the run", got=site, where=WHERE, remedy=remedy)


def require_same_sites(run_name: str, committed: Collection[str], present: Collection[str], without: Any) -> None:
    """Refuses a job with a site that the run did not have, or without one that was not withdrawn.

    Raises:
        NotYet: naming the sites that are away.
        InputError: naming the new sites.
    """
    missing, new = sorted({*committed} - {*present} - {*without}), sorted({*present} - {*committed})
    rule, where = "be the sites of the run", f"run {run_name}"
    remedy = f"Start it, or package the job with --without {' '.join(missing)}: its site weight stays as it is."
    if missing:
        raise NotYet("sites", rule, got=f"no {', '.join(missing)}", where=where, remedy=remedy, sites=missing)
    remedy = "A new site needs a new run: package the job with another --run-name."
    require(not new, "sites", rule, got=f"also {', '.join(new)}", where=where, remedy=remedy)
