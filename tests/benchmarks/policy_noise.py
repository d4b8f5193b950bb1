"""What the noise of a hospital's policy does to a model: real runs in a federation of three sites with the policy."""

from __future__ import annotations

import argparse
import json
from collections.abc import Sequence
from pathlib import Path
from statistics import mean
from typing import Any

from admin.federation.poc import PocFederation
from admin.federation.record import Record
from admin.jobs.package import package_job
from admin.results.run_results import read_results
from admin.session.download import download
from admin.session.follow import COMPLETED, monitor
from admin.session.login import admin_session
from admin.session.submit import submit
from admin.site.policy.examined_ledger import examine_ledger
from admin.site.policy.installed_policy import install
from hospital_policy.accountant import epsilon_of
from hospital_policy.rules import WITHHOLD, Rules
from tests.benchmarks.simulated_run import prepare_sites, write_sites

STUDIES, ROUNDS, LONGEST = 240, 6, 1800.0
NO_LIMIT = 1e6  # of ε: the run is to end, whatever it costs
# No batch norm: with noise the policy withholds its running statistics.
MODEL: dict[str, Any] = {
    "image_encoder": {"name": "vit", "hidden_size": 32, "intermediate_size": 64, "num_hidden_layers": 2,
                      "num_attention_heads": 2, "patch_size": 8},
    "text_encoder": {"name": "bert", "hidden_size": 32, "intermediate_size": 64, "num_attention_heads": 2},
    "image_size": 32,
    "embedding_dim": 16,
    "projection_hidden": 32,
    "max_tokens": 48,
}  # fmt: skip
TRAINING: dict[str, Any] = {
    "batch_size": 16, "valid_batch_size": 16, "align_steps": 6, "pretrain_steps": 24, "warmup_steps": 2,
    "learning_rate": 2e-3, "threads": 1, "min_clients": 3, "num_rounds": ROUNDS, "task_timeout": 600,
}  # fmt: skip


class WithPolicy(PocFederation):
    """Every site has the same policy; None for no policy."""

    rules: Rules | None = None

    def make_kits(self) -> Record:
        record = super().make_kits()
        for site in self.sites if self.rules else ():
            install(record.kits / site, self.rules)
        return record


def rules_of(clip: float | None, noise: float) -> Rules | None:
    if clip is None:
        return None
    return Rules(clip=clip, noise=noise, epsilon=NO_LIMIT, statistics=WITHHOLD) if noise else Rules(clip=clip)


def level(folder: Path, data: Path, *, clip: float | None, noise: float, seeds: Sequence[int]) -> dict[str, Any]:
    """One run for each seed: mean valid loss and recall at 5 (test, percent) over sites, largest norm, smallest factor.

    ε is that of one site after one run, all its updates together, at δ = 1e-5.
    """
    sites = sorted(path.name for path in data.iterdir())
    found: dict[str, Any] = {"clip": clip, "noise": noise, "seeds": list(seeds), "runs": []}
    ledgers = []
    for seed in seeds:  # each with kits of its own: the budget of a kit adds up over jobs
        at = folder / f"seed-{seed}"
        federation = WithPolicy(at / "poc", sites, data_roots={site: data / site for site in sites})
        federation.rules = rules_of(clip, noise)
        job = package_job("fedaid_pretrain", out=at / "job", settings=MODEL | TRAINING | seeds_of(seed))
        with federation, admin_session(federation.lead_kit, timeout=90) as session:
            job_id = submit(session, job)
            status = monitor(session, job_id, on_progress=lambda progress: None, timeout=LONGEST)
            run = download(session, job_id, at / "out") / "workspace"
        if status != COMPLETED:
            raise RuntimeError(f"job {job_id} ended as {status}: see {run}")
        found["runs"].append(measured(run))
        ledgers += [examine_ledger(federation.record.kits / site) for site in sites] if clip else []
    lines = [line for ledger in ledgers for line in ledger.lines if line["kind"] == "update"]
    found["smallest_clip_factor"] = min((line["factor"] for line in lines), default=1.0)
    found["updates_of_a_site_in_a_run"] = len(lines) // (len(sites) * len(seeds)) if lines else 2 * ROUNDS
    releases = {noise: found["updates_of_a_site_in_a_run"]} if noise else {}
    found["epsilon"] = epsilon_of(releases, 1e-5) if noise else None
    return found


def seeds_of(seed: int) -> dict[str, int]:
    return {"persistor.model.seed": seed, "executor.seed": seed}


def measured(run: Path) -> dict[str, Any]:
    results = read_results(run)
    raw = json.loads((run / "app_server" / "fedaid" / "results.json").read_text())
    first = mean(site["loss"] for site in raw["history"][0]["valid"].values())
    last = mean(site["valid"]["loss"] for site in raw["last"].values())
    recall = mean(site["test"]["recall_at_5"] for site in raw["last"].values())
    norms = [norm for entry in raw["history"] for phase in entry["norms"].values() for norm in phase.values()]
    return {
        "first_valid_loss": first,
        "last_valid_loss": last,
        "last_test_recall_at_5": 100 * recall,
        "best_test_recall_at_5": 100 * mean(results.tested("recall_at_5")),
        "norms": [min(norms), max(norms)],
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--folder", type=Path, required=True, help="empty; about 1 GB")
    parser.add_argument("--clip", type=float, default=4.0)
    parser.add_argument("--noise", type=float, nargs="+", default=[0.0, 0.003, 0.01, 0.8])
    parser.add_argument("--seeds", type=int, nargs="+", default=[0, 1])
    parser.add_argument("--out", type=Path, default=Path("build/bench/noise.json"))
    given = parser.parse_args()
    data = given.folder / "data"
    if not data.exists():
        write_sites(data, 3, studies=STUDIES)
        prepare_sites(data, image_size=MODEL["image_size"])
    levels = json.loads(given.out.read_text())["levels"] if given.out.exists() else []
    for clip, noise in [(None, 0.0), *((given.clip, noise) for noise in given.noise)]:
        if any((one["clip"], one["noise"]) == (clip, noise) for one in levels):
            continue
        at = given.folder / f"clip-{clip}-noise-{noise}"
        levels.append(level(at, data, clip=clip, noise=noise, seeds=given.seeds))
        given.out.parent.mkdir(parents=True, exist_ok=True)
        given.out.write_text(json.dumps({"levels": levels}, indent=2))
        print(json.dumps(levels[-1]), flush=True)


if __name__ == "__main__":
    main()
