"""Seconds in which a model goes into a site and out of it, read from FLARE's log of the site."""

from __future__ import annotations

import re
import shutil
from collections.abc import Sequence
from datetime import datetime
from pathlib import Path
from statistics import median
from typing import Any

from admin.jobs.folder import META, config_files, read_object, write_object
from tests.benchmarks.flare_round import Lines, spans
from tests.benchmarks.size import empty_site

RECEIVED = re.compile(r"getTask: (\S+) size: .* time: ([0-9.]+) seconds")
SENT = re.compile(r"SubmitUpdate to: .* time: ([0-9.]+) seconds")
STARTED, FINISHED = re.compile(r"Round (\d+) started\."), re.compile(r"Round (\d+) finished\.")
TASK = "exchange"
SERVER: dict[str, Any] = {
    "shareable_generator": (
        "nvflare.app_common.shareablegenerators.full_model_shareable_generator.FullModelShareableGenerator",
        {},
    ),
    "aggregator": (
        "nvflare.app_common.aggregators.intime_accumulate_model_aggregator.InTimeAccumulateWeightedAggregator",
        {"expected_data_kind": "WEIGHTS"},
    ),
}
LOOP = "nvflare.app_common.workflows.scatter_and_gather.ScatterAndGather"
PERSISTOR = "nvflare.app_opt.pt.file_model_persistor.PTFileModelPersistor"


def empty_job(job: Path, *, sites: int, rounds: int) -> Path:
    """A job of FLARE's own parts that moves the model of ``job`` and computes nothing."""
    made = job.with_name("empty_job")
    shutil.copytree(job, made)
    write_object(made / META, read_object(made / META) | {"name": made.name})
    server, client = config_files(made)
    write_object(server, server_side(read_object(server), sites=sites, rounds=rounds))
    executor = {"path": "empty_site.EmptyExecutor", "args": {}}
    own = read_object(client) | {"executors": [{"tasks": [TASK], "executor": executor}]}
    write_object(client, own | {"task_data_filters": [], "task_result_filters": []})
    shutil.copy(empty_site.__file__, server.parents[1] / "custom")
    return made


def server_side(content: dict[str, Any], *, sites: int, rounds: int) -> dict[str, Any]:
    """FLARE's own components for the model of a job's server side."""
    model = content["components"][0]["args"]["model"]
    parts = {"persistor": (PERSISTOR, {"model": model})} | SERVER
    loop = {"min_clients": sites, "num_rounds": rounds, "train_task_name": TASK}
    loop |= {f"{name}_id": name for name in parts}
    return {
        "format_version": 2,
        "server": content["server"],
        "components": [{"id": name, "path": path, "args": args} for name, (path, args) in parts.items()],
        "workflows": [{"id": "loop", "path": LOOP, "args": loop}],
    }


def exchange_seconds(logs: Sequence[Lines], rounds: int) -> list[float]:
    """Seconds of each site in each round for all tasks of that round, both ways; validation is left out."""
    found = []
    for log in logs:
        moved = [one for one in exchanges(log) if one[0] != "validate"]
        each = len(moved) // rounds
        found += [sum(seconds for _, seconds in moved[n * each : (n + 1) * each]) for n in range(rounds)]
    return found


def exchanges(log: Lines) -> list[tuple[str, float]]:
    """Task and seconds of each message in and out, in their order."""
    found: list[tuple[str, float]] = []
    for _, text in log:
        if got := RECEIVED.search(text):
            found.append((got[1], float(got[2])))
        elif (sent := SENT.search(text)) and found:
            found.append((found[-1][0], float(sent[1])))
    return found


def outside_seconds(server: Lines, sites: Sequence[Lines]) -> float:
    """Median seconds of a round beside the work of its slowest site's executor."""
    begun = {found[1]: moment for moment, text in server if (found := STARTED.search(text))}
    ended = {found[1]: moment for moment, text in server if (found := FINISHED.search(text))}
    return median(outside(begun[n], ended[n], sites) for n in ended)


def outside(begun: datetime, ended: datetime, sites: Sequence[Lines]) -> float:
    """Seconds of one round beside the work of its slowest site's executor."""
    work = [spans(site, "invoking task executor", "finished processing task") for site in sites]
    slowest = max(sum(seconds for moment, seconds in of_site if begun <= moment < ended) for of_site in work)
    return (ended - begun).total_seconds() - slowest
