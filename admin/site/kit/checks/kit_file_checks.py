"""Checks of the kit's files: complete, readable, unaltered, and closed to others."""

from __future__ import annotations

import stat
from collections.abc import Iterator
from pathlib import Path

from admin.federation.kit_settings import CHECK, CODE_FILE
from admin.federation.kits.signed_files import (
    LIST,
    SIGNATURES,
    altered_files,
    has_list,
    listed_owner,
    signed_folders,
    unlike_the_list,
)
from admin.federation.kits.startup_kit import PERSON, SITE, START_SCRIPT, StartupKit, read_object, section
from admin.site.doctor.doctor_check import ERROR, WARNING
from admin.site.kit.kit_finding import MACHINES, ExaminedKit, KitCheck, Place, Unchecked
from fedaid.errors import InputError

OTHERS_READ, OTHERS_WRITE, OWNER_RUNS = 0o077, 0o022, 0o100
UMASK = "umask 077"
COPY = "Copy the whole kit again."
LISTS = (SIGNATURES, LIST)
NO_SIGNATURES = "the kit is not signed"


def missing(examined: ExaminedKit) -> Iterator[Place]:
    """Find files that every kit of this kind has."""
    kit = examined.kit
    scripts = ["fl_admin.sh"] if kit.kind == PERSON else ["start.sh", START_SCRIPT]
    script = kit.startup / START_SCRIPT
    if script.is_file() and Path(CHECK).stem in script.read_text(encoding="utf-8", errors="replace"):
        scripts.append(CHECK)
    stated = [kit.local / CODE_FILE] if kit.without_code else []
    settings = ["resources.json"] if kit.kind == PERSON else ["resources.json", "authorization.json"]
    files = [kit.certificate_file, kit.key_file, kit.authority_file, *(kit.startup / name for name in scripts)]
    for file in [*files, *stated, *(kit.setting_file(name) for name in settings)]:
        if not file.is_file():
            yield examined.place(file, "no such file")


def settings_files(kit: StartupKit) -> list[Path]:
    """Return the JSON files of the kit."""
    folders = [folder for folder in (kit.startup, kit.local) if folder.is_dir()]
    names = ("*.json", "*.json.default")
    return sorted(file for folder in folders for name in names for file in folder.glob(name))


def unreadable_settings(examined: ExaminedKit) -> Iterator[Place]:
    """Find settings that are no JSON objects."""
    for file in settings_files(examined.kit):
        try:
            read_object(file)
        except (OSError, InputError) as error:
            yield examined.place(file, "not a JSON object" if isinstance(error, InputError) else type(error).__name__)


def broken_script(examined: ExaminedKit) -> Iterator[Place]:
    """Find a start script that the shell cannot run."""
    file = examined.kit.startup / START_SCRIPT
    if not file.is_file():
        raise Unchecked(f"there is no {START_SCRIPT}")
    mode = stat.S_IMODE(file.stat().st_mode)
    if not mode & OWNER_RUNS:
        yield examined.place(file, f"mode {mode:04o}, not executable")
    if b"\r\n" in file.read_bytes():
        yield examined.place(file, "line ends of Windows")


def other_names(examined: ExaminedKit) -> Iterator[Place]:
    """Find a site's start script that names another site than the configuration."""
    kit = examined.kit
    found = kit.in_script("uid")
    if found != kit.name:
        yield examined.place(kit.startup / START_SCRIPT, f"uid={found}, {kit.configuration_file.name}: {kit.name}")


def other_organisation(examined: ExaminedKit) -> Iterator[Place]:
    """Find a start script with another organisation than the certificate; FLARE gives rights by the script's."""
    kit = examined.kit
    found, certified = kit.in_script("org"), kit.certificate.organisation
    if found != certified:
        yield examined.place(kit.startup / START_SCRIPT, f"org={found}, {kit.certificate_file.name}: {certified}")


def open_umask(examined: ExaminedKit) -> Iterator[Place]:
    """Find a start script that leaves the mode of new files to the shell."""
    file = examined.kit.startup / START_SCRIPT
    if UMASK not in [line.strip() for line in file.read_text(encoding="utf-8", errors="replace").splitlines()]:
        yield examined.place(file, f"no line {UMASK}")


def unstated(examined: ExaminedKit) -> Iterator[Place]:
    """Find settings without the owner's name, the server's name, its address, or any permissions."""
    kit = examined.kit
    try:
        host, _ = kit.address
    except InputError as error:
        host = ""
        yield examined.place(kit.configuration_file, error)
    for name, value in (("owner's name", kit.name), ("server's name", kit.server_name)):
        if host and not value:
            yield examined.place(kit.configuration_file, f"no {name}")
    rights = kit.setting_file("authorization.json")
    if kit.kind != PERSON and rights.is_file() and not section(read_object(rights), "permissions"):
        yield examined.place(rights, "no permissions")


def altered(examined: ExaminedKit) -> Iterator[Place]:
    """Find files that are not as the lead has signed them; those of ``local/`` are the owner's."""
    kit = examined.kit
    folders = signed_folders(kit)
    if not folders:
        raise Unchecked(NO_SIGNATURES)
    found = dict(one for folder in folders for one in altered_files(kit, folder))
    if has_list(kit):
        found |= dict(unlike_the_list(kit, kit.startup))
        if listed_owner(kit) not in (kit.name, ""):
            yield examined.place(kit.startup / LIST, f"of the kit of {listed_owner(kit)}, in the kit of {kit.name}")
    for file, reason in found.items():
        yield examined.place(file, reason)


def local_changes(examined: ExaminedKit) -> Iterator[Place]:
    """Find files that the lead put into ``local/`` and that are missing or changed; what the owner added is not one."""
    if not has_list(examined.kit):
        raise Unchecked(NO_SIGNATURES)
    for file, reason in unlike_the_list(examined.kit, examined.kit.local):
        yield examined.place(file, reason)


def unsigned(examined: ExaminedKit) -> Iterator[Place]:
    """Find a kit without signatures, or with those of FLARE only."""
    startup = examined.kit.startup
    yield from (examined.place(startup / name, "no such file") for name in LISTS if not (startup / name).is_file())


def readable_key(examined: ExaminedKit) -> Iterator[Place]:
    """Find private keys that others on this machine can read."""
    for file in sorted(examined.kit.startup.glob("*.key")):
        mode = stat.S_IMODE(file.stat().st_mode)
        if mode & OTHERS_READ:
            yield examined.place(file, f"mode {mode:04o}")


def readable_kit(examined: ExaminedKit) -> Iterator[Place]:
    """Find a kit whose folder others on this machine can enter: it will hold logs, jobs and runs."""
    mode = stat.S_IMODE(examined.kit.folder.stat().st_mode)
    if mode & OTHERS_READ & ~OTHERS_WRITE:
        yield Place(str(examined.kit.folder), f"mode {mode:04o}")


def writable_kit(examined: ExaminedKit) -> Iterator[Place]:
    """Find files of the kit that others on this machine can replace."""
    kit = examined.kit
    for path in [kit.folder, *sorted(kit.startup.rglob("*")), kit.startup, kit.local, *sorted(kit.local.rglob("*"))]:
        if path.exists() and not path.is_symlink() and path.stat().st_mode & OTHERS_WRITE:
            yield examined.place(path, f"mode {stat.S_IMODE(path.stat().st_mode):04o}")


KIT_FILE_CHECKS = (
    KitCheck("kit-incomplete", "Files of the kit are missing", COPY, ERROR, missing),
    KitCheck(
        "setting-unreadable",
        "A file of settings is not valid JSON",
        "Correct the file, or copy it again.",
        ERROR,
        unreadable_settings,
    ),
    KitCheck(
        "start-script",
        "The start script cannot run",
        f"Copy the kit again with its permissions (cp -a, tar, scp -p), or run chmod u+x startup/{START_SCRIPT}.",
        ERROR,
        broken_script,
        MACHINES,
    ),
    KitCheck(
        "setting-missing",
        "The kit does not say whose it is, where the server is, or who may do what",
        COPY,
        ERROR,
        unstated,
    ),
    KitCheck(
        "organisation-differs",
        "The start script gives rights to another organisation than the certificate's",
        COPY,
        ERROR,
        other_organisation,
        MACHINES,
    ),
    KitCheck(
        "umask",
        "Others on this machine could read the files that the kit will write",
        f"Copy startup/ again. In a kit without signatures add {UMASK} to the start script, as its second line.",
        WARNING,
        open_umask,
        MACHINES,
    ),
    KitCheck("names-differ", "The start script is another site's", COPY, ERROR, other_names, (SITE,)),
    KitCheck(
        "file-altered",
        "A file is not as the lead signed it",
        "Copy startup/ again from the kit as the lead sent it, or ask for it again. Compare the fingerprint of the "
        "authority by telephone.",
        ERROR,
        altered,
    ),
    KitCheck(
        "local-altered",
        "A file in local/ is not as the lead made it",
        "Nothing, if you or a new version changed it. Else copy the file again from the kit as the lead sent it.",
        WARNING,
        local_changes,
    ),
    KitCheck(
        "kit-not-signed",
        "The kit has no signatures: it is of an older version or of nvflare's own command, or they were removed",
        "Ask the lead for a new kit. Replace only startup/ in this one.",
        WARNING,
        unsigned,
    ),
    KitCheck(
        "key-readable",
        "Others on this machine can read the private key",
        "Run chmod 600 on the file.",
        ERROR,
        readable_key,
    ),
    KitCheck(
        "kit-writable",
        "Others on this machine can change the kit",
        "Run chmod -R go-rwx on the kit's folder.",
        ERROR,
        writable_kit,
    ),
    KitCheck(
        "kit-readable",
        "Others on this machine can read the kit",
        "Run chmod 700 on the kit's folder.",
        WARNING,
        readable_kit,
    ),
)
