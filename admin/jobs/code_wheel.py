"""The package of custom/ as a wheel, for servers and sites whose jobs carry no code."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import NamedTuple

from admin.jobs.components import components
from admin.jobs.folder import config_files, read_object
from admin.jobs.job_check import PACKAGE, SOURCE
from admin.jobs.package import JOBS, source_jobs
from fedaid.package_hash import code_hash
from fedaid.sealed_folder import description

PROJECT = SOURCE.parent / "pyproject.toml"
EPOCH = "315532800"  # 1980: the date of each file in the wheel, so that equal code gives an equal wheel
SECONDS = 300.0


class CodeWheel(NamedTuple):
    """A wheel: its file, its sha256, and the hash of the code in it, which a site reports."""

    file: Path
    sha256: str
    code: str


def build_wheel(out: Path) -> CodeWheel:
    """Build the wheel into the folder ``out``; nothing is fetched, and equal code gives equal bytes.

    Raises:
        RuntimeError: the build failed; the message has its last lines.
    """
    out.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix="fedaid-wheel-") as folder:
        source, made = Path(folder) / "source", Path(folder) / "wheel"
        shutil.copytree(SOURCE, source / PACKAGE, ignore=shutil.ignore_patterns("__pycache__", "*.pyc"))
        shutil.copyfile(PROJECT, source / PROJECT.name)
        run_pip(["wheel", str(source), "--no-deps", "--no-build-isolation", "--wheel-dir", str(made)])
        (built,) = made.glob("*.whl")
        file = Path(shutil.copyfile(built, out / built.name))
    return CodeWheel(file, description(file)["sha256"], code_hash(SOURCE))


def install_wheel(wheel: Path, folder: Path) -> None:
    """Install the wheel into a folder, such as ``local/custom`` of a startup kit, in place of a former one.

    Raises:
        RuntimeError: pip refused it.
    """
    for former in (folder / PACKAGE, *folder.glob(f"{PACKAGE}-*.dist-info")):
        if former.exists():
            shutil.rmtree(former)
    run_pip(["install", str(wheel), "--no-deps", "--target", str(folder)])


def run_pip(words: list[str]) -> None:
    """Run pip of this environment, without network."""
    command = [sys.executable, "-m", "pip", *words, "--no-index", "--quiet", "--disable-pip-version-check"]
    environment = os.environ | {"SOURCE_DATE_EPOCH": EPOCH}
    done = subprocess.run(  # noqa: S603 - this interpreter, no shell
        command, capture_output=True, text=True, timeout=SECONDS, check=False, env=environment
    )
    if done.returncode != 0:
        lines = [line for line in (done.stdout + done.stderr).splitlines() if line.strip()]
        raise RuntimeError(f"pip {words[0]} failed ({done.returncode}): {' '.join(lines[-3:])}")


def classes_of_jobs(jobs: Path = JOBS) -> list[str]:
    """Return the path of every class that a job of ``jobs/`` names: what a site allows a job without code to build."""
    files = [file for name in source_jobs(jobs) for file in config_files(jobs / name)]
    return sorted({part.path for file in files for part in components(read_object(file), file)})


def unlisted_classes(job: Path) -> list[str]:
    """Return a warning for each class of a job without code that no job of ``jobs/`` names: kits would refuse it."""
    if any(job.glob("*/custom")):
        return []
    listed, files = {*classes_of_jobs()}, config_files(job)
    found = {(part.path, file.name) for file in files for part in components(read_object(file), file)}
    return [
        f"class {path} in {name} is in no job of jobs/: a site that takes jobs without code refuses it, unless its "
        f"class_allow_list has it"
        for path, name in sorted(found)
        if path not in listed
    ]
