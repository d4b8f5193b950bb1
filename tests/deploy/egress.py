"""Every update that left a hospital is in its egress ledger: counted at the server, and by a proxy in front of it."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from admin.federation.federation import free_port
from admin.federation.record import Record
from admin.site.policy.examined_ledger import Line as EgressLine
from admin.site.policy.examined_ledger import examine_ledger
from admin.site.policy.installed_policy import install
from fedaid.flare.store.run_ledger import ACCEPT, REFUSE
from fedaid.flare.wire.tasks import VALIDATE
from hospital_policy.rules import Rules
from tests.chaos.followed_job import ledger_of
from tests.chaos.lines.line import UP, Line
from tests.chaos.lines.lined_federation import FAR, SITES, LinedFederation
from tests.deploy.damaged_ledgers import undetected
from tests.deploy.deployed import Deployed
from tests.deploy.submitted_job import PATIENT, connect_seconds, first_task_seconds, named_hospitals, submitted
from tests.integration.conftest import small_job

Answer = tuple[str, str, int]
RULES = Rules(min_studies=2, clip=10.0)
LARGE = {"embedding_dim": 128, "projection_hidden": 512}  # settings of a model whose updates are much larger
QUIET_SECONDS = 40.0  # that heartbeats are counted for
REMARKS = (
    "with TLS the proxy sees sums of bytes only, no messages",
    "beyond the ledger's bytes the proxy counts heartbeats, requests for tasks, TLS handshakes, and the headers "
    "of FLARE, gRPC and TLS; two jobs with updates of different size separate the bytes that grow with the updates "
    "(per_ledger_byte, a little above 1) from those that grow with time (per_second)",
    "a message with a model that left beside an update would make per_ledger_byte about 1 + 1 / updates or more",
)


class LedgeredFederation(LinedFederation):
    """Every hospital has a policy, and thus a ledger; one of them is behind the proxy."""

    def make_kits(self) -> Record:
        """Writes new kits with the policy in them."""
        record = super().make_kits()
        for site in self.sites:
            install(record.kits / site, RULES)
        return record


class Counted(NamedTuple):
    """One job.

    Attributes:
        missing: answers with an update or metrics that reached the server and are in no ledger.
        answers: all such answers.
        passed: bytes that the proxy saw from :data:`~tests.chaos.lines.lined_federation.FAR`.
        stated: bytes by its ledger.
        updates: its lines with an update.
        seconds: that the job took.
    """

    missing: int
    answers: int
    passed: int
    stated: int
    updates: int
    seconds: float


def ledger(folder: Path) -> Deployed:
    """Two jobs with models of different size; then all ledgers are damaged."""
    roots, port = named_hospitals(folder), free_port()
    numbers: dict[str, Any] = {}
    with Line(port) as line, LedgeredFederation(folder / "federation", roots, line, port=port) as federation:
        numbers["connect_seconds"] = connect_seconds(federation)
        quiet = quiet_rate(line)
        small = counted(federation, line, folder / "small", numbers)
        large = counted(federation, line, folder / "large", numbers, **LARGE)
        kits = [federation.record.kits / site for site in SITES]
        problems = [problem for kit in kits for problem in examine_ledger(kit).problems]
        tried = [undetected(kit, folder) for kit in kits]
    found = difference(small, large) | {"quiet_bytes_per_second": round(quiet, 1)}
    silent = [name for _, names in tried for name in names]
    return Deployed(
        place="provisioned with TLS, a proxy in front of the server",
        ledger_missing=small.missing + large.missing + found["messages_beside"],
        ledgers_damaged=sum(count for count, _ in tried),
        ledgers_found=sum(count for count, _ in tried) - len(silent),
        failures=(*problems, *(f"not found: {name}" for name in silent)),
        remarks=REMARKS,
        details={"small": small._asdict(), "large": large._asdict(), **found},
        **numbers,
    )


def quiet_rate(line: Line) -> float:
    """Bytes a second that a site sends while no job runs."""
    before = line.passed[UP]
    time.sleep(QUIET_SECONDS)
    return (line.passed[UP] - before) / QUIET_SECONDS


def counted(federation: LinedFederation, line: Line, folder: Path, numbers: dict[str, Any], **settings: Any) -> Counted:
    """Runs a job and counts what left."""
    kits = {site: federation.record.kits / site for site in SITES}
    job = small_job(folder, sites=len(SITES), **PATIENT, run_name=folder.name, **settings)
    before, start = line.passed[UP], time.monotonic()
    done = submitted(federation.lead_kit, job, folder / "out")
    passed, seconds = line.passed[UP] - before, time.monotonic() - start
    numbers["submit_to_first_task_seconds"] = first_task_seconds(kits.values(), done)
    lines = {
        site: [one for one in examine_ledger(kit).lines if one["job"] == done.job_id] for site, kit in kits.items()
    }
    arrived = answers(federation.record.server_kit / "fedaid_runs" / folder.name)
    missing = arrived - stated(lines)
    updates = [one for one in lines[FAR] if one["kind"] == "update"]
    sizes = sum(one.get("bytes", 0) for one in lines[FAR])
    return Counted(missing.total(), arrived.total(), passed, sizes, len(updates), round(seconds, 1))


def answers(run: Path) -> Counter[Answer]:
    """The answers that reached the server, by the server's own ledger."""
    lines = [line for line in ledger_of(run) if line["kind"] in (ACCEPT, REFUSE)]
    return Counter(answer(line["site"], line["phase"], line["round"]) for line in lines)


def stated(lines: Mapping[str, Iterable[EgressLine]]) -> Counter[Answer]:
    """The same by the hospitals' ledgers, whose rounds are counted from 0."""
    return Counter(
        answer(site, one["task"], one["round"] + 1)
        for site, found in lines.items()
        for one in found
        if one["kind"] in ("update", "metrics")
    )


def answer(site: str, task: str, round_number: int) -> Answer:
    """Site, task and round; a validation names the round of its model, and the server the last round: no round then."""
    return site, task, 0 if task == VALIDATE else round_number


def difference(small: Counted, large: Counted) -> dict[str, Any]:
    """What the bytes of the proxy are beyond those of the ledger; ``messages_beside`` are updates without a line.

    Solves passed = per_ledger_byte × stated + per_second × seconds for the two jobs.
    """
    table = np.array([[one.stated, one.seconds] for one in (small, large)], float)
    grown, each_second = np.linalg.solve(table, np.array([small.passed, large.passed], float))
    return {
        "per_ledger_byte": round(float(grown), 4),
        "per_second": round(float(each_second), 1),
        "difference_small": small.passed - small.stated,
        "difference_large": large.passed - large.stated,
        "messages_beside": max(0, round((float(grown) - 1) * large.updates)),
    }
