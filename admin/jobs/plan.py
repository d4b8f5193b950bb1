"""A job's plan: what its rounds cost and the timeouts that they need, kept as ``plan.json`` in the job's folder."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import Any

from admin.jobs.cost import (
    DOWNLOAD,
    ModelSize,
    PlannedFederation,
    decoding,
    first_exchange,
    longest_work,
    model_size,
    phases,
    request_interval,
    server_disk,
    timeouts,
    validation,
)
from admin.jobs.folder import CONFIGS, config_files, read_object, write_object
from admin.jobs.memory.job_memory import GIGA, JobMemory, job_memory, memory_problems, memory_text
from admin.jobs.settings import change_settings, model_configuration, training_settings, values_by_name
from fedaid.errors import require
from fedaid.setting import names_with
from fedaid.training.settings import TrainingSettings

PLAN_FILE = "plan.json"  # beside meta.json
CONDITIONS, STEP, TIMEOUTS = "given", "step_of", "timeouts"  # keys of the file
TIMEOUT_SETTINGS = ("task_timeout", "wait_time_after_min_received")  # timeouts that are settings of a job
EXCHANGE_SETTINGS = {"align_steps", "pretrain_steps", "alignment_phase"}  # a job whose rounds exchange a model has them
MEGA = 1e6
BANDWIDTH_MBIT = 100.0  # unless a person gives another


@dataclass(frozen=True)
class Conditions:
    """What a person knows about the federation and the job does not say.

    Attributes:
        sites: S.
        bandwidth_mbit: of every link, each way.
        step_seconds: one step of local training at the slowest site.
        studies: of the largest site, all splits.
        decode_seconds: to decode a study's image, over all decoding processes; 0 where the sites are prepared.
    """

    sites: int
    bandwidth_mbit: float
    step_seconds: float
    studies: int
    decode_seconds: float

    def __post_init__(self) -> None:
        for name, value in asdict(self).items():
            enough = value >= 0 if name == "decode_seconds" else value > 0
            rule = "be at least 0" if name == "decode_seconds" else "be above 0"
            option, remedy = f"--{name.replace('_', '-')}", "Give the value of your federation."
            require(enough and value < math.inf, option, rule, got=value, where="the plan", remedy=remedy)


@dataclass(frozen=True)
class Plan:
    """What the rounds of one job cost under given conditions.

    Attributes:
        conditions: as the person gave them.
        size: of the job's model.
        federation: the conditions together with the job's settings.
        step: the settings that the seconds of a step depend on; the plan holds only for a job with the same.
        memory: of a site and of the server.
    """

    conditions: Conditions
    size: ModelSize
    federation: PlannedFederation
    step: Mapping[str, Any]
    memory: JobMemory

    @property
    def timeouts(self) -> dict[str, int]:
        """Least seconds by the name of the timeout."""
        return timeouts(self.size, self.federation)


def plan_job(job: Path, conditions: Conditions) -> Plan:
    """Return the plan of a packaged job.

    Raises:
        InputError: the job's rounds exchange no model.
    """
    settings = values_by_name(job)
    rule, remedy = "have rounds in which a model is exchanged", "Set its task_timeout by hand, with --set."
    require(settings.keys() >= EXCHANGE_SETTINGS, "job", rule, got=job.name, where="its settings", remedy=remedy)
    federation = PlannedFederation(
        **asdict(conditions),
        align_steps=settings["align_steps"],
        pretrain_steps=settings["pretrain_steps"],
        wire_dtype=settings.get("wire_dtype", "fp32"),
        alignment_phase=settings.get("alignment_phase", True),
        batch_size=settings["batch_size"],
        student_loss=settings.get("report_student_loss", False),
    )
    size = model_size(model_configuration(job))
    training = asdict(training_settings(job))
    terms = [name for name in names_with(TrainingSettings, cost="term") if training[name] > 0]
    step = {name: training[name] for name in names_with(TrainingSettings, cost="step")}
    memory = job_memory(job, size, sites=conditions.sites)
    return Plan(conditions, size, federation, {"parameters": size.parameters, "terms": terms, **step}, memory)


def write_plan(job: Path, plan: Plan) -> None:
    """Raise the job's timeouts to what the plan needs, and keep the plan in the job's folder."""
    least, present = plan.timeouts, values_by_name(job)
    change_settings(job, {name: max(least[name], present[name]) for name in TIMEOUT_SETTINGS})
    for file in config_files(job):
        content = read_object(file)
        if file.name == CONFIGS[0]:
            content.setdefault("server", {})["task_request_interval"] = request_interval(plan.federation.sites)
            content[DOWNLOAD] = least[DOWNLOAD]
        else:
            content |= {name: least[name] for name in least if name not in TIMEOUT_SETTINGS}
        write_object(file, content)
    kept = {CONDITIONS: asdict(plan.conditions), STEP: dict(plan.step), TIMEOUTS: least}
    write_object(job / PLAN_FILE, kept)


def plan_again(job: Path, file: Path, *, chosen: Iterable[str]) -> None:
    """Plan a job that was packaged anew, under the conditions of its former plan.

    Args:
        job: the new package.
        file: the former ``plan.json``.
        chosen: names of the settings that the person set. A timeout among them is not raised; it is refused if it is
            too short.

    Raises:
        InputError: the file is not a plan, the seconds of its step no longer hold, or a chosen timeout is too short.
    """
    content, names = read_object(file), {field.name for field in fields(Conditions)}
    where, remedy = str(file), "Remove the file, package again, and plan again."
    conditions = content.get(CONDITIONS)
    sound = isinstance(conditions, dict) and set(conditions) == names
    rule = "be written by python -m admin plan --write"
    require(sound, "plan", rule, got=f"the keys {sorted(content)}", where=where, remedy=remedy)
    plan = plan_job(job, Conditions(**content[CONDITIONS]))
    former = content.get(STEP, {})
    changed = [name for name in plan.step if former.get(name) != plan.step[name]]
    now, before = (", ".join(f"{name} {step.get(name)}" for name in changed) for step in (plan.step, former))
    require(not changed, "plan", f"be of a step with {now}", got=before, where=where, remedy=remedy)
    set_here = {name.rpartition(".")[2] for name in chosen}
    require_timeouts(job, least={name: plan.timeouts[name] for name in TIMEOUT_SETTINGS if name in set_here})
    write_plan(job, plan)


def expected_problems(job: Path) -> list[str]:
    """Return what the planner would object to under the best conditions, for a job that has no plan yet.

    The best conditions are the least number of sites, no local work, and links of :data:`BANDWIDTH_MBIT`.
    """
    if not lacks_plan(job):
        return []
    values, size = values_by_name(job), model_size(model_configuration(job))
    federation = PlannedFederation(
        sites=values["min_clients"],
        bandwidth_mbit=BANDWIDTH_MBIT,
        step_seconds=0.0,
        align_steps=0,
        pretrain_steps=0,
        wire_dtype=values.get("wire_dtype", "fp32"),
    )
    least = timeouts(size, federation)
    how = f"python -m admin plan {job} --sites S --studies N --bandwidth-mbit B --measure --write sets it"
    sent = f"for the transfer alone to {federation.sites} sites at {BANDWIDTH_MBIT:g} Mbit/s"
    short = [name for name in TIMEOUT_SETTINGS if values[name] < least[name]]
    return [
        *(f"{name} must be at least {least[name]} s {sent}, got {values[name]}: {job.name}. {how}" for name in short),
        *memory_problems(job_memory(job, size, sites=federation.sites)),
    ]


def lacks_plan(job: Path) -> bool:
    """Return whether the job's rounds exchange a model and no plan has checked its timeouts."""
    return not (job / PLAN_FILE).is_file() and values_by_name(job).keys() >= EXCHANGE_SETTINGS


def require_planned_timeouts(job: Path) -> None:
    """Refuse a job whose timeouts are shorter than the plan in its folder needs; a job without a plan passes."""
    file = job / PLAN_FILE
    if file.is_file():
        require_timeouts(job, least=read_object(file)[TIMEOUTS])


def require_timeouts(job: Path, *, least: Mapping[str, int]) -> None:
    """Refuse a job if one of its own timeouts is shorter than ``least``, timeout → seconds."""
    present = values_by_name(job)
    remedy = "python -m admin plan JOB --write sets it; a smaller wire_dtype or fewer steps need less."
    for name in [name for name in TIMEOUT_SETTINGS if name in least]:
        rule = f"be at least {least[name]} s for the planned rounds"
        require(present[name] >= int(least[name]), name, rule, got=present[name], where=job.name, remedy=remedy)


def plan_text(plan: Plan) -> str:
    """Return the plan as a person reads it."""
    size, federation = plan.size, plan.federation
    lines = [f"model: {size.parameters / MEGA:.1f} M parameters, {size.whole / MEGA:.1f} MB, {federation.wire_dtype}"]
    head = f"{'phase':<10}{'down MB':>10}{'up MB':>10}{'transfer s':>12}{'work s':>10}"
    lines.append(f"{head}   (a site; seconds of all)")
    for phase in phases(size, federation):
        row = f"{phase.task:<10}{phase.down / MEGA:>10.1f}{phase.up / MEGA:>10.1f}"
        lines.append(f"{row}{phase.transfer_seconds:>12.1f}{phase.work_seconds:>10.1f}")
    lines += first_and_last(size, federation)
    total = sum(phase.seconds for phase in phases(size, federation))
    lines.append(f"round: {total:.1f} s, in which {federation.sites} sites work at the same time")
    lines.append(f"largest exchange, at the start and the end of a run: {first_exchange(size, federation):.1f} s")
    lines.append(memory_text(plan.memory))
    lines.append(f"disk of the server: {server_disk(size, federation) / GIGA:.1f} GB")
    needs = ", ".join(f"{name} {seconds} s" for name, seconds in plan.timeouts.items())
    return "\n".join([*lines, f"needs at least: {needs}"])


def first_and_last(size: ModelSize, federation: PlannedFederation) -> list[str]:
    """Return the lines about what is not in every step: validation, the images' first reading, the longest task."""
    studies, one = federation.studies, validation(federation)
    decode, tasks = decoding(federation), phases(size, federation)
    longest, exchange = longest_work(federation, tasks), first_exchange(size, federation)
    return [
        f"validation: {one:.1f} s in each {tasks[0].task}, in its work above; twice that in the last task, which "
        "measures two splits (a batch is taken as a third of a step)"
        + (f"; {one:.1f} s more in both for the site's own model" if federation.student_loss else ""),
        f"first {tasks[0].task}: {decode:.1f} s more to decode {studies} studies at {federation.decode_seconds:g} s "
        "(none at a prepared site: give --decode-seconds 0)",
        f"longest task: {longest:.1f} s of work and {exchange:.1f} s of transfer; a timeout is twice that and a minute",
    ]
