"""FLARE's job API writes each job of jobs/ from Python objects, and the job has the arguments of our JSON again."""

from __future__ import annotations

import importlib
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from nvflare.job_config.api import FedJob
from nvflare.job_config.defs import FilterType

from admin.jobs.folder import CONFIGS, read_object
from admin.jobs.package import JOBS

NAMES = ["evaluate_global", "fedaid_pretrain", "fedavg_pretrain", "local_pretrain"]
FILTERS = {"task_data_filters": FilterType.TASK_DATA, "task_result_filters": FilterType.TASK_RESULT}


def class_of(path: str) -> type:
    module, _, name = path.rpartition(".")
    found: type = getattr(importlib.import_module(module), name)
    return found


def made(node: dict[str, Any]) -> Any:
    """The object that a component of a config describes, with the components among its arguments."""
    arguments = node.get("args", {}).items()
    parts = {name: made(value) if isinstance(value, dict) and "path" in value else value for name, value in arguments}
    return class_of(node["path"])(**parts)


def exported(name: str, folder: Path) -> dict[str, dict[str, Any]]:
    """Both configs of the job that FLARE's job API writes from the objects that a job of ours describes."""
    server, client = (read_object(JOBS / name / "app" / "config" / file) for file in CONFIGS)
    job = FedJob(name, min_clients=2)
    job.set_app_packages(["fedaid"])
    for workflow in server["workflows"]:
        job.to_server(made(workflow), id=workflow["id"])
    for entry in client["executors"]:
        job.to_clients(made(entry["executor"]), tasks=entry["tasks"])
    for config, add in ((server, job.to_server), (client, job.to_clients)):
        for component in config["components"]:
            add(made(component), id=component["id"])
        for key, kind in FILTERS.items():
            for entry in config.get(key, []):
                for component in entry["filters"]:
                    add(made(component), filter_type=kind, tasks=entry["tasks"])
    job.export_job(str(folder))
    return {file: json.loads((folder / name / "app" / "config" / file).read_text()) for file in CONFIGS}


def arguments(node: Any) -> Iterator[tuple[str, dict[str, Any]]]:
    """Class path and arguments of every component below a node of a config."""
    if isinstance(node, dict) and "path" in node:
        yield node["path"], node["args"]
    for value in node.values() if isinstance(node, dict) else node if isinstance(node, list) else ():
        yield from arguments(value)


def test_there_is_no_other_job() -> None:
    assert sorted(meta.parent.name for meta in JOBS.glob("*/meta.json")) == NAMES


@pytest.mark.parametrize("name", NAMES)
def test_flares_job_api_writes_the_arguments_of_our_json(name: str, tmp_path: Path) -> None:
    found = exported(name, tmp_path)
    for file in CONFIGS:
        ours = list(arguments(read_object(JOBS / name / "app" / "config" / file)))
        assert ours
        assert sorted(arguments(found[file]), key=str) == sorted(ours, key=str)
