"""A packaged job and its plan: the numbers of a federation that were given once, and the timeouts that follow."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import Any

from admin.jobs.cost import DOWNLOAD, Federation, ModelSize, model_size, request_interval, timeouts
from admin.jobs.folder import CONFIGS, config_files, read_object, write_object
from admin.jobs.job_plan import OWN, PLAN, by_name, require_planned_timeouts
from admin.jobs.settings import change_settings
from fedaid.errors import InputError, require
from fedaid.training.settings import TrainingSettings

GIVEN, TIMEOUTS = "given", "timeouts"  # keys of a plan
OF_STEP = (  # settings that change how long a step takes
    *("batch_size", "micro_batch_size", "precision", "channels_last", "gradient_checkpointing", "compile_backend"),
    *("threads", "processes", "workers", "teacher_view"),
)
TERMS = ("binding_weight", "proximal_weight", "moon_weight")  # that cost time if they are not 0, whatever they are
EXCHANGES = {"align_steps", "pretrain_steps", "alignment_phase"}  # settings of a job whose rounds exchange a model


@dataclass(frozen=True)
class Given:
    """What a person says about a federation, and a job does not.

    Attributes:
        sites: S.
        bandwidth_mbit: of every link, each way.
        step_seconds: one step of local training at the slowest site.
        studies: of the largest site, all splits.
        decode_seconds: to decode a study's image, over all processes that do; 0 for sites that are prepared.
    """

    sites: int
    bandwidth_mbit: float
    step_seconds: float
    studies: int
    decode_seconds: float

    def __post_init__(self) -> None:
        for name, value in asdict(self).items():
            least = value >= 0 if name == "decode_seconds" else value > 0
            rule = "be at least 0" if name == "decode_seconds" else "be above 0"
            option, remedy = f"--{name.replace('_', '-')}", "Give what you have."
            require(least and value < math.inf, option, rule, got=value, where="the plan", remedy=remedy)


def planned(job: Path, given: Given) -> tuple[ModelSize, Federation]:
    """Return the sizes and the federation that a packaged job's settings and the given numbers make.

    Raises:
        InputError: the job's rounds exchange no model.
    """
    settings = by_name(job)
    rule, remedy = "have rounds in which a model is exchanged", "Set its task_timeout by hand, with --set."
    require(settings.keys() >= EXCHANGES, "job", rule, got="another kind", where=job.name, remedy=remedy)
    federation = Federation(
        **asdict(given),
        align_steps=settings["align_steps"],
        pretrain_steps=settings["pretrain_steps"],
        wire_dtype=settings.get("wire_dtype", "fp32"),
        alignment_phase=settings.get("alignment_phase", True),
        batch_size=settings["batch_size"],
        student_loss=settings.get("report_student_loss", False),
    )
    return model_size(configuration(job)), federation


def configuration(job: Path) -> dict[str, Any]:
    """Return the constructor arguments of the job's model.

    Raises:
        InputError: the job has no model.
    """
    for file in config_files(job):
        for component in read_object(file).get("components", []):
            model = component.get("args", {}).get("model")
            if isinstance(model, dict):
                arguments: dict[str, Any] = model.get("args", {})
                return arguments
    raise InputError("job", "have a persistor with a model", got="none", where=job.name, remedy="Package it again.")


def training_settings(job: Path) -> TrainingSettings:
    """Return the settings of the job's local training."""
    settings = by_name(job)
    names = [field.name for field in fields(TrainingSettings)]
    return TrainingSettings(**{name: settings[name] for name in names if name in settings})


def step_of(job: Path, size: ModelSize) -> dict[str, Any]:
    """Return what a step's seconds hold for, as plain JSON; a job of another kind needs others."""
    settings = asdict(training_settings(job))
    terms = [name for name in TERMS if settings[name] > 0]
    return {"parameters": size.parameters, "terms": terms, **{name: settings[name] for name in OF_STEP}}


def write_plan(job: Path, given: Given) -> None:
    """Set the job's timeouts to at least what the plan needs, and leave the plan with the job for what comes after."""
    size, federation = planned(job, given)
    least = timeouts(size, federation)
    change_settings(job, {name: max(least[name], by_name(job)[name]) for name in OWN})
    for file in config_files(job):
        content = read_object(file)
        if file.name == CONFIGS[0]:
            content.setdefault("server", {})["task_request_interval"] = request_interval(federation.sites)
            content[DOWNLOAD] = least[DOWNLOAD]
        else:
            content |= {name: least[name] for name in least if name not in OWN}
        write_object(file, content)
    write_object(job / PLAN, {GIVEN: asdict(given), "step_of": step_of(job, size), TIMEOUTS: least})


def plan_again(job: Path, plan: Path, *, chosen: Iterable[str]) -> None:
    """Plan a job that was packaged anew for the federation of its former plan.

    Args:
        job: the new package.
        plan: the former ``plan.json``.
        chosen: names of settings that the person set: such a timeout is not raised but refused if it is too short.

    Raises:
        InputError: the plan is not one, its step was another (:func:`step_of`), or a timeout is too short.
    """
    content, names = read_object(plan), {field.name for field in fields(Given)}
    where, remedy = str(plan), "Remove the file, package again, and plan again."
    held = content.get(GIVEN)
    sound = isinstance(held, dict) and set(held) == names
    require(sound, "plan", "be one of admin.jobs.plan --write", got="another file", where=where, remedy=remedy)
    given = Given(**content[GIVEN])
    size, federation = planned(job, given)
    of, was = step_of(job, size), content.get("step_of", {})
    changed = ", ".join(name for name in of if was.get(name) != of[name])
    rule = "be of a step as the job takes it"
    require(not changed, "plan", rule, got=f"one of another {changed}", where=where, remedy=remedy)
    least, set_here = timeouts(size, federation), {name.rpartition(".")[2] for name in chosen}
    require_planned_timeouts(job, least={name: least[name] for name in OWN if name in set_here})
    write_plan(job, given)
