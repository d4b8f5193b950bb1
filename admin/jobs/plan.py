"""Say before a job starts what its rounds will cost, and set the timeouts that they need.

python -m admin plan build/jobs/fedaid_pretrain --sites 5 --studies 20000 --bandwidth-mbit 100 --step-seconds 2.5
python -m admin plan build/jobs/fedaid_pretrain --sites 5 --studies 20000 --bandwidth-mbit 100 --measure --write
python -m admin plan --projection
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

from admin.jobs.cost import (
    Federation,
    ModelSize,
    decoding,
    first_exchange,
    longest_work,
    phases,
    server_disk,
    server_memory,
    site_memory,
    timeouts,
    validation,
)
from admin.jobs.forecast import PAGE, write_projection
from admin.jobs.job_plan import require_planned_timeouts
from admin.jobs.planned_job import Given, configuration, planned, training_settings, write_plan
from admin.jobs.step_time import measure_step
from fedaid.errors import InputError, require

MEGA, GIGA = 1e6, 1e9
DECODE_SECONDS = 0.1  # a full-size compressed film took 0.06 s in two processes on two cores, from a local disk


def described(size: ModelSize, federation: Federation) -> str:
    """Return the plan as text."""
    lines = [f"model: {size.parameters / MEGA:.1f} M parameters, {size.whole / MEGA:.1f} MB, {federation.wire_dtype}"]
    lines.append(
        f"{'phase':<10}{'down MB':>10}{'up MB':>10}{'transfer s':>12}{'work s':>10}   (a site; seconds of all)"
    )
    for phase in phases(size, federation):
        row = f"{phase.task:<10}{phase.down / MEGA:>10.1f}{phase.up / MEGA:>10.1f}"
        lines.append(f"{row}{phase.transfer_seconds:>12.1f}{phase.work_seconds:>10.1f}")
    lines += first_and_last(size, federation)
    total = sum(phase.seconds for phase in phases(size, federation))
    lines.append(f"round: {total:.1f} s, of which {federation.sites} sites work at the same time")
    lines.append(f"largest exchange, at the start and the end of a run: {first_exchange(size, federation):.1f} s")
    memory = f"site {site_memory(size) / GIGA:.1f} GB and the activations of a batch, "
    lines.append(f"memory: {memory}server at most {server_memory(size, federation) / GIGA:.1f} GB")
    lines.append(f"disk of the server: {server_disk(size, federation) / GIGA:.1f} GB")
    return "\n".join([*lines, f"needs at least: {needs(timeouts(size, federation))}"])


def first_and_last(size: ModelSize, federation: Federation) -> list[str]:
    """Return the lines about what is not in every step: validation, the images' first reading, the longest task."""
    studies, one = federation.studies, validation(federation)
    decode, tasks = decoding(federation), phases(size, federation)
    longest, exchange = longest_work(federation, tasks), first_exchange(size, federation)
    return [
        f"validation: {one:.1f} s in each {tasks[0].task}, in its work above; twice that in the last task, which "
        "measures two splits (a batch is taken as a third of a step)"
        + (f"; {one:.1f} s more in both for the site's own model" if federation.student_loss else ""),
        f"first {tasks[0].task}: {decode:.1f} s more to decode {studies} studies at {federation.decode_seconds:g} s "
        "(none at a site that admin.prepare prepared: --decode-seconds 0)",
        f"longest task: {longest:.1f} s of work and {exchange:.1f} s of transfer; a timeout is twice that and a minute",
    ]


def needs(least: Mapping[str, int]) -> str:
    """Return timeouts as a person writes them."""
    return ", ".join(f"{name} {seconds} s" for name, seconds in least.items())


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
    require_option("JOB", options.job, "Name its folder.")
    require_option("--studies", options.studies, "Give the number of studies of the largest site.")
    seconds = options.step_seconds
    if options.measure:
        seconds = measure_step(configuration(options.job), training_settings(options.job))
        print(f"a step on this machine: {seconds:.3f} s")
    require_option("--step-seconds", seconds, "Give --step-seconds S, or --measure.")
    given = Given(options.sites, options.bandwidth_mbit, seconds, options.studies, options.decode_seconds)
    size, federation = planned(options.job, given)
    print(described(size, federation))
    if options.write:
        write_plan(options.job, given)
        print(f"written: {options.job}")
    require_planned_timeouts(options.job, least=timeouts(size, federation))


def require_option(name: str, value: object, remedy: str) -> None:
    """Refuse a command line without something that the plan needs."""
    require(value is not None, name, "be given", got="none", where="the command line", remedy=remedy)


def parse(arguments: Sequence[str] | None) -> argparse.Namespace:
    """Return the options of the command line."""
    parser = argparse.ArgumentParser(prog="python -m admin plan", description="What a job's rounds will cost.")
    parser.add_argument("job", type=Path, nargs="?", help="a job folder that admin.jobs.package made")
    parser.add_argument("--sites", type=int, default=3, help="default: %(default)s")
    parser.add_argument("--bandwidth-mbit", type=float, default=100.0, help="of every link; default: %(default)s")
    parser.add_argument("--studies", type=int, help="of the largest site, all splits")
    parser.add_argument(
        "--decode-seconds", type=float, default=DECODE_SECONDS, help="to decode a study once; default: %(default)s"
    )
    step = parser.add_mutually_exclusive_group()
    step.add_argument("--step-seconds", type=float, help="one step of local training at the slowest site")
    step.add_argument("--measure", action="store_true", help="take the step time of this machine")
    parser.add_argument("--write", action="store_true", help="set the timeouts in the job")
    parser.add_argument("--projection", type=Path, nargs="?", const=PAGE, help=f"write the page {PAGE}")
    return parser.parse_args(arguments)


if __name__ == "__main__":
    sys.exit(main())
