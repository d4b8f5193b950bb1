"""Make a job that can be submitted: a source job from jobs/, a copy of the code, and your settings.

python -m admin package --list                          the jobs
python -m admin package fedaid_pretrain --list          a job's settings
python -m admin package --list-methods                  baselines and ablations
python -m admin package fedaid_pretrain --set num_rounds=5 --set min_clients=3
python -m admin package fedaid_pretrain --method fedprox --set proximal_weight=0.1
python -m admin package fedaid_pretrain --run-name pilot   a later job of this name continues the run
python -m admin package fedaid_pretrain --unseen c     train without site c, and evaluate at it
python -m admin package fedaid_pretrain --no-code      for kits of provision --no-byoc
python -m admin package fedaid_pretrain --from MODEL_FOLDER --sites a b c   start from a finished model
python -m admin package fedaid_pretrain --preset hospital --from MODEL_FOLDER --sites a b c   for real sites
python -m admin package evaluate_global --model build/demo/model
python -m admin package evaluate_global --model build/demo/model --prompts FILE   your own findings, too
python -m admin package --clone build/results/JOB_ID --rename warmer --set num_rounds=9   a new run like another
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from admin.verbs.answer import Answer
from admin.verbs.verb_parser import UsageError, existing_file, existing_folder

if TYPE_CHECKING:
    from admin.jobs.start.started_job import Start

OUT = Path("build/jobs")
NOT_CLONED = ("method", "model", "prompts", "start", "towers_only", "preset", "unseen", "sites", "no_code", "list")
PACKAGED = ("out", "method", "rename", "model", "prompts", "sites", "run_name")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of ``package``."""
    parser.add_argument("name", nargs="?", metavar="JOB", help="a folder of jobs/")
    parser.add_argument("--out", type=Path, default=OUT, help="folder of the packaged jobs (default: %(default)s)")
    parser.add_argument(
        "--set", dest="pairs", action="append", default=[], metavar="NAME=VALUE", help="a setting; repeatable"
    )
    parser.add_argument("--method", help="a baseline or an ablation; --set changes it further")
    parser.add_argument("--rename", help="the new job's name")
    parser.add_argument("--run-name", metavar="NAME", help="the run to start, or to continue where it stopped")
    parser.add_argument(
        "--clone",
        type=existing_folder,
        metavar="FOLDER",
        help="a packaged job, or a download: the same job as a new run, changed by --set, --rename, --run-name only",
    )
    parser.add_argument("--without", nargs="+", default=[], metavar="SITE", help="sites that left the run for good")
    parser.add_argument("--unseen", metavar="SITE", help="train without this site and evaluate the best model at it")
    parser.add_argument("--no-code", action="store_true", help="configuration only: server and sites have the wheel")
    parser.add_argument("--model", type=existing_folder, help="folder of the model that evaluate_global evaluates")
    parser.add_argument("--prompts", type=existing_file, metavar="FILE", help="own findings for evaluate_global")
    parser.add_argument(
        "--from",
        dest="start",
        type=existing_folder,
        metavar="FOLDER",
        help="a finished model, or its export: the run starts from it",
    )
    parser.add_argument(
        "--towers-only", action="store_true", help="with --from: draw alignment modules and temperature anew"
    )
    parser.add_argument(
        "--preset",
        choices=["hospital"],
        help="towers frozen or with adapters, bf16; --set wins over it",
    )
    parser.add_argument("--sites", nargs="+", default=[], help="all sites; needed for a model above 3 MB")
    parser.add_argument("--list", action="store_true", help="print what --set can change, or without JOB the jobs")
    parser.add_argument("--list-methods", action="store_true", help="print what --method can be")
    parser.add_argument("--jobs", type=existing_folder, help=argparse.SUPPRESS)


def run(options: argparse.Namespace, answer: Answer) -> None:
    """Package the job and print its folder, or print what was asked for."""
    answer.after_interrupt = "a former job of that name is unchanged"
    from admin.jobs.package import JOBS, source_job, source_jobs
    from admin.jobs.plan import expected_problems
    from admin.jobs.settings import settable, typed_settings

    jobs = options.jobs or JOBS
    if options.list_methods:
        list_methods(answer)
    elif options.clone is not None:
        clone(options, answer)
    elif options.name is None and not options.list:
        raise UsageError(f"JOB is missing. Choose one of {', '.join(source_jobs(jobs))}")
    elif options.name is None:
        names = source_jobs(jobs)
        answer.add("\n".join(names), jobs=names)
    elif options.list:
        settings = settable(source_job(options.name, jobs))
        lines = [f"{name} = {json.dumps(value)}" for name, value in settings.items()]
        answer.add("\n".join(lines), settings=settings)
    else:
        if options.unseen and options.sites and options.unseen not in options.sites:
            raise UsageError(f"--unseen {options.unseen} is not among --sites. Add it: it evaluates the model")
        settings = typed_settings(options.pairs, settable(source_job(options.name, jobs)))
        settings |= {"without": options.without} if options.without else {}
        settings |= {"unseen_site": options.unseen} if options.unseen else {}
        job = packaged(options, settings, jobs)
        for problem in expected_problems(job):
            answer.warn(problem)
        answer.add(str(job), job=job)


def clone(options: argparse.Namespace, answer: Answer) -> None:
    """Package a job like one that exists, and print its folder."""
    from admin.jobs.cloned_job import clone_job, differences, job_in
    from admin.jobs.settings import settable, typed_settings

    odd = [f"--{name.replace('_', '-')}" for name in NOT_CLONED if getattr(options, name)]
    if options.name is not None or odd:
        raise UsageError(f"--clone takes no {'JOB' if options.name is not None else odd[0]}: the source has it")
    source = job_in(options.clone.resolve())
    settings = typed_settings(options.pairs, settable(source))
    settings |= {"without": options.without} if options.without else {}
    job = clone_job(source, out=options.out, settings=settings, rename=options.rename, run_name=options.run_name)
    for line in differences(source, job):
        answer.warn(line)
    answer.add(str(job), job=job)


def packaged(options: argparse.Namespace, settings: dict[str, object], jobs: Path) -> Path:
    """Package the job, with the preset and the model that it starts from if they were given."""
    from admin.jobs.package import package_job, source_job
    from admin.jobs.settings import settable

    if options.towers_only and options.start is None:
        raise UsageError("--towers-only needs --from FOLDER")
    given: dict[str, Any] = {name: getattr(options, name) for name in PACKAGED}
    with started(options.start, towers_only=options.towers_only) as start:
        if options.preset:
            from admin.jobs.start.hospital_preset import hospital_settings

            settings = hospital_settings(settings, present=settable(source_job(options.name, jobs)), start=start)
        return package_job(options.name, settings=settings, jobs=jobs, code=not options.no_code, start=start, **given)


@contextmanager
def started(folder: Path | None, *, towers_only: bool) -> Iterator[Start | None]:
    """The model that the job starts from, or None; an export is read back for the time being."""
    if folder is None:
        yield None
        return
    from admin.model.export.exported_start import start_from

    with start_from(folder, towers_only=towers_only) as start:
        yield start


def list_methods(answer: Answer) -> None:
    """Print the methods that can be packaged."""
    from admin.jobs.methods import METHODS

    titles = {method.name: method.title for method in METHODS.values() if not method.elsewhere}
    answer.add("\n".join(f"{name:24} {title}" for name, title in titles.items()), methods=titles)
