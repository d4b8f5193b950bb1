"""Make a job that can be submitted: a source job from jobs/ plus a copy of custom/fedaid, with settings changed.

python -m admin package fedaid_pretrain --set num_rounds=5 --set min_clients=3
python -m admin package fedaid_pretrain --method fedprox --set proximal_weight=0.1
python -m admin package fedaid_pretrain --list
python -m admin package fedaid_pretrain --list-methods
python -m admin package evaluate_global --model build/demo/model
"""

from __future__ import annotations

import argparse
import json
import shutil
import sys
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import MappingProxyType
from typing import Any

from admin.jobs.check import PACKAGE, SOURCE, check_job
from admin.jobs.evaluated_model import add_model, keep_to_server
from admin.jobs.folder import (
    META,
    config_files,
    read_object,
    require_job_name,
    require_plain_files,
    sorted_names,
    write_object,
)
from admin.jobs.methods import METHODS, job_settings
from admin.jobs.plan import PLAN_FILE, expected_problems, plan_again, warn
from admin.jobs.settings import change_settings, from_text, settable, values_by_name
from fedaid.errors import InputError, require
from fedaid.version import VERSION, VERSION_KEY

JOBS = Path(__file__).resolve().parents[2] / "jobs"
OUT = Path("build/jobs")
NOTHING: Mapping[str, object] = MappingProxyType({})
PROPERTIES = "custom_props"  # of meta.json: what FLARE keeps with a job for its user, and does not read


def package_job(
    name: str,
    *,
    out: Path = OUT,
    settings: Mapping[str, object] = NOTHING,
    method: str | None = None,
    rename: str | None = None,
    model: Path | None = None,
    sites: Sequence[str] = (),
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
        sites: all sites of a job that evaluates a model; the model is then deployed to the server only.
        jobs: the folder of source jobs.

    Raises:
        InputError: the source job does not exist, a setting is refused, or the job would fail after it was submitted.
    """
    source = source_job(name, jobs)
    if method is not None:
        settings = job_settings(method, name, stands=values_by_name(source), chosen=settings)
    called = name if rename is None else rename
    require_job_name(called)
    require_replaceable(out / called)
    out.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix=".packaging-", dir=out) as part:
        made = Path(part) / called
        copy_job(source, made)
        add_model(made, model)
        change_settings(made, settings)
        if (out / called / PLAN_FILE).is_file():
            plan_again(made, out / called / PLAN_FILE, chosen=settings)
        write_object(made / META, named_and_versioned(read_object(made / META), called))
        if model is not None:
            keep_to_server(made, sites)
        check_job(made)
        if (out / called).exists():
            shutil.rmtree(out / called)
        made.rename(out / called)
    return out / called


def source_job(name: str, jobs: Path) -> Path:
    """Return the folder of a source job."""
    names = sorted(meta.parent.name for meta in jobs.glob(f"*/{META}"))
    remedy = f"Choose one of {', '.join(names) or 'none yet'}."
    require(name in names, "job", "be one of jobs/", got=name, where=str(jobs), remedy=remedy)
    return jobs / name


def require_replaceable(folder: Path) -> None:
    """Refuse to replace a folder that is not a job."""
    free = not folder.exists() or (folder / META).is_file()
    rule, remedy = f"hold a job or nothing as {folder.name}", "Choose another --out, or remove the folder."
    got = f"{sorted_names(folder)} without {META}"
    require(free, "--out", rule, got=got, where=str(folder), remedy=remedy)


def copy_job(source: Path, target: Path) -> None:
    """Copy the source job and, into each of its apps, our package without compiled files."""
    skip = shutil.ignore_patterns("__pycache__", "*.pyc")
    require_plain_files(source)
    require_plain_files(SOURCE)
    shutil.copytree(source, target, ignore=skip)
    for app in sorted({file.parent.parent for file in config_files(target)}):
        shutil.copytree(SOURCE, app / "custom" / PACKAGE, ignore=skip)


def named_and_versioned(meta: dict[str, Any], name: str) -> dict[str, Any]:
    """Return a job's meta.json with its name and the version of this software, which FLARE keeps with the job."""
    return {**meta, "name": name, PROPERTIES: {**meta.get(PROPERTIES, {}), VERSION_KEY: VERSION}}


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command and return its exit code: 0 packaged, 1 refused."""
    parser = argparse.ArgumentParser(prog="python -m admin package", description="Make a job to submit.")
    parser.add_argument("name", help="a folder of jobs/")
    parser.add_argument("--out", type=Path, default=OUT, help="default: %(default)s")
    parser.add_argument("--set", dest="pairs", action="append", default=[], metavar="NAME=VALUE", help="repeatable")
    parser.add_argument("--method", help="a baseline or an ablation; --set changes it further")
    parser.add_argument("--rename", help="the new job's name")
    parser.add_argument("--model", type=Path, help="folder of the model that evaluate_global is about")
    parser.add_argument("--sites", nargs="+", default=[], help="all sites, for a model above 3 MB")
    parser.add_argument("--list", action="store_true", help="print what --set can change, and stop")
    parser.add_argument("--list-methods", action="store_true", help="print what --method can be, and stop")
    parser.add_argument("--jobs", type=Path, default=JOBS, help=argparse.SUPPRESS)
    options = parser.parse_args(arguments)
    try:
        source = source_job(options.name, options.jobs)
        if options.list or options.list_methods:
            print("\n".join(setting_lines(source) if options.list else method_lines()))
            return 0
        settings = from_text(options.pairs, settable(source))
        given = {name: getattr(options, name) for name in ("out", "method", "rename", "model", "sites", "jobs")}
        job = package_job(options.name, settings=settings, **given)
        warn(expected_problems(job))
        print(job)
    except InputError as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    return 0


def setting_lines(source: Path) -> list[str]:
    """Return a line for each setting of a job, with its value."""
    return [f"{name} = {json.dumps(value)}" for name, value in settable(source).items()]


def method_lines() -> list[str]:
    """Return a line for each method that can be packaged."""
    return [f"{method.name:24} {method.title}" for method in METHODS.values() if not method.elsewhere]


if __name__ == "__main__":
    sys.exit(main())
