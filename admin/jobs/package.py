"""Makes a job that can be submitted: a source job from jobs/ plus a copy of custom/fedaid, with settings changed."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Mapping, Sequence
from datetime import datetime
from pathlib import Path
from types import MappingProxyType
from typing import Any

from admin.jobs.evaluated_model import add_evaluated_model, deploy_to_server_only
from admin.jobs.folder import (
    META,
    config_files,
    read_object,
    require_job_name,
    require_plain_files,
    write_object,
)
from admin.jobs.job_check import PACKAGE, SOURCE, check_job
from admin.jobs.methods import job_settings
from admin.jobs.plan import PLAN_FILE, plan_again
from admin.jobs.resources import without_resources, write_resources
from admin.jobs.settings import change_settings, settable, values_by_name
from admin.jobs.start.started_job import Start, add_start
from fedaid.errors import require
from fedaid.evaluation.findings.own_findings import extended, read_own_findings
from fedaid.evaluation.findings.prompt_set import read_prompt_set
from fedaid.flare.software.site_software import PROPERTIES
from fedaid.package_hash import STATED, code_hash
from fedaid.version import CODE_KEY, NO_CODE_KEY, VERSION, VERSION_KEY

JOBS = Path(__file__).resolve().parents[2] / "jobs"
OUT = Path("build/jobs")
OWN_FINDINGS = "own_findings"  # a setting of a job that measures findings
RUN_NAME = "run_name"  # a setting of the controllers whose run a later job can continue
NOTHING: Mapping[str, object] = MappingProxyType({})


def package_job(
    name: str,
    *,
    out: Path = OUT,
    settings: Mapping[str, object] = NOTHING,
    method: str | None = None,
    rename: str | None = None,
    model: Path | None = None,
    prompts: Path | None = None,
    start: Start | None = None,
    sites: Sequence[str] = (),
    run_name: str | None = None,
    code: bool = True,
    jobs: Path = JOBS,
) -> Path:
    """Return the folder of a new, checked job.

    It replaces a former job of the same name; if the new job is refused, the former one stays. If the former job has a
    plan, the new one is planned under the same conditions (:mod:`admin.jobs.plan`). The code is copied, because FLARE
    ships a symbolic link as an empty folder.

    Args:
        name: a folder of ``jobs``.
        out: the folder that gets the job's folder.
        settings: what to change, as ``NAME`` or ``ID.NAME``.
        method: a name of :data:`METHODS`. Its settings are applied to the job before ``settings``.
        rename: the new job's name, if it differs from ``name``.
        model: folder of the model that the job evaluates, if it evaluates one.
        prompts: file of own findings that an evaluation measures, too.
        start: the finished model that a new run starts from; its architecture is the job's.
        sites: all sites of a job that brings a model; the model is then deployed to the server only.
        run_name: the run that the job starts or continues; None gives a new name to a run that can be continued.
        code: whether the job has a copy of the code; without it, server and sites must have the same code installed.
        jobs: the folder of source jobs.

    Raises:
        InputError: the source job does not exist, a setting is refused, or the job would fail after it was submitted.
    """
    source, needs, settings = source_job(name, jobs), settings, without_resources(settings)
    if method is not None:
        settings = job_settings(method, name, stands=values_by_name(source), chosen=settings)
    if prompts is not None:
        settings = {**settings, **prompt_settings(prompts, stands=values_by_name(source), job=name)}
    called = name if rename is None else rename
    require_job_name(called)
    require_replaceable(out / called)
    out.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix=".packaging-", dir=out) as part:
        made = Path(part) / called
        copy_job(source, made, code=code)
        add_evaluated_model(made, model)
        change_settings(made, named_run(made, called, settings, run_name=run_name))
        write_resources(made, needs)
        if start is not None:
            add_start(made, start, chosen=settings)
        if (out / called / PLAN_FILE).is_file():
            plan_again(made, out / called / PLAN_FILE, chosen=settings)
        write_object(made / META, named_and_versioned(read_object(made / META), called, code=code))
        if model is not None or start is not None:
            deploy_to_server_only(made, sites)
        check_job(made)
        if (out / called).exists():
            shutil.rmtree(out / called)
        made.rename(out / called)
    return out / called


def prompt_settings(file: Path, *, stands: Mapping[str, object], job: str) -> dict[str, object]:
    """Return the settings of a file of own findings; ``stands`` are the job's present values.

    Raises:
        InputError: the job measures no findings, the file is invalid, or a finding has the name of another.
    """
    rule, remedy = "be left out for this job", "It measures no findings."
    require(OWN_FINDINGS in stands, "--prompts", rule, got=file.name, where=job, remedy=remedy)
    findings = read_own_findings(file)
    extended(read_prompt_set(str(stands["prompt_set"])), findings)
    return {OWN_FINDINGS: findings}


def named_run(job: Path, called: str, settings: Mapping[str, object], *, run_name: str | None) -> dict[str, object]:
    """Return the settings with the name of the run, if a later job can continue the run of this kind of job.

    The name of a new run is the job's with date and time, so that no other run has it.

    Raises:
        InputError: a name was given for a job whose run cannot be continued.
    """
    known, present = settable(job), {name.rpartition(".")[2] for name in settings}
    where = [name for name in known if name.rpartition(".")[2] == RUN_NAME]
    rule, remedy = "be left out for this job", "Its run cannot be continued."
    require(bool(where) or run_name is None, "--run-name", rule, got=run_name, where=called, remedy=remedy)
    if not where or (run_name is None and (RUN_NAME in present or known[where[0]])):
        return dict(settings)
    return {**settings, where[0]: run_name or f"{called}-{datetime.now().astimezone():%Y%m%d-%H%M%S-%f}"}


def source_jobs(jobs: Path = JOBS) -> list[str]:
    """Return the names of the source jobs."""
    return sorted(meta.parent.name for meta in jobs.glob(f"*/{META}"))


def source_job(name: str, jobs: Path) -> Path:
    """Return the folder of a source job."""
    names = source_jobs(jobs)
    remedy = f"Choose one of {', '.join(names) or 'none yet'}."
    require(name in names, "job", "be one of jobs/", got=name, where=str(jobs), remedy=remedy)
    return jobs / name


def require_replaceable(folder: Path) -> None:
    """Refuse to replace a folder that is not a job."""
    free = not folder.exists() or (folder / META).is_file()
    rule, remedy = f"not exist or hold a job's {META}", "Choose another --out or --rename, or remove the folder."
    require(free, "job folder", rule, got=folder.name, where=str(folder), remedy=remedy)


def copy_job(source: Path, target: Path, *, code: bool) -> None:
    """Copy the source job and, if it has code, into each of its apps our package without compiled files."""
    skip = shutil.ignore_patterns("__pycache__", "*.pyc")
    require_plain_files(source)
    require_plain_files(SOURCE)
    shutil.copytree(source, target, ignore=skip)
    for app in sorted({file.parent.parent for file in config_files(target)}) if code else ():
        shutil.copytree(SOURCE, app / "custom" / PACKAGE, ignore=skip)


def named_and_versioned(meta: dict[str, Any], name: str, *, code: bool) -> dict[str, Any]:
    """Return a job's meta.json with its name, and version and hash of this software, which FLARE keeps with it."""
    stated = {VERSION_KEY: VERSION, CODE_KEY: code_hash(SOURCE)[:STATED]} | ({} if code else {NO_CODE_KEY: True})
    return {**meta, "name": name, PROPERTIES: {**meta.get(PROPERTIES, {}), **stated}}
