"""Checks a packaged job before anybody submits it: classes, settings, code, links and names."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from admin.jobs.components import Component, components, construct, load_class, require_arguments
from admin.jobs.folder import META, config_files, path_in_job, read_object, require_job_name, require_plain_files
from admin.jobs.plan import require_planned_timeouts
from fedaid.errors import require
from fedaid.evaluation.settings import LEAST_DRAWS, LEVELS
from fedaid.flare.software.site_software import PROPERTIES, SHORT
from fedaid.package_hash import STATED, code_files, code_hash
from fedaid.version import CODE_KEY, NO_CODE_KEY

PACKAGE = "fedaid"
SOURCE = Path(__file__).resolve().parents[2] / "custom" / PACKAGE


def check_job(folder: Path, *, local_folders: bool = True) -> int:
    """Return how many class paths the job's configs name; each was imported and its arguments were checked.

    A class path in JSON is an import that no linter sees, and a wrong one hangs a simulator or fails a job at every
    hospital. Our own components are also constructed, because their constructors refuse values out of range.

    Args:
        folder: a packaged job.
        local_folders: whether to build a model that starts from a ``local:`` folder, which must then be on this
            machine. In a run the server builds the model, from its own folder.

    Raises:
        InputError: the first error, with its file.
    """
    require_job_name(folder.name)
    require_plain_files(folder)
    require_min_clients(folder / META)
    has_code = require_stated_code(folder / META)
    found = [component for file in config_files(folder) for component in components(read_object(file), file)]
    for app in {component.file.parent.parent for component in found}:
        if has_code:
            needed = any(is_ours(component) and app in component.file.parents for component in found)
            require_our_code(app, needed=needed)
        else:
            require_no_code(app)
    with importable(folder):
        for component in found:
            check_component(component, local_folders=local_folders)
    require_student_loss(found)
    require_wide_intervals(found)
    require_planned_timeouts(folder)
    return len(found)


def check_component(component: Component, *, local_folders: bool) -> None:
    """Import a component's class, check its arguments, and construct it if it is one of ours and can be built here."""
    kind = load_class(component)
    require_arguments(kind, component)
    if is_ours(component) and (local_folders or not component.needs_local_folder):
        construct(kind, component)


def require_student_loss(found: Sequence[Component]) -> None:
    """Refuse the loss baseline ``student`` if the sites do not report that loss: the site weights would never move."""
    args = {name: value for component in found for name, value in component.args.items()}
    ok = args.get("loss_baseline") != "student" or args.get("report_student_loss") is True
    rule, remedy = "be reported by the sites", "Set report_student_loss=true, or another loss_baseline."
    require(ok, "student loss", rule, got="report_student_loss false", where="loss_baseline student", remedy=remedy)


def require_wide_intervals(found: Sequence[Component]) -> None:
    """Refuse an evaluation whose intervals every site would refuse to send."""
    for component in found:
        draws, level, where = component.args.get("draws"), component.args.get("level"), path_in_job(component.file)
        few = isinstance(draws, int) and draws < LEAST_DRAWS
        rule, remedy = f"be at least {LEAST_DRAWS}, as the sites ask", "Leave it out of the job's settings."
        require(not few, "draws", rule, got=draws, where=where, remedy=remedy)
        low, high = LEVELS
        outside = isinstance(level, float) and not low <= level <= high
        rule = f"be between {low} and {high}, as the sites ask"
        require(not outside, "level", rule, got=level, where=where, remedy=remedy)


def is_ours(component: Component) -> bool:
    """Return whether the component's class is in our package."""
    return component.path.startswith(f"{PACKAGE}.")


def require_min_clients(meta: Path) -> None:
    """Refuse a meta.json whose ``min_clients`` is not a whole number from 1."""
    least = read_object(meta).get("min_clients")
    good = isinstance(least, int) and not isinstance(least, bool) and least >= 1
    remedy = "Set the least number of hospitals that the job needs."
    require(good, "min_clients", "be a whole number from 1", got=repr(least), where=path_in_job(meta), remedy=remedy)


def require_stated_code(meta: Path) -> bool:
    """Return whether the job has its code with it; refuse a meta.json that states another code than that in custom/.

    The server would refuse such a job.
    """
    properties = read_object(meta).get(PROPERTIES)
    known = properties if isinstance(properties, dict) else {}
    stated = known.get(CODE_KEY)
    here, remedy = code_hash(SOURCE)[:STATED], "Package the job again: python -m admin package."
    rule = f"be that of custom/{PACKAGE}, {here[:SHORT]}"
    has_code = known.get(NO_CODE_KEY) is not True
    ok = stated == here or (stated is None and has_code)
    require(ok, CODE_KEY, rule, got=str(stated)[:SHORT], where=path_in_job(meta), remedy=remedy)
    return has_code


def require_no_code(app: Path) -> None:
    """Refuse a folder ``custom`` in a job without code, even an empty one: FLARE would take it as code."""
    remedy = "Package the job again with --no-code, or remove the folder."
    ok = not (app / "custom").exists()
    require(
        ok, "job without code", "have no folder custom", got="one", where=f"{app.parent.name}/{app.name}", remedy=remedy
    )


def require_our_code(app: Path, *, needed: bool) -> None:
    """Refuse an app whose copy of our package is absent or differs from the code in custom/, which the checks run."""
    copy = app / "custom" / PACKAGE
    if not needed and not copy.exists():
        return
    source, shipped = code_files(SOURCE), code_files(copy)
    differing = sorted(name for name in source.keys() | shipped.keys() if source.get(name) != shipped.get(name))
    got = f"{len(differing)} files that differ, the first {differing[0]}" if differing else ""
    rule, remedy = "equal the project's package", "Package the job again: python -m admin package."
    require(not differing, f"custom/{PACKAGE}", rule, got=got, where=str(copy), remedy=remedy)


@contextmanager
def importable(job: Path) -> Iterator[None]:
    """Append the job's custom folders to the path, as a site does; afterwards unload the modules from there."""
    folders = [str(folder) for folder in sorted(job.glob("*/custom"))]
    before, writes = list(sys.path), sys.dont_write_bytecode
    sys.path.extend(folders)
    sys.dont_write_bytecode = True  # so that no compiled files get into the job
    try:
        yield
    finally:
        sys.path[:], sys.dont_write_bytecode = before, writes
        for name, module in list(sys.modules.items()):
            if str(getattr(module, "__file__", None) or "").startswith(tuple(f"{folder}/" for folder in folders)):
                del sys.modules[name]
