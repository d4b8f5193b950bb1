"""Checks of the code and the versions on this machine against what the lead had when the kits were made."""

from __future__ import annotations

import json
import shutil
import sys
from collections.abc import Iterator
from contextlib import suppress
from importlib.metadata import PackageNotFoundError, distribution
from pathlib import Path

from admin.federation.kit_settings import CODE_FILE
from admin.federation.kits.lead_software import PYTHON, SOFTWARE_FILE, software_here
from admin.federation.kits.startup_kit import StartupKit, read_object
from admin.jobs.job_check import PACKAGE
from admin.results.file_hash import sha256
from admin.site.doctor.doctor_check import ERROR, NOTE, WARNING
from admin.site.kit.kit_finding import MACHINES, ExaminedKit, KitCheck, Place, Unchecked
from fedaid.flare.software.software_report import CODE, PACKAGES, VOCABULARY
from fedaid.models.vocabulary import VOCABULARY_FILE, vocabulary_hash
from fedaid.package_hash import code_hash

MISSING = "not installed"
SHORT = 12  # digits of a hash
OF_SERVER = {"job_guard.py", "server_watch.py", "expected_sites.py", "steady_clock.py"}
OURS = {PACKAGE, "hospital_policy", "refusals", *OF_SERVER, "__pycache__"}


def lead_software(kit: StartupKit) -> dict[str, str]:
    """Return what the lead's machine had.

    Raises:
        Unchecked: the kit does not state it.
    """
    file = kit.local / SOFTWARE_FILE
    if not file.is_file():
        raise Unchecked(f"an older version made the kit: there is no local/{SOFTWARE_FILE}")
    return {name: str(value) for name, value in read_object(file).items()}


def missing_packages(examined: ExaminedKit) -> Iterator[Place]:
    """Find packages that are not installed here."""
    del examined
    here = software_here()
    yield from (Place(f"package {name}", MISSING) for name in PACKAGES if here[name] == MISSING)


def other_packages(examined: ExaminedKit) -> Iterator[Place]:
    """Find packages of other versions than the lead's."""
    lead, here = lead_software(examined.kit), software_here()
    for name in PACKAGES:
        if here[name] != lead.get(name, "") and here[name] != MISSING:
            yield Place(f"package {name}", f"{here[name]}, the lead has {lead.get(name, 'not stated')}")


def other_python(examined: ExaminedKit) -> Iterator[Place]:
    """Find another Python than the lead's; the last part of a version may differ."""
    lead, here = lead_software(examined.kit).get(PYTHON, ""), software_here()[PYTHON]
    if lead.split(".")[:2] != here.split(".")[:2]:
        yield Place(sys.executable, f"{here}, the lead has {lead}")


def other_interpreter(examined: ExaminedKit) -> Iterator[Place]:
    """State that the shell's ``python3``, which starts the kit, is not the one that was examined."""
    found = shutil.which("python3", path=examined.environ.get("PATH"))
    if found is None or Path(found).parent != Path(sys.executable).parent:
        yield Place("python3 of this shell", f"{found or MISSING}, examined: {sys.executable}")


def installed_codes(kit: StartupKit) -> list[Path]:
    """Return the packages that run in place of a job's code: the kit's own, and the environment's."""
    found = [kit.local / "custom" / PACKAGE]
    with suppress(PackageNotFoundError):
        found.append(Path(str(distribution(PACKAGE).locate_file(PACKAGE))))
    return [folder for folder in found if folder.is_dir()]


def missing_code(examined: ExaminedKit) -> Iterator[Place]:
    """Find a kit for jobs without code that has no code either."""
    if not examined.kit.without_code:
        raise Unchecked("jobs bring their code")
    if not installed_codes(examined.kit):
        yield examined.place(examined.kit.local / "custom" / PACKAGE, MISSING)


def expected_code(kit: StartupKit) -> str:
    """Return the hash of the code that the kit was made for."""
    file = kit.local / CODE_FILE
    return str(read_object(file).get("code", "")) if file.is_file() else lead_software(kit).get(CODE, "")


def other_code(examined: ExaminedKit) -> Iterator[Place]:
    """Find installed code that is not the lead's; at a site it runs in place of the job's own code."""
    kit = examined.kit
    codes = installed_codes(kit)
    if not codes:
        raise Unchecked("no code is installed")
    expected = expected_code(kit)
    for code in codes:
        found = code_hash(code)
        if found != expected:
            yield examined.place(code, f"hash {found[:SHORT]}, the lead has {expected[:SHORT]}")


def other_wheel(examined: ExaminedKit) -> Iterator[Place]:
    """Find a wheel in or beside the kit that is not the lead's."""
    kit = examined.kit
    if not kit.without_code:
        raise Unchecked("jobs bring their code")
    stated = read_object(kit.local / CODE_FILE)
    name, expected = Path(str(stated.get("wheel", ""))).name, str(stated.get("wheel_sha256", ""))
    folders = (kit.folder, kit.startup, kit.local, kit.folder.parent, *(up / "wheel" for up in kit.folder.parents[:3]))
    wheels = [folder / name for folder in folders if name and (folder / name).is_file()]
    if not wheels:
        raise Unchecked(f"there is no {name} in or beside the kit; the hash of the installed code is checked")
    for wheel in wheels:
        if sha256(wheel) != expected:
            yield examined.place(wheel, f"sha256 {sha256(wheel)[:SHORT]}, the lead has {expected[:SHORT]}")


def other_vocabulary(examined: ExaminedKit) -> Iterator[Place]:
    """Find another vocabulary than the lead's, in the installed code or else in this checkout."""
    expected = lead_software(examined.kit).get(VOCABULARY, "")
    installed = [code / "models" / VOCABULARY_FILE.name for code in installed_codes(examined.kit)]
    for file in installed or [VOCABULARY_FILE]:
        found = vocabulary_hash(file) if file.is_file() else "no such file"
        if found != expected:
            yield examined.place(file, f"{found[:SHORT]}, the lead has {expected[:SHORT]}")


def unstated_software(examined: ExaminedKit) -> Iterator[Place]:
    """State that the kit does not say what the lead has."""
    if not (examined.kit.local / SOFTWARE_FILE).is_file():
        yield examined.place(examined.kit.local / SOFTWARE_FILE, "no such file")


def further_code(examined: ExaminedKit) -> Iterator[Place]:
    """State what else is installed in the kit: it runs in every job of the site."""
    custom = examined.kit.local / "custom"
    names = {path.name for path in custom.iterdir()} if custom.is_dir() else set()
    others = sorted(name for name in names - OURS if not name.endswith(".dist-info"))
    if others:
        yield examined.place(custom, json.dumps(others))


SOFTWARE_CHECKS = (
    KitCheck(
        "package-missing",
        "A package is not installed",
        "Run pip install -r requirements.txt -c constraints.txt.",
        ERROR,
        missing_packages,
    ),
    KitCheck(
        "package-version",
        "A package has another version than the lead's",
        "Run pip install -r requirements.txt -c constraints.txt of the lead's version of this project.",
        WARNING,
        other_packages,
    ),
    KitCheck(
        "python-version",
        "Python has another version than the lead's",
        "Make an environment with the lead's.",
        WARNING,
        other_python,
    ),
    KitCheck(
        "code-missing",
        "The code is not installed, and jobs bring none",
        "Run pip install --no-deps --target local/custom on the lead's wheel, in the kit.",
        ERROR,
        missing_code,
        MACHINES,
    ),
    KitCheck(
        "code-differs",
        "The installed code is not the lead's; the server refuses the job",
        "Install the lead's wheel. If jobs bring their code, remove the package.",
        ERROR,
        other_code,
        MACHINES,
    ),
    KitCheck(
        "wheel-differs",
        "The wheel is not the lead's",
        "Ask the lead for the wheel again.",
        ERROR,
        other_wheel,
        MACHINES,
    ),
    KitCheck(
        "vocabulary-differs",
        "The vocabulary is not the lead's",
        "Install the lead's version of this project.",
        ERROR,
        other_vocabulary,
        MACHINES,
    ),
    KitCheck(
        "other-interpreter",
        "The python3 of this shell is not the Python that was examined",
        "Activate the environment before you start the kit.",
        NOTE,
        other_interpreter,
        MACHINES,
    ),
    KitCheck(
        "software-not-stated",
        "The kit does not say what the lead has installed",
        "Compare the versions by telephone, or ask for a kit of this version.",
        NOTE,
        unstated_software,
    ),
    KitCheck(
        "further-code",
        "Other code in the kit runs in every job",
        "Nothing, if you have put it there.",
        NOTE,
        further_code,
        MACHINES,
    ),
)
