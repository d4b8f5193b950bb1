"""The numbers of the size benchmark in models, and their goals."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from statistics import median
from typing import Any

from admin.jobs.cost import model_size
from admin.jobs.memory.at_server import server_memory
from admin.jobs.memory.at_site import site_memory
from admin.jobs.memory.step_peak import step_peak
from fedaid.training.settings import TrainingSettings
from tests.benchmarks.size.jobs import ROUNDS, SITES, TRAINING, Scale, size_of, variants
from tests.benchmarks.size.processes import JOB, SITE

Runs = Mapping[str, Any]
PARTS = {  # key → the run and the part of it that are compared with the model without size
    "site_models": ("trained", SITE),
    "site_models_frozen": ("frozen", SITE),
    "site_models_adapters": ("adapters", SITE),
    "server_models": ("trained", JOB),
}
GOALS: Mapping[str, tuple[str, float, float]] = {  # key → the goal in words, and its limits
    "site_models": ("at most 5.5", 0, 5.5),
    "site_models_frozen": ("at most 2", 0, 2),
    "site_models_adapters": ("at most 2", 0, 2),
    "server_models": ("at most 3", 0, 3),
    "server_per_site": ("at most 0.06", -1, 0.06),
    "transport_ratio": ("at least 0.8", 0.8, float("inf")),
    "planned_over_measured": ("within 0.15 of 1", 0.85, 1.15),
}


def summary(scale: Scale, runs: Runs) -> dict[str, Any]:
    """The numbers by their keys; one whose runs are missing is left out."""
    size = size_of(scale.model)
    found: dict[str, Any] = {"model_mb": size.whole / 1e6}
    for start in ("", "simulator "):
        for key, (name, part) in PARTS.items():
            if {start + name, start + "interpreter"} <= runs.keys():
                found[start.replace(" ", "_") + key] = models(runs, start, name, part=part, model=size.whole)
    if {"trained", "empty"} <= runs.keys():
        ours, flares = (median(runs[name]["exchange_seconds"]) for name in ("trained", "empty"))
        found["transport_ratio"] = flares / ours
    if "per_site" in runs:
        found["server_per_site"] = runs["per_site"]["ratio"]
    return found | planned(scale, runs)


def models(runs: Runs, start: str, name: str, *, part: str, model: float) -> float:
    """The memory of a part above that of the same part with a model without size, in models."""
    return (held(runs[start + name], part) - held(runs[start + "interpreter"], part)) / model


def held(run: Mapping[str, Any], part: str) -> float:
    """Bytes that no file has, of the part of this name, or the largest of the parts that start with it."""
    return max(peak["held"] * 1e6 for name, peak in run["mb"].items() if name.startswith(part))


def planned(scale: Scale, runs: Runs) -> dict[str, Any]:
    """What the planner says over what was measured in the POC: the ratio that is farthest from 1, and each of them."""
    ratios: dict[str, float] = {}
    for name in [name for name in ("trained", "frozen", "adapters") if name in runs]:
        for part, total in planned_bytes(variants(scale.model)[name], names=scale.model.keys()).items():
            ratios[f"{name} {part}"] = total / held(runs[name], part)
    if not ratios:
        return {}
    farthest = max(ratios.values(), key=lambda ratio: abs(ratio - 1))
    return {"planned_over_measured": farthest, "planned_over_measured_by_part": ratios}


def planned_bytes(settings: Mapping[str, Any], *, names: Collection[str]) -> dict[str, float]:
    """What the planner says of a site and of the server for a job with these settings.

    Args:
        settings: of the job.
        names: of those that are the model's; adapters are, too.
    """
    configuration = {"vocabulary": "radiology"} | {n: v for n, v in settings.items() if n in {*names, "adapters"}}
    steps = {name: ROUNDS[name] for name in ("align_steps", "pretrain_steps")}
    of_site = {name: settings[name] for name in ("precision", "gradient_checkpointing") if name in settings}
    training = TrainingSettings(**TRAINING, **steps, **of_site)
    size, wire = model_size(configuration), settings.get("wire_dtype", "fp32")
    site = site_memory(size, step_peak(configuration, training), training)
    server = server_memory(size, sites=SITES, wire_dtype=wire)
    return {SITE: sum(site.values()), JOB: sum(server.values())}


def table(found: Mapping[str, Any]) -> str:
    """A line for each number: itself, its goal, and whether it is met."""
    lines = [f"model of {found['model_mb']:.0f} MB, processors only"]
    for key, value in found.items():
        name = key.removeprefix("simulator_")
        if name in GOALS and isinstance(value, float):
            lines.append(f"{key:32} {value:8.3f}   {GOALS[name][0]:18} {'met' if is_met(name, value) else 'MISSED'}")
    return "\n".join(lines)


def is_met(name: str, value: float) -> bool:
    """Whether a number is within its goal."""
    _, low, high = GOALS[name]
    return low <= value <= high
