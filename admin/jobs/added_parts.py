"""Parts that somebody adds to a packaged job: components, filters, files, parameters, and settings of single sites."""

from __future__ import annotations

import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from admin.jobs.folder import CONFIGS, META, path_in_job, read_object, write_object
from admin.jobs.settings import places, places_named, require_same_kind
from fedaid.errors import require

SERVER, EVERY_SITE = "server", "@ALL"
SERVER_CONFIG, SITE_CONFIG = CONFIGS
PARTS = ("components", "task_data_filters", "task_result_filters", "format_version")
MERGED = ("executors", "workflows")  # of an addition these are empty
FIRST = ((SERVER_CONFIG, "task_data_filters"), (SITE_CONFIG, "task_result_filters"))  # their last filter encodes arrays


def add_site_apps(job: Path, settings: Mapping[str, Mapping[str, object]]) -> None:
    """Give each site an app of its own with its settings; only these sites then take part.

    Args:
        job: a packaged job with one app.
        settings: site → settings of its config, as ``NAME`` or ``ID.NAME``.

    Raises:
        InputError: the job has several apps, or a setting is not one of a site or has another kind.
    """
    meta = read_object(job / META)
    apps, remedy = list(meta["deploy_map"]), "Give the settings of all sites at once, before other parts."
    require(len(apps) == 1, "job", "have one app", got=apps, where=job.name, remedy=remedy)
    for site, changes in settings.items():
        app = job / f"{apps[0]}_{site}"
        shutil.copytree(job / apps[0], app, ignore=shutil.ignore_patterns(SERVER_CONFIG, "*.safetensors"))
        change_config(app / "config" / SITE_CONFIG, changes, where=f"settings of site {site}")
    own = {f"{apps[0]}_{site}": [site] for site in settings}
    write_object(job / META, meta | {"deploy_map": {apps[0]: [SERVER], **own}})


def change_config(file: Path, settings: Mapping[str, object], *, where: str) -> None:
    """Write settings into one config."""
    content = read_object(file)
    known = places({file: content})
    for name, value in settings.items():
        for place in places_named(name, known, where=where):
            require_same_kind(place, value)
            place.holder[place.key] = value
    write_object(file, content)


def add_parts(app: Path, added: Path) -> None:
    """Add the configs and files of an app that holds additions only to an app of a packaged job.

    A filter works on plain arrays: it comes before our filter that encodes them, and after the one that decodes them.

    Args:
        app: of the packaged job; its configs are rewritten.
        added: an app folder as FLARE's job API writes it.

    Raises:
        InputError: a part has the name of a part that the job has.
    """
    tasks = sorted({task for part in read_tasks(app) for task in part})
    for name in CONFIGS:
        if (added / "config" / name).is_file() and (app / "config" / name).is_file():
            merge_config(app / "config" / name, read_object(added / "config" / name), tasks=tasks)
    for folder in (folder for folder in (added / "custom",) if folder.is_dir()):
        for file in sorted(path for path in folder.rglob("*") if path.is_file()):
            place_file(file, app / "custom" / file.relative_to(folder))


def read_tasks(app: Path) -> list[list[str]]:
    """Return the tasks of the app's executors."""
    file = app / "config" / SITE_CONFIG
    return [part["tasks"] for part in read_object(file)["executors"]] if file.is_file() else []


def merge_config(file: Path, added: dict[str, Any], *, tasks: list[str]) -> None:
    """Add components, filters and parameters to a config."""
    config, where = read_object(file), path_in_job(file)
    present = {part["id"] for part in config.get("components", ())}
    for part in added.get("components", ()):
        rule, remedy = "not be one of the job's", "Give it another id."
        require(part["id"] not in present, "component", rule, got=part["id"], where=where, remedy=remedy)
    if added.get("components"):
        config["components"] = [*config.get("components", ()), *added["components"]]
    for kind in ("task_data_filters", "task_result_filters"):
        if added.get(kind):
            first = (file.name, kind) in FIRST
            config[kind] = merged_filters(config.get(kind, []), added[kind], tasks=tasks, first=first)
    for key in added.keys() - {*PARTS, *MERGED}:
        rule, remedy = "not be one of the job's", "Change it with settings={...}, or leave it out."
        require(key not in config, "parameter", rule, got=key, where=where, remedy=remedy)
        config[key] = added[key]
    write_object(file, config)


def merged_filters(
    present: list[dict[str, Any]], added: list[dict[str, Any]], *, tasks: list[str], first: bool
) -> list[dict[str, Any]]:
    """Return the filter chains of both; FLARE takes one chain for each task.

    Args:
        present, added: entries with ``tasks`` and ``filters``; the task ``*`` means all tasks.
        tasks: all tasks of the job, in any order.
        first: whether the added filters come before the present ones.
    """
    ours, theirs = chains(present, tasks), chains(added, tasks)
    names = [*ours, *(name for name in theirs if name not in ours)]
    both = {name: (theirs.get(name, []), ours.get(name, [])) for name in names}
    found: list[dict[str, Any]] = []
    for name, (new, old) in both.items():
        chain = [*new, *old] if first else [*old, *new]
        same = next((entry for entry in found if entry["filters"] == chain), None)
        if same:
            same["tasks"].append(name)
        else:
            found.append({"tasks": [name], "filters": chain})
    return found


def chains(entries: list[dict[str, Any]], tasks: list[str]) -> dict[str, list[dict[str, Any]]]:
    """Return task → its filters."""
    found: dict[str, list[dict[str, Any]]] = {}
    for entry in entries:
        for name in tasks if "*" in entry["tasks"] else entry["tasks"]:
            found.setdefault(name, []).extend(entry["filters"])
    return found


def place_file(file: Path, target: Path) -> None:
    """Copy a file into an app; refuse to replace one with other content."""
    same = not target.exists() or target.read_bytes() == file.read_bytes()
    rule, remedy = "not be one of the job's", "Rename the file."
    require(same, "file", rule, got=target.name, where=str(target.parent), remedy=remedy)
    target.parent.mkdir(parents=True, exist_ok=True)
    shutil.copyfile(file, target)
