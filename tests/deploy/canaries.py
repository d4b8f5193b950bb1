"""Names in a hospital's data, paths and filters: none may be in any byte at the server, the admin or the lead."""

from __future__ import annotations

import zipfile
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from admin.federation.federation import Federation
from admin.federation.provision import ProvisionedFederation
from admin.federation.record import Record
from admin.jobs.package import package_job
from admin.results.run_results import read_results
from admin.site.policy.examined_ledger import Line, examine_ledger
from admin.site.policy.installed_policy import install
from hospital_policy.rules import Rules
from hospital_policy.site_record import FOLDER as RECORDS
from tests.catalogue.canaries import Hit, scan, scan_bytes
from tests.chaos.lines.lined_federation import PROJECT, SITES
from tests.chaos.sites.private_exceptions import (
    BUILT,
    PLACES,
    ROWS,
    hits_at_the_server,
    spoil_manifest,
    told,
    write_own_code,
)
from tests.deploy.deployed import Deployed
from tests.deploy.modes import environment
from tests.deploy.planted_hospital import FOLDER, PLANTED, plant
from tests.deploy.submitted_job import PATIENT, followed_to_the_end, named_hospitals
from tests.integration.conftest import small_job

CANARY = tuple(dict.fromkeys((*PLANTED, *PLACES.values(), BUILT, *ROWS)))
FEW = 2  # studies, as the test splits of the small hospitals
RULES = Rules(min_studies=FEW, clip=10.0)
STRICT = Rules(min_studies=50)
EVALUATION = {"min_clients": 2, "batch_size": 8, "valid_batch_size": 4, "threads": 1, "draws": 200, "probe_draws": 1}
EVALUATION |= {"least_patients": FEW}
SITE = SITES[0]  # has the names in its data, and code of its own


class WithPolicy(ProvisionedFederation):
    """Every hospital has a policy."""

    def make_kits(self) -> Record:
        """Writes new kits with the policy in them."""
        record = super().make_kits()
        for site in self.sites:
            install(record.kits / site, RULES)
        return record


@dataclass
class Runs:
    """The jobs of the series.

    Attributes:
        federation: that runs.
        folder: of jobs and downloads.
        printed: all that the lead has read.
        failures: what did not end as expected, in words.
        seen: job → lines of the site's egress ledger.
    """

    federation: ProvisionedFederation
    folder: Path
    printed: str = ""
    failures: list[str] = field(default_factory=list)
    seen: dict[str, list[Line]] = field(default_factory=dict)

    @property
    def kit(self) -> Path:
        """Of the site with the names."""
        return self.federation.record.kits / SITE

    def run(self, name: str, job: Path, *, completes: bool | None) -> None:
        """Runs a job; ``completes`` is what must happen, None for either."""
        before = len(self.ledger())
        done = followed_to_the_end(self.federation.lead_kit, job, self.folder / "out" / name)
        self.printed += done.stdout + done.stderr
        self.seen[name] = self.ledger()[before:]
        print(f"{name}: {done.returncode}, {kinds(self.seen[name])} {done.stderr[-200:]}", flush=True)
        if completes is not None and (done.returncode == 0) is not completes:
            self.failures.append(f"{name}: ended with {done.returncode}: {done.stderr[-300:]}")

    def ledger(self) -> list[Line]:
        """The lines of the site's egress ledger; none before the first answer."""
        return [*examine_ledger(self.kit).lines] if (self.kit / RECORDS).exists() else []

    def job(self, name: str, *, sites: int = 2, **settings: Any) -> Path:
        """A job of training."""
        return small_job(self.folder / "jobs" / name, sites=sites, **PATIENT, run_name=name, **settings)

    def expect(self, name: str, kind: str) -> None:
        """Notes it if the ledger has no line of this kind for a job."""
        if kind not in kinds(self.seen[name]):
            self.failures.append(f"{name}: the egress ledger has no line of kind {kind}: {kinds(self.seen[name])}")


def kinds(lines: list[Line]) -> dict[str, int]:
    """How many lines of each kind."""
    found = [str(line["kind"]) for line in lines]
    return {kind: found.count(kind) for kind in sorted({*found})}


def canaries(folder: Path) -> Deployed:
    """Six jobs: training, two evaluations, code of a site that fails in two ways, data that cannot be read."""
    (folder / FOLDER).mkdir()
    roots = named_hospitals(folder / FOLDER)
    plant(roots[SITE].resolve())
    with (
        environment(FEDAID_LEAST_PATIENTS=str(FEW)),
        WithPolicy(folder / "federation", PROJECT, data_roots=roots) as federation,
    ):
        runs = Runs(federation, folder)
        train_and_evaluate(runs)
        happened = {*fail_in_own_code(runs), *(hit.canary for hit in scan(roots[SITE].resolve().parent, PLANTED))}
        spoil_manifest(roots[SITE])
        runs.run("unreadable data", runs.job("unreadable", sites=3), completes=False)
        hits = [
            *hits_at_the_server(federation, CANARY, folder / "out"),
            *zipped_hits(federation, CANARY, folder / "out"),
        ]
    hits += scan_bytes(runs.printed.encode(), CANARY, where="printed for the lead")
    failures = [*runs.failures, *(f"{name} was nowhere" for name in CANARY if name not in happened | {FOLDER, *ROWS})]
    return Deployed(
        place="provisioned with TLS, a policy at each of three sites",
        canary_hits=len(hits),
        failures=(*failures, *sorted({f"{hit.canary} in {hit.where}" for hit in hits})),
        details={"planted": len(CANARY), "ledger_lines": {name: kinds(lines) for name, lines in runs.seen.items()}},
    )


def train_and_evaluate(runs: Runs) -> None:
    """A good run, its evaluation, and the same evaluation when the site's policy asks for more patients."""
    runs.run("training", runs.job("training", sites=3), completes=True)
    runs.expect("training", "update")
    if runs.failures:
        return
    trained = next((runs.folder / "out" / "training").glob("*/workspace"))
    job = package_job(
        "evaluate_global",
        out=runs.folder / "jobs",
        model=read_results(trained).model,
        sites=[*SITES],
        settings=EVALUATION,
    )
    runs.run("evaluation", job, completes=True)
    runs.expect("evaluation", "metrics")
    install(runs.kit, STRICT)
    runs.run("evaluation of too few", job, completes=None)
    runs.expect("evaluation of too few", "error")
    if "metrics" in kinds(runs.seen["evaluation of too few"]):
        runs.failures.append("metrics of too few patients have left")
    install(runs.kit, RULES)


def fail_in_own_code(runs: Runs) -> set[str]:
    """Exceptions in the site's filters and components, and a filter that cannot be built; returns the names in them."""
    local = runs.kit / "local"
    write_own_code(local, places=PLACES)
    install(runs.kit, RULES)
    runs.run("own code fails", runs.job("own", num_rounds=4), completes=None)
    happened = told(local)
    write_own_code(local, places={}, fails=BUILT)
    install(runs.kit, RULES)
    runs.run("own filter is not built", runs.job("built", num_rounds=1), completes=None)
    happened |= told(local)
    write_own_code(local, places={})
    install(runs.kit, RULES)
    return happened


def zipped_hits(federation: Federation, canaries: Iterable[str], *further: Path) -> Iterator[Hit]:
    """The names in what lies compressed at the server and the lead: stored jobs and workspaces."""
    record, searched = federation.record, tuple(canaries)
    kits = (record.server_kit, record.lead_kit, record.admin_kit)
    for place in (*kits, federation.workspace / "server_storage", *further):
        for file in place.rglob("*"):
            if file.is_file() and zipfile.is_zipfile(file):
                yield from members(file, searched)


def members(file: Path, canaries: Sequence[str]) -> Iterator[Hit]:
    """The names in the members of one zip file."""
    with zipfile.ZipFile(file) as packed:
        for name in packed.namelist():
            where = f"{name} in {file.name}"
            yield from scan_bytes(name.encode(), canaries, where=f"name of {where}")
            yield from scan_bytes(packed.read(name), canaries, where=where)
