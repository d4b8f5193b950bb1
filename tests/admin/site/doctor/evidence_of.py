"""Studies and sites made up for the tests of the checks."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from admin.site.doctor.doctor_check import Found
from admin.site.doctor.evidence import Case, Evidence
from admin.site.doctor.examination import CHECKS
from admin.site.doctor.picture_facts import PictureFacts
from admin.site.films.chest_template import Pose
from fedaid.data.header.facts import Header
from fedaid.data.letters.letters import Letters
from fedaid.data.report.sections import sections

UPRIGHT = Pose(upright=0.8, inverted=-1.6, sideways=-0.8, upside_down=-0.5, mirrored=-0.05, lungs=0.8)
SOUND = {
    "modality": "DX",
    "body_part": "CHEST",
    "photometric": "MONOCHROME2",
    "rows": 2000,
    "columns": 2000,
    "windowed": True,
}
REPORT = "FINDINGS: The heart is of normal size. No effusion. IMPRESSION: No acute disease."


def facts(**changes: Any) -> PictureFacts:
    """The measures of a sound picture, but for the changes."""
    sound: dict[str, Any] = {"pose": UPRIGHT, "clipped": 0.0, "aspect": 1.0, "fingerprint": 0}
    return PictureFacts(**sound | changes)


def case(
    line: int = 2, *, report: str | None = REPORT, header: Mapping[str, Any] | None = None, **changes: Any
) -> Case:
    """A sound study, but for the changes."""
    found = sections(report) if report is not None else None
    sound: dict[str, Any] = {
        "line": line,
        "name": f"study-{line}",
        "patient": f"patient-{line}",
        "cells": {"image": f"images/{line}.dcm", "report_path": f"reports/{line}.txt", "view": "PA"},
        "split": "train",
        "labels": ("No Finding",),
        "header": Header(**SOUND | dict(header or {})),
        "picture": facts(
            fingerprint=sum(0xF << 8 * (line + 3 * place) % 250 for place in range(20)) ^ line * 0x10001 << 100
        ),
        "letters": Letters(found=False, share=0.0, seen=True),
        "report": report,
        "report_fault": None if found and found.text else "report-empty",
        "sections": found,
    }
    return Case(**sound | changes)


def site(*cases: Case, sound: int = 0, **changes: Any) -> Evidence:
    """A site of these studies and so many sound ones."""
    columns = ("study_id", "patient_id", "image", "report_path", "view", "split", "labels")
    return Evidence(columns=columns, cases=(*cases, *(case(100 + number) for number in range(sound))), **changes)


def look(name: str, evidence: Evidence) -> Found:
    """What a check finds."""
    (check,) = (check for check in CHECKS if check.name == name)
    return check.look(evidence)


def fires_for(name: str, *cases: Case, sound: int = 0) -> list[int]:
    """The lines for which a check fires."""
    found = look(name, site(*cases, sound=sound))
    return [case.line for case in found.cases] if found.fired else []
