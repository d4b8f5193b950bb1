"""Say before a job starts what its rounds will cost, and set the timeouts that they need.

python -m admin.plan build/jobs/fedaid_pretrain --sites 5 --bandwidth-mbit 100 --step-seconds 2.5
python -m admin.plan build/jobs/fedaid_pretrain --sites 5 --bandwidth-mbit 100 --measure --write
python -m admin.plan --projection
"""

from __future__ import annotations

import argparse
import math
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from admin.job_files import CONFIGS, config_files, read_object, write_object
from admin.job_plan import OWN, PLAN, by_name, require_planned_timeouts
from admin.job_settings import change_settings
from admin.projection import PAGE, write_projection
from admin.round_cost import (
    DOWNLOAD,
    Federation,
    ModelSize,
    first_exchange,
    model_size,
    phases,
    request_interval,
    server_disk,
    server_memory,
    site_memory,
    timeouts,
)
from admin.step_time import measure_step
from fedaid.errors import InputError, require

MEGA, GIGA = 1e6, 1e9


def planned(job: Path, sites: int, bandwidth_mbit: float, *, step_seconds: float) -> tuple[ModelSize, Federation]:
    """Return the sizes and the federation that a packaged job's settings and the given numbers make.

    Raises:
        InputError: a number is not above 0.
    """
    for name, value in (("sites", sites), ("bandwidth-mbit", bandwidth_mbit), ("step-seconds", step_seconds)):
        where, remedy = "the command line", "Give what you have."
        require(0 < value < math.inf, f"--{name}", "be above 0", got=value, where=where, remedy=remedy)
    settings = by_name(job)
    federation = Federation(
        sites=sites,
        bandwidth_mbit=bandwidth_mbit,
        step_seconds=step_seconds,
        align_steps=settings["align_steps"],
        pretrain_steps=settings["pretrain_steps"],
        wire_dtype=settings.get("wire_dtype", "fp32"),
        alignment_phase=settings.get("alignment_phase", True),
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


def described(size: ModelSize, federation: Federation) -> str:
    """Return the plan as text."""
    lines = [f"model: {size.parameters / MEGA:.1f} M parameters, {size.whole / MEGA:.1f} MB, {federation.wire_dtype}"]
    lines.append(
        f"{'phase':<10}{'down MB':>10}{'up MB':>10}{'transfer s':>12}{'work s':>10}   (a site; seconds of all)"
    )
    for phase in phases(size, federation):
        row = f"{phase.task:<10}{phase.down / MEGA:>10.1f}{phase.up / MEGA:>10.1f}"
        lines.append(f"{row}{phase.transfer_seconds:>12.1f}{phase.work_seconds:>10.1f}")
    total = sum(phase.seconds for phase in phases(size, federation))
    lines.append(f"round: {total:.1f} s, of which {federation.sites} sites work at the same time")
    lines.append(f"largest exchange, at the start and the end of a run: {first_exchange(size, federation):.1f} s")
    memory = f"site {site_memory(size) / GIGA:.1f} GB and the activations of a batch, "
    lines.append(f"memory: {memory}server at most {server_memory(size, federation) / GIGA:.1f} GB")
    lines.append(f"disk of the server: {server_disk(size, federation) / GIGA:.1f} GB")
    return "\n".join([*lines, f"needs at least: {needs(timeouts(size, federation))}"])


def needs(least: Mapping[str, int]) -> str:
    """Return timeouts as a person writes them."""
    return ", ".join(f"{name} {seconds} s" for name, seconds in least.items())


def write_plan(job: Path, size: ModelSize, federation: Federation) -> None:
    """Set the job's timeouts to at least what the plan needs, and leave the plan with the job for the checks."""
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
    write_object(job / PLAN, {"sites": federation.sites, "timeouts": least})


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command and return its exit code: 0 the job can run as planned, 1 it cannot."""
    options = parse(arguments)
    try:
        if options.projection:
            print(write_projection(options.projection))
            return 0
        run(options)
    except InputError as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    return 0


def run(options: argparse.Namespace) -> None:
    """Print the plan of a job, and write it or hold the job against it."""
    require(options.job is not None, "JOB", "be given", got="none", where="the command line", remedy="Name its folder.")
    seconds = options.step_seconds
    if options.measure:
        seconds = measure_step(configuration(options.job), batch_size=by_name(options.job)["batch_size"])
        print(f"a step on this machine: {seconds:.3f} s")
    remedy = "Give --step-seconds S, or --measure."
    require(seconds is not None, "--step-seconds", "be given", got="none", where="the command line", remedy=remedy)
    size, federation = planned(options.job, options.sites, options.bandwidth_mbit, step_seconds=seconds)
    print(described(size, federation))
    if options.write:
        write_plan(options.job, size, federation)
        print(f"written: {options.job}")
    require_planned_timeouts(options.job, least=timeouts(size, federation))


def parse(arguments: Sequence[str] | None) -> argparse.Namespace:
    """Return the options of the command line."""
    parser = argparse.ArgumentParser(prog="python -m admin.plan", description="What a job's rounds will cost.")
    parser.add_argument("job", type=Path, nargs="?", help="a job folder that admin.package_job made")
    parser.add_argument("--sites", type=int, default=3, help="default: %(default)s")
    parser.add_argument("--bandwidth-mbit", type=float, default=100.0, help="of every link; default: %(default)s")
    step = parser.add_mutually_exclusive_group()
    step.add_argument("--step-seconds", type=float, help="one step of local training at the slowest site")
    step.add_argument("--measure", action="store_true", help="take the step time of this machine")
    parser.add_argument("--write", action="store_true", help="set the timeouts in the job")
    parser.add_argument("--projection", type=Path, nargs="?", const=PAGE, help=f"write the page {PAGE}")
    return parser.parse_args(arguments)


if __name__ == "__main__":
    sys.exit(main())
