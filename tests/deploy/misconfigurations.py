"""Plants every misconfiguration of a kit and its host, and counts those that ``doctor`` names with a remedy."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from xml.etree import ElementTree

from tests.deploy.deployed import Deployed

TEST = "tests/admin/site/kit/test_kit_examination.py::test_a_planted_fault_is_found_by_name"
"""Asks for one fault that exactly its check is found, with a remedy and the text that shows where."""
SECONDS = 1800.0


def misconfigurations(folder: Path) -> Deployed:
    """Runs the test of each planted fault, in a process of its own, against kits that ``provision`` made."""
    result = folder / "faults.xml"
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", f"--junitxml={result}", TEST]
    subprocess.run(command, capture_output=True, check=False, timeout=SECONDS)
    return counted(result)


def counted(result: Path) -> Deployed:
    """The planted and the found faults in pytest's result."""
    place = "in-process, kits of provision, a TLS server on loopback"
    cases = list(ElementTree.parse(result).getroot().iter("testcase")) if result.is_file() else []  # noqa: S314
    if not cases:
        return Deployed(place=place, failures=("no fault was planted: the test did not run",))
    missed = [case.attrib["name"] for case in cases if len(case) > 0]
    return Deployed(
        place=place,
        misconfigurations_planted=len(cases),
        misconfigurations_found=len(cases) - len(missed),
        failures=tuple(f"not found: {name}" for name in missed),
    )
