"""Checks of what the kit lets a job do: code, classes, logs, exceptions, the hospital's policy."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import hospital_policy
from admin.federation.kits.startup_kit import RESOURCES, SITE, START_SCRIPT, StartupKit, read_object, section
from admin.federation.project_file import LOG_STREAMING
from admin.jobs.code_wheel import classes_of_jobs
from admin.site.doctor.doctor_check import ERROR, NOTE, WARNING
from admin.site.kit.kit_finding import MACHINES, ExaminedKit, KitCheck, Place, Unchecked
from fedaid.flare.transport.exception_texts import VARIABLE
from fedaid.package_hash import code_hash
from hospital_policy.kit_files import PRIVACY_FILE, RESOURCES_FILE, read_privacy, require_in_every_scope
from hospital_policy.rules import RULES_FILE, PolicyFault, read_rules

RIGHTS, POLICY = "authorization.json", "hospital_policy"
SHORT = 12  # digits of a hash
CLASSES, MODE = "class_allow_list", "class_list_enforcement_mode"
FROM_DEFAULT = "from the .default file of this kit, as the lead sent it, into it. Leave the other settings."
NEW_CLASSES = f"Copy {CLASSES} and {MODE} {FROM_DEFAULT}"
NEW_RIGHTS = f"Copy permissions {FROM_DEFAULT}"


def resources(examined: ExaminedKit) -> dict[str, Any]:
    """Return the resources that FLARE would read."""
    return read_object(examined.kit.setting_file(RESOURCES))


def listed_classes(examined: ExaminedKit) -> list[str]:
    """Return the classes that a job without code may name.

    Raises:
        Unchecked: jobs bring their code, to which FLARE does not apply the list.
    """
    if not examined.kit.without_code:
        raise Unchecked("FLARE does not apply the list to jobs that bring their code")
    found = resources(examined).get(CLASSES)
    return [str(one) for one in found] if isinstance(found, list) else []


def open_list(examined: ExaminedKit) -> Iterator[Place]:
    """Find an allow-list that is missing, allows everything, or is not enforced."""
    classes, file = listed_classes(examined), examined.kit.setting_file(RESOURCES)
    if not classes:
        yield examined.place(file, f"{CLASSES} missing or empty: FLARE takes its own list")
    if "*" in classes:
        yield examined.place(file, f'{CLASSES} with "*"')
    mode = resources(examined).get(MODE)
    if mode != "enforce":
        yield examined.place(file, f"{MODE} {mode!r}")


def added_classes(examined: ExaminedKit) -> Iterator[Place]:
    """Find entries that no job of this version names; an entry allows everything below it, too."""
    known = set(classes_of_jobs())
    for one in listed_classes(examined):
        if one not in known and one != "*":
            yield examined.place(examined.kit.setting_file(RESOURCES), f"{CLASSES} with {one}")


def lacking_classes(examined: ExaminedKit) -> Iterator[Place]:
    """Find classes of this version's jobs that the list refuses."""
    classes = listed_classes(examined)
    lacking = [] if "*" in classes or not classes else sorted(set(classes_of_jobs()) - set(classes))
    if lacking:
        yield examined.place(examined.kit.setting_file(RESOURCES), f"{CLASSES} without {', '.join(lacking)}")


def code_rights(kit: StartupKit) -> dict[str, str]:
    """Return role → right to send code, for the roles that have it."""
    permissions = section(read_object(kit.setting_file(RIGHTS)), "permissions")
    rights = {
        role: own if isinstance(own, str) else section(permissions, role).get("byoc")
        for role, own in permissions.items()
    }
    return {role: str(right) for role, right in rights.items() if right not in ("none", None)}


def allowed_code(examined: ExaminedKit) -> Iterator[Place]:
    """Find roles that may send code, in a kit that was made to refuse it."""
    if not examined.kit.without_code:
        raise Unchecked("the kit was made for jobs that bring their code")
    for role, right in code_rights(examined.kit).items():
        yield examined.place(examined.kit.setting_file(RIGHTS), f"byoc {right!r} for {role}")


def sent_code(examined: ExaminedKit) -> Iterator[Place]:
    """State who may send code to this machine."""
    rights = {} if examined.kit.without_code else code_rights(examined.kit)
    if rights:
        yield examined.place(examined.kit.setting_file(RIGHTS), "byoc for " + ", ".join(sorted(rights)))


def streamed_logs(examined: ExaminedKit) -> Iterator[Place]:
    """Find log streaming; without the setting FLARE streams."""
    value = resources(examined).get(LOG_STREAMING, True)
    if value is not False:
        yield examined.place(examined.kit.setting_file(RESOURCES), f"{LOG_STREAMING} {value!r}")


def sent_texts(examined: ExaminedKit) -> Iterator[Place]:
    """Find a start script that lets FLARE send the texts of exceptions."""
    file = examined.kit.startup / START_SCRIPT
    lines = file.read_text(encoding="utf-8", errors="replace").splitlines()
    if f"export {VARIABLE}=true" not in [line.strip() for line in lines]:
        yield examined.place(file, f"no line export {VARIABLE}=true")


def policy_files(kit: StartupKit) -> list[bool]:
    """Return for each part of an installed policy whether it is there."""
    custom = kit.local / "custom" / POLICY
    return [(kit.local / name).is_file() for name in (RULES_FILE, RESOURCES_FILE)] + [custom.is_dir()]


def broken_policy(examined: ExaminedKit) -> Iterator[Place]:
    """Find a policy that is installed in part, or that FLARE would not apply to every job."""
    kit, there = examined.kit, policy_files(examined.kit)
    if not any(there):
        raise Unchecked("no policy is installed")
    try:
        read_rules(kit.local / RULES_FILE)
        require_in_every_scope(read_privacy(kit.local / PRIVACY_FILE))
    except PolicyFault as fault:
        yield examined.place(kit.local / PRIVACY_FILE, fault)
    else:
        if not all(there):
            yield examined.place(kit.local, "a part of the policy is missing")


def other_policy(examined: ExaminedKit) -> Iterator[Place]:
    """Find an installed policy whose code is not that of this checkout: altered, or of another version."""
    custom = examined.kit.local / "custom" / POLICY
    if not custom.is_dir():
        raise Unchecked("no policy is installed")
    found, ours = code_hash(custom), code_hash(Path(str(hospital_policy.__file__)).parent)
    if found != ours:
        yield examined.place(custom, f"hash {found[:SHORT]}, here {ours[:SHORT]}")


def no_policy(examined: ExaminedKit) -> Iterator[Place]:
    """State that the hospital has no policy of its own."""
    if not any(policy_files(examined.kit)):
        yield examined.place(examined.kit.local / RULES_FILE, "no policy")


RIGHTS_CHECKS = (
    KitCheck("class-list-open", "Jobs may name classes of any kind", NEW_CLASSES, ERROR, open_list, MACHINES),
    KitCheck(
        "class-list-wider",
        "Jobs may name classes that no job of this version names",
        NEW_CLASSES,
        ERROR,
        added_classes,
        MACHINES,
    ),
    KitCheck("class-list-short", "Jobs of this version are refused", NEW_CLASSES, WARNING, lacking_classes, MACHINES),
    KitCheck("byoc-allowed", "Jobs with code are accepted", NEW_RIGHTS, ERROR, allowed_code, MACHINES),
    KitCheck(
        "byoc",
        "Jobs bring their code",
        "Nothing. To forbid it, ask the lead for kits for jobs without code (docs/provisioned.md).",
        NOTE,
        sent_code,
        MACHINES,
    ),
    KitCheck(
        "log-streaming",
        "Error logs go to the server, and may hold the name of a patient's file",
        f'Set "{LOG_STREAMING}": false in the file.',
        WARNING,
        streamed_logs,
        (SITE,),
    ),
    KitCheck(
        "exception-texts",
        "Texts of exceptions go to the server, and may hold a name",
        f"Copy startup/ again. In a kit without signatures add export {VARIABLE}=true to the start script, as its "
        "second line.",
        WARNING,
        sent_texts,
        (SITE,),
    ),
    KitCheck(
        "policy-broken",
        "The hospital's policy is damaged",
        "Run python -m admin policy again.",
        ERROR,
        broken_policy,
        (SITE,),
    ),
    KitCheck(
        "policy-differs",
        "The code of the hospital's policy is altered, or of another version",
        "Run python -m admin policy again.",
        WARNING,
        other_policy,
        (SITE,),
    ),
    KitCheck(
        "policy",
        "The hospital has no policy of its own on what leaves",
        "Nothing, or install one: docs/policy.md.",
        NOTE,
        no_policy,
        (SITE,),
    ),
)
