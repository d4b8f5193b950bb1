"""Estimate what a job's rounds cost in seconds, megabytes and memory, and set the timeouts that they need.

python -m admin plan build/jobs/fedaid_pretrain --sites 5 --studies 20000 --bandwidth-mbit 100 --step-seconds 2.5
python -m admin plan build/jobs/fedaid_pretrain --sites 5 --studies 20000 --bandwidth-mbit 100 --measure --write
python -m admin plan --projection
"""

from __future__ import annotations

import argparse
from pathlib import Path

from admin.verbs.answer import Answer
from admin.verbs.verb_parser import UsageError, existing_folder

PAGE = Path("docs/projection.md")
DECODE_SECONDS = 0.1  # a full-size compressed film took 0.06 s in two processes on two cores, from a local disk


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of ``plan``."""
    parser.add_argument(
        "job", type=existing_folder, nargs="?", metavar="JOB_FOLDER", help="made by python -m admin package"
    )
    parser.add_argument("--sites", type=int, default=3, help="default: %(default)s")
    parser.add_argument("--bandwidth-mbit", type=float, default=100.0, help="of every link (default: %(default)s)")
    parser.add_argument("--studies", type=int, help="of the largest site, all splits")
    parser.add_argument(
        "--decode-seconds",
        type=float,
        default=DECODE_SECONDS,
        help="to decode a study once; 0 for prepared sites (default: %(default)s)",
    )
    step = parser.add_mutually_exclusive_group()
    step.add_argument("--step-seconds", type=float, help="one step of local training at the slowest site")
    step.add_argument("--measure", action="store_true", help="measure a step on this machine")
    parser.add_argument("--write", action="store_true", help="set the timeouts in the job")
    parser.add_argument("--projection", type=Path, nargs="?", const=PAGE, help=f"write the page (default: {PAGE})")


def run(options: argparse.Namespace, answer: Answer) -> None:
    """Print the plan of a job, and write it or compare the job's timeouts with it."""
    answer.after_interrupt = "the job is unchanged"
    if options.projection:
        from admin.jobs.forecast import write_projection

        page = write_projection(options.projection)
        answer.add(str(page), page=page)
        return
    require_given("JOB_FOLDER", options.job, "Name the folder of a packaged job.")
    require_given("--studies", options.studies, "Give the number of studies of the largest site.")
    if not options.measure:
        require_given("--step-seconds", options.step_seconds, "Give --step-seconds S, or --measure.")
    plan(options, answer)


def plan(options: argparse.Namespace, answer: Answer) -> None:
    """Plan the job."""
    from admin.jobs.memory.job_memory import memory_problems
    from admin.jobs.plan import Conditions, plan_job, plan_text, require_timeouts, write_plan

    seconds = measured_step(options.job, answer) if options.measure else options.step_seconds
    conditions = Conditions(options.sites, options.bandwidth_mbit, seconds, options.studies, options.decode_seconds)
    made = plan_job(options.job, conditions)
    answer.add(plan_text(made), timeouts=made.timeouts, step_seconds=seconds)
    for problem in memory_problems(made.memory):
        answer.warn(problem)
    if options.write:
        write_plan(options.job, made)
        answer.add(f"written: {options.job}", written=options.job)
    require_timeouts(options.job, least=made.timeouts)


def measured_step(job: Path, answer: Answer) -> float:
    """Return the seconds of a step of the job's training on this machine, and print them."""
    from admin.jobs import step_time
    from admin.jobs.settings import model_configuration, training_settings

    seconds = step_time.measure_step(model_configuration(job), training_settings(job))
    answer.add(f"a step on this machine: {seconds:.3f} s")
    return seconds


def require_given(name: str, value: object, remedy: str) -> None:
    """Refuse a command line without something that the plan needs."""
    if value is None:
        raise UsageError(f"{name} is missing. {remedy}")
