"""A new job like one that exists, with changed settings: from a packaged job, or from a download."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Mapping
from pathlib import Path

from admin.jobs.folder import META, config_files, read_object, require_job_name, write_object
from admin.jobs.job_check import PACKAGE, SOURCE, check_job
from admin.jobs.package import OUT, named_and_versioned, named_run, require_replaceable
from admin.jobs.plan import PLAN_FILE, plan_again
from admin.jobs.resources import without_resources, write_resources
from admin.jobs.settings import change_settings, settable, values_by_name
from fedaid.errors import require
from fedaid.version import CODE_KEY

SIGNATURES = ".__nvfl_*"  # files that FLARE adds to a job when it is submitted
OF_ONE_RUN: Mapping[str, object] = {"run_name": "", "attempt": 1, "without": []}  # settings that a new run begins with
DOWNLOADED = "job"  # folder of a download


def clone_job(
    source: Path,
    *,
    out: Path = OUT,
    settings: Mapping[str, object],
    rename: str | None = None,
    run_name: str | None = None,
) -> Path:
    """Return the folder of a new, checked job: the settings, sites and model of another job, and this checkout's code.

    It is a new run, unless ``run_name`` names a run. A run continues only with the settings that it began with.

    Args:
        source: as :func:`job_in` takes it; it is not changed.
        out: the folder that gets the job's folder.
        settings: what to change, as ``NAME`` or ``ID.NAME``.
        rename: the new job's name; None for the source's.
        run_name: of the run that the job starts or continues; None for a new name.

    Raises:
        InputError: the folder holds no job, the new job would replace it, a setting is refused, or the job would fail.
    """
    found = job_in(source)
    called = rename or str(read_object(found / META)["name"])
    require_job_name(called)
    require_replaceable(out / called)
    same, remedy = (out / called).resolve() == found.resolve(), "Give the new job a name: --rename NAME."
    require(not same, "job", "not replace the one that is cloned", got=called, where=str(out), remedy=remedy)
    out.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix=".packaging-", dir=out) as part:
        made = Path(part) / called
        skip = shutil.ignore_patterns("__pycache__", "*.pyc", SIGNATURES)
        shutil.copytree(found, made, ignore=skip)
        has_code = renew_code(made)
        if run_name is None or run_name != run_of(found):
            begin_anew(made)
        change_settings(made, named_run(made, called, without_resources(settings), run_name=run_name))
        write_resources(made, settings)
        if (made / PLAN_FILE).is_file():
            plan_again(made, found / PLAN_FILE, chosen=settings)
        write_object(made / META, named_and_versioned(read_object(made / META), called, code=has_code))
        check_job(made)
        if (out / called).exists():
            shutil.rmtree(out / called)
        made.rename(out / called)
    return out / called


def job_in(folder: Path) -> Path:
    """Return the job's folder: the folder itself, or the one in a download, or beside a run folder.

    Args:
        folder: a packaged job, a download ``<results>/<job id>``, or its ``workspace``.

    Raises:
        InputError: there is no job, or more than one.
    """
    for jobs in (folder / DOWNLOADED, folder.parent / DOWNLOADED):
        if (folder / META).is_file() and read_object(folder / META).get("deploy_map") and has_apps(folder):
            return folder
        found = [file.parent for file in sorted(jobs.glob(f"*/{META}"))]
        if len(found) == 1:
            return found[0]
    rule, remedy = "hold a job", "Give a folder of python -m admin package, or of a download: build/results/JOB_ID."
    require(False, "--clone", rule, got="no job's meta.json", where=str(folder), remedy=remedy)
    raise AssertionError


def has_apps(folder: Path) -> bool:
    """Whether the apps that the job's meta.json deploys are in its folder; a download's own meta.json has none."""
    return all((folder / app).is_dir() for app in read_object(folder / META)["deploy_map"])


def renew_code(job: Path) -> bool:
    """Put this checkout's code in the place of the job's; return whether the job has code."""
    folders = [app / "custom" / PACKAGE for app in sorted({file.parent.parent for file in config_files(job)})]
    present = [folder for folder in folders if folder.is_dir()]
    for folder in present:
        shutil.rmtree(folder)
        shutil.copytree(SOURCE, folder, ignore=shutil.ignore_patterns("__pycache__", "*.pyc"))
    return bool(present)


def run_of(job: Path) -> str:
    """Return the name of the job's run; empty for a job whose run cannot be continued."""
    return str(values_by_name(job).get("run_name") or "")


def begin_anew(job: Path) -> None:
    """Take the identity of the source's run out of the settings."""
    known = settable(job)
    change_settings(job, {name: OF_ONE_RUN[part] for name in known if (part := name.rpartition(".")[2]) in OF_ONE_RUN})


def differences(source: Path, made: Path) -> list[str]:
    """Return what a person may not expect of a clone: other code than the source, sites that come back."""
    codes = [str(read_object(job / META).get("custom_props", {}).get(CODE_KEY, "unknown")) for job in (source, made)]
    lines = (
        [f"the clone has this checkout's code ({codes[1]}), the source had {codes[0]}"] if codes[0] != codes[1] else []
    )
    left = [values_by_name(job).get("without") or [] for job in (source, made)]
    back = ", ".join(sorted({*left[0]} - {*left[1]}))
    return lines + ([f"{back} left the source's run, and takes part in the clone if connected"] if back else [])
