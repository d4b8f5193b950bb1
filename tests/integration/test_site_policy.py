"""Two hospitals with policies of their own in a provisioned federation; the job brings a policy of its own in vain."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import pytest
import yaml

from admin.federation.provision import ProvisionedFederation
from admin.federation.record import Record
from admin.site.policy.examined_ledger import ExaminedLedger, examine_ledger
from admin.site.policy.installed_policy import install
from hospital_policy.rules import Rules
from tests.deploy.damaged_ledgers import undetected
from tests.deploy.egress import answers, stated
from tests.integration.conftest import small_job

pytestmark = pytest.mark.slow
PROJECT = Path(__file__).parents[2] / "admin" / "project.yml"
FILTERS = "nvflare.app_common.filters"
STOCK = [
    {"path": f"{FILTERS}.exclude_vars.ExcludeVars", "args": {"exclude_vars": "text.encoder.embeddings"}},
    {"path": f"{FILTERS}.percentile_privacy.PercentilePrivacy"},
]
SVT = [{"path": f"{FILTERS}.svt_privacy.SVTPrivacy"}]
CLIP = 0.1


class WithPolicies(ProvisionedFederation):
    """The first site has FLARE's filters before its policy, the second one SVT."""

    def make_kits(self) -> Record:
        record = super().make_kits()
        for site, filters in zip(self.sites, (STOCK, SVT), strict=True):
            scopes = [{"name": "own", "task_result_filters": filters}]
            privacy = {"scopes": scopes, "default_scope": "own"}
            (record.kits / site / "local" / "privacy.json").write_text(json.dumps(privacy))
            install(record.kits / site, Rules(clip=CLIP, statistics_clip=1.0))
        return record


class Run(NamedTuple):
    """The results of one round, the ledgers of the two sites by kit, and the server's run store of the run."""

    results: dict[str, Any]
    ledgers: dict[Path, ExaminedLedger]
    store: Path


@pytest.fixture(scope="module")
def run(consortium: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Run]:
    folder = tmp_path_factory.mktemp("policy")
    content = yaml.safe_load(PROJECT.read_text())
    clients = [person for person in content["participants"] if person["type"] == "client"]
    content["participants"] = [person for person in content["participants"] if person not in clients[2:]]
    project = folder / "project.yml"
    project.write_text(yaml.safe_dump(content))
    sites = [person["name"] for person in clients[:2]]
    roots = dict(zip(sites, sorted(consortium.iterdir()), strict=False))
    job = small_job(folder / "jobs", sites=2, num_rounds=1, wire_dtype="bf16")
    own = next(job.rglob("custom")) / "hospital_policy"
    own.mkdir()
    (own / "__init__.py").write_text("raise RuntimeError('code of the job instead of the hospital')\n")
    with WithPolicies(folder / "federation", project, data_roots=roots) as federation:
        command = [sys.executable, "-m", "admin", "submit", str(job), "--kit", str(federation.lead_kit), "--wait"]
        command += ["--out", str(folder / "out"), "--format", "json", "--timeout", "400"]
        done = subprocess.run(command, capture_output=True, text=True, timeout=450)
        assert done.returncode == 0, done.stderr
        result = Path(json.loads(done.stdout)["data"]["result"])
        results = json.loads(next(result.rglob("results.json")).read_text())
        kits = [federation.record.kits / site for site in sites]
        (store,) = (federation.record.server_kit / "fedaid_runs").iterdir()
        yield Run(results, {kit: examine_ledger(kit) for kit in kits}, store)


def test_the_run_is_complete_and_no_update_is_above_the_clip(run: Run) -> None:
    results = run.results
    (entry,) = results["history"]
    assert entry["refused"] == {}
    norms = [norm for phase in ("align", "pretrain") for norm in entry["norms"][phase].values()]
    assert len(norms) == 4
    assert max(norms) <= CLIP * 1.01  # bf16 rounds
    assert results["best"] or results["last"]


def test_every_byte_of_an_update_that_the_server_counted_is_in_a_ledger(run: Run) -> None:
    ledgers = run.ledgers.values()
    assert [ledger.problems for ledger in ledgers] == [[], []]
    for task in ("align", "pretrain"):
        lines = [line for ledger in ledgers for line in ledger.lines if line["task"] == task]
        assert [line["kind"] for line in lines] == ["update"] * 2
        assert sum(line["bytes"] for line in lines) == run.results["bytes"]["0"][task]["up"]
    assert {line["kind"] for ledger in ledgers for line in ledger.lines} == {"update", "metrics"}
    assert all(line["job"] for ledger in ledgers for line in ledger.lines)


def test_every_answer_that_reached_the_server_is_in_the_ledger_of_its_hospital(run: Run) -> None:
    arrived = answers(run.store)
    assert arrived.total() == 8  # two updates, and the metrics of two models, of two sites
    assert arrived == stated({kit.name: ledger.lines for kit, ledger in run.ledgers.items()})


def test_every_damage_of_these_ledgers_is_found(run: Run, tmp_path: Path) -> None:
    for kit in run.ledgers:
        tried, silent = undetected(kit, tmp_path / kit.name)
        assert silent == []
        assert tried > 20
