"""Reads the egress ledger of a site: whether it is as it was written, and what left."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from fedaid.errors import InputError, require
from fedaid.flare.store.hash_chain import FIRST, Head, broken_links, digest, lines_of, whole_lines
from hospital_policy.accountant import epsilon_of
from hospital_policy.rules import RULES_FILE, PolicyFault, read_rules
from hospital_policy.site_record import FOLDER, LEDGER, STATE, VARIABLE, State, record_folder, state_from

Line = Mapping[str, Any]
LEFT = ("update", "metrics")  # kinds of lines of what left with content


@dataclass(frozen=True)
class ExaminedLedger:
    """A ledger and what it says.

    Attributes:
        problems: what shows that it is not as it was written; empty if it is.
        head: its end: number of lines, and sha256 of the last one.
        lines: as JSON objects.
        rules: the rules that the kit has now; None if they cannot be read.
        epsilon: the privacy loss of all updates with noise.
    """

    problems: Sequence[str]
    head: Head
    lines: Sequence[Line]
    rules: Mapping[str, Any] | None
    epsilon: float

    def summary(self) -> dict[str, Any]:
        """The ledger in numbers, for a person and for JSON."""
        jobs: dict[str, list[Line]] = {}
        for line in self.lines:
            jobs.setdefault(str(line.get("job", "")), []).append(line)
        return {
            "whole": not self.problems,
            "problems": list(self.problems),
            "lines": self.head.lines,
            "sha256": self.head.sha256,
            "bytes": total(self.lines, "bytes"),
            "epsilon": self.epsilon if math.isfinite(self.epsilon) else None,
            "rules": self.rules,
            "jobs": [job_summary(job, lines) for job, lines in jobs.items()],
        }


def examine_ledger(kit: Path, *, noted: Head | None = None) -> ExaminedLedger:
    """Read and check the ledger of a kit.

    Args:
        kit: of the site.
        noted: an earlier end of the ledger, as somebody has noted it elsewhere.

    Raises:
        InputError: the kit has no ledger.
    """
    folder = folder_of(kit)
    file, where = folder / LEDGER, f"{FOLDER}/ of the kit"
    remedy = "Install a policy with python -m admin policy, and run a job."
    require(file.exists() or (folder / STATE).exists(), "ledger", "exist", got="no file", where=where, remedy=remedy)
    hashes = [FIRST, *map(digest, whole_lines(file))]
    problems = broken_links(file)
    state = kept_state(folder / STATE)
    if state is None:
        problems.append(f"{STATE}, which has the end of the ledger, is missing or damaged")
    else:
        problems += end_problems(hashes, Head(state.lines, state.sha256), source=STATE)
    problems += end_problems(hashes, noted, source="the noted end") if noted else []
    rules = kept_rules(kit)
    delta = float(rules["delta"]) if rules else 1e-5
    epsilon = epsilon_of(state.releases, delta) if state else math.inf
    return ExaminedLedger(problems, Head(len(hashes) - 1, hashes[-1]), lines_of(file), rules, epsilon)


def folder_of(kit: Path) -> Path:
    """Return the folder of the kit's ledger.

    Raises:
        InputError: the environment names a folder that is not there.
    """
    try:
        return record_folder(kit)
    except PolicyFault as fault:
        remedy = f"Set {VARIABLE} as the site's jobs have it."
        raise InputError("ledger", "be in a lasting folder", got=str(fault), where=kit.name, remedy=remedy) from None


def end_problems(hashes: Sequence[str], head: Head, *, source: str) -> list[str]:
    """Return what is wrong with the end of a ledger; later lines may follow the noted one."""
    if len(hashes) <= head.lines:
        return [f"{head.lines - len(hashes) + 1} lines are missing at the end, by {source}"]
    return [] if hashes[head.lines] == head.sha256 else [f"line {head.lines} is not the one of {source}"]


def kept_state(file: Path) -> State | None:
    """Return the noted end of the ledger and the spent noise; None if they cannot be read."""
    try:
        return state_from(json.loads(file.read_text(encoding="utf-8")))
    except (OSError, ValueError, TypeError, KeyError, AttributeError):
        return None


def kept_rules(kit: Path) -> dict[str, Any] | None:
    """Return the rules of the kit's policy; None if there is none, or if it is not valid."""
    try:
        return read_rules(kit / "local" / RULES_FILE).as_dict()
    except PolicyFault:
        return None


def job_summary(job: str, lines: Sequence[Line]) -> dict[str, Any]:
    """Return what one job sent, in numbers."""
    left = [line for line in lines if line.get("kind") in LEFT]
    norms = [line["norm"] for line in left if "norm" in line]
    factors = [line["factor"] for line in left if "factor" in line]
    return {
        "job": job,
        "first": lines[0].get("time"),
        "last": lines[-1].get("time"),
        "updates": sum(line.get("kind") == "update" for line in lines),
        "metrics": sum(line.get("kind") == "metrics" for line in lines),
        "errors": sum(line.get("kind") == "error" for line in lines),
        "blocked": sum(line.get("kind") == "blocked" for line in lines),
        "bytes": total(lines, "bytes"),
        "tensors": len({key for line in left for key in line.get("keys", ())}),
        "largest_norm": max(norms, default=None),
        "smallest_factor": min(factors, default=None),
        "reasons": sorted({str(line["reason"]) for line in lines if "reason" in line}),
    }


def total(lines: Sequence[Line], name: str) -> int:
    """Return the sum of a field over the lines that have it."""
    return sum(line[name] for line in lines if isinstance(line.get(name), int))
