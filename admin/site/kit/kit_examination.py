"""Runs all checks on a startup kit and its machine."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from admin.federation.kits.startup_kit import open_kit
from admin.site.doctor.doctor_check import ERROR, SEVERITIES
from admin.site.kit.checks.certificate_checks import CERTIFICATE_CHECKS
from admin.site.kit.checks.kit_file_checks import KIT_FILE_CHECKS
from admin.site.kit.checks.machine_checks import MACHINE_CHECKS
from admin.site.kit.checks.network_checks import NETWORK_CHECKS
from admin.site.kit.checks.presence_checks import PRESENCE_CHECKS
from admin.site.kit.checks.rights_checks import RIGHTS_CHECKS
from admin.site.kit.checks.site_data_checks import SITE_DATA_CHECKS
from admin.site.kit.checks.software_checks import SOFTWARE_CHECKS
from admin.site.kit.checks.storage_checks import STORAGE_CHECKS
from admin.site.kit.kit_finding import ExaminedKit, KitCheck, Place, Unchecked
from fedaid.errors import InputError

KIT_CHECKS: tuple[KitCheck, ...] = (
    *(*KIT_FILE_CHECKS, *CERTIFICATE_CHECKS, *NETWORK_CHECKS, *SOFTWARE_CHECKS),
    *(*PRESENCE_CHECKS, *RIGHTS_CHECKS, *STORAGE_CHECKS, *MACHINE_CHECKS, *SITE_DATA_CHECKS),
)


@dataclass(frozen=True)
class KitResult:
    """A check and what it found.

    Attributes:
        check: the check.
        places: where the problem is; empty if there is none.
        unchecked: why the check had no input; empty if it had.
    """

    check: KitCheck
    places: tuple[Place, ...] = ()
    unchecked: str = ""


def examine_kit(folder: Path, *, job: Path | None = None, environ: Mapping[str, str] | None = None) -> list[KitResult]:
    """Return what every check finds: those that found a problem first, by severity.

    Args:
        folder: of the kit.
        job: a packaged job whose needs the machine must meet.
        environ: the environment that the kit is started in; None takes this process's.

    Raises:
        InputError: the folder is not a startup kit.
    """
    examined = ExaminedKit(open_kit(folder), job, os.environ if environ is None else environ)
    results = [result(check, examined) for check in KIT_CHECKS if examined.kit.kind in check.kinds]
    rank = {severity: number for number, severity in enumerate(SEVERITIES)}
    return sorted(results, key=lambda one: (not one.places, rank[one.check.severity]))


def result(check: KitCheck, examined: ExaminedKit) -> KitResult:
    """Return what one check finds; a file that cannot be read is reported by the check of that file."""
    try:
        return KitResult(check, tuple(check.look(examined)))
    except Unchecked as reason:
        return KitResult(check, unchecked=str(reason))
    except InputError as error:
        return KitResult(check, unchecked=str(error))
    except OSError as error:
        name = Path(str(error.filename)).name if error.filename else ""
        return KitResult(check, unchecked=f"{error.strerror or error}: {name}".rstrip(": "))


def kit_has_error(results: Sequence[KitResult]) -> bool:
    """Whether a check found an error."""
    return any(one.places and one.check.severity == ERROR for one in results)
