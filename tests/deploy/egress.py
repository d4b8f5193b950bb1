"""Every update that left a hospital is in its egress ledger: by the server's own, and by a proxy that sees messages."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, NamedTuple

from admin.federation.federation import free_port
from admin.federation.provision import ProvisionedFederation
from admin.federation.record import Record
from admin.site.policy.examined_ledger import Line as EgressLine
from admin.site.policy.examined_ledger import examine_ledger
from admin.site.policy.installed_policy import install
from fedaid.flare.store.run_ledger import ACCEPT, REFUSE
from fedaid.flare.wire.tasks import VALIDATE
from hospital_policy.rules import Rules
from tests.chaos.followed_job import ledger_of
from tests.chaos.lines.lined_federation import FAR, PROJECT, SITES, point_to
from tests.deploy.damaged_ledgers import undetected
from tests.deploy.deployed import Deployed
from tests.deploy.message_line import MessageLine
from tests.deploy.submitted_job import PATIENT, connect_seconds, first_task_seconds, named_hospitals, submitted
from tests.deploy.traffic import too_large, unaccounted
from tests.integration.conftest import small_job

Answer = tuple[str, str, int]
RELEASED = ("update", "metrics")
RULES = Rules(min_studies=2, clip=10.0)
LARGE = {"embedding_dim": 128, "projection_hidden": 512}  # settings of a model whose updates are much larger
REMARKS = (
    "the proxy has the keys of server and site, and so sees each message",
    "unaccounted_small and unaccounted_large: bytes in large streams beyond the ledger and what FLARE puts around "
    "tensors; negative is room, and a payload of that size divided by the number of lines would be missed",
)


class LedgeredFederation(ProvisionedFederation):
    """Every hospital has a policy, and thus a ledger; one of them is behind the proxy.

    Args:
        workspace: an empty folder.
        roots: data folder of each hospital.
        line: leads to the server's port.
        port: the server's.
    """

    def __init__(self, workspace: Path, roots: dict[str, Path], line: MessageLine, *, port: int) -> None:
        super().__init__(workspace, PROJECT, data_roots=roots, port=port)
        self.line = line

    def make_kits(self) -> Record:
        """Writes new kits with the policy in them, one of them with the port of the proxy."""
        record = super().make_kits()
        for site in self.sites:
            install(record.kits / site, RULES)
        self.line.open(record.server_kit, record.kits / FAR)
        point_to(record.kits / FAR, self.line.port)
        return record


class Counted(NamedTuple):
    """One job.

    Attributes:
        missing: answers with an update or metrics that reached the server and are in no ledger.
        answers: all such answers.
        messages: that the proxy saw from :data:`~tests.chaos.lines.lined_federation.FAR`.
        passed: bytes in them, without headers.
        stated: bytes by its ledger.
        lines: of its ledger, with an update or metrics.
        unaccounted: bytes in large streams that no line accounts for; negative if the lines leave room.
        too_large: kinds of messages that are larger than FLARE's own.
    """

    missing: int
    answers: int
    messages: int
    passed: int
    stated: int
    lines: int
    unaccounted: int
    too_large: tuple[str, ...]

    def faults(self, name: str) -> list[str]:
        """What left beside the ledger, in words."""
        beside = [f"{name}: {self.unaccounted} bytes in streams that no line accounts for"]
        return [*(beside if self.unaccounted > 0 else []), *(f"{name}: {one}" for one in self.too_large)]


def ledger(folder: Path) -> Deployed:
    """Two jobs with models of different size; then all ledgers are damaged."""
    roots, port = named_hospitals(folder), free_port()
    numbers: dict[str, Any] = {}
    with MessageLine(port) as line, LedgeredFederation(folder / "federation", roots, line, port=port) as federation:
        numbers["connect_seconds"] = connect_seconds(federation)
        small = counted(federation, line, folder / "small", numbers)
        large = counted(federation, line, folder / "large", numbers, **LARGE)
        kits = [federation.record.kits / site for site in SITES]
        problems = [problem for kit in kits for problem in examine_ledger(kit).problems]
        tried = [undetected(kit, folder) for kit in kits]
    beside = [*small.faults("small"), *large.faults("large")]
    silent = [name for _, names in tried for name in names]
    return Deployed(
        place="provisioned with TLS, a proxy in front of the server",
        ledger_missing=small.missing + large.missing + len(beside),
        ledgers_damaged=sum(count for count, _ in tried),
        ledgers_found=sum(count for count, _ in tried) - len(silent),
        failures=(*problems, *beside, *(f"not found: {name}" for name in silent)),
        remarks=REMARKS,
        details={"small": small._asdict(), "large": large._asdict()},
        **numbers,
    )


def counted(
    federation: LedgeredFederation, line: MessageLine, folder: Path, numbers: dict[str, Any], **settings: Any
) -> Counted:
    """Runs a job and counts what left."""
    kits = {site: federation.record.kits / site for site in SITES}
    job = small_job(folder, sites=len(SITES), **PATIENT, run_name=folder.name, **settings)
    before = len(line.passed)
    done = submitted(federation.lead_kit, job, folder / "out")
    messages = line.passed[before:]
    numbers["submit_to_first_task_seconds"] = first_task_seconds(kits.values(), done)
    lines = {
        site: [one for one in examine_ledger(kit).lines if one["job"] == done.job_id] for site, kit in kits.items()
    }
    arrived = answers(federation.record.server_kit / "fedaid_runs" / folder.name)
    released = [one for one in lines[FAR] if one["kind"] in RELEASED]
    return Counted(
        missing=(arrived - stated(lines)).total(),
        answers=arrived.total(),
        messages=len(messages),
        passed=sum(one.content for one in messages),
        stated=sum(one["bytes"] for one in released),
        lines=len(released),
        unaccounted=unaccounted(messages, released),
        too_large=tuple(too_large(messages)),
    )


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
        if one["kind"] in RELEASED
    )


def answer(site: str, task: str, round_number: int) -> Answer:
    """Site, task and round; a validation names the round of its model, and the server the last round: no round then."""
    return site, task, 0 if task == VALIDATE else round_number
