"""Answers of a site that the server cannot decode, and requests that would end the job: each costs only its sender."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

from admin.federation.kit_settings import write_json
from admin.federation.poc import PocFederation
from tests.chaos.followed_job import FollowedJob, followed, small_hospitals
from tests.chaos.outcome import Outcome
from tests.chaos.sites import hostile_site
from tests.integration.conftest import small_job

Plan = list[tuple[str, str, str, bool]]  # phase, part, fault, whether it evades our last check at the site
PHASES, PARTS = ("align", "pretrain"), ("data", "meta")
HARMLESS = ("a text of 100 MB", "meta")  # nobody reads it, so the update may be accepted
REQUEST = hostile_site.REQUEST  # it is refused; the answer that follows is honest
ENDS_THE_SITE = ("a set", "a function", "a lambda", "10,000 levels")  # FLARE's encoder at the site fails
SECONDS = 1800.0


class HostilePoc(PocFederation):
    """A POC whose last site has a privacy policy with :mod:`tests.chaos.sites.hostile_site`."""

    def __init__(self, folder: Path) -> None:
        roots = {path.name: path for path in small_hospitals(folder / "consortium")}
        super().__init__(folder / "poc", list(roots), data_roots=roots)
        self.hostile = self.sites[-1]

    @property
    def local(self) -> Path:
        """The folder of the hostile site's own settings."""
        return self.record.kits / self.hostile / "local"

    def start(self) -> HostilePoc:
        """Starts the POC; the site's policy is read when a job starts."""
        super().start()
        (self.local / "custom").mkdir(exist_ok=True)
        shutil.copy(hostile_site.__file__, self.local / "custom" / "own_filter.py")
        spoiler = {"path": "own_filter.Spoiler", "args": {}}
        scope = {"name": "own", "task_result_filters": [spoiler]}
        write_json(self.local / "privacy.json", {"scopes": [scope], "default_scope": "own"})
        return self


def plans() -> dict[str, Plan]:
    """Run name → what the site does in each round. A fault after which the site's process ends is the last of a run."""
    mild = [fault for fault in hostile_site.FAULTS if fault not in ENDS_THE_SITE]
    seen = [(fault, False) for fault in hostile_site.FAULTS] + [(fault, True) for fault in mild]
    first = [(PHASES[n % 2], PARTS[n // 2 % 2], *one) for n, one in enumerate(seen)]
    last = {f"ends{n}": [(PHASES[n % 2], PARTS[n // 2], fault, True)] for n, fault in enumerate(ENDS_THE_SITE)}
    asked = [(PHASES[n % 2], REQUEST, request, False) for n, request in enumerate(hostile_site.REQUESTS)]
    return {"refused": first, **last, "asked": [*asked, (PHASES[1], REQUEST, hostile_site.PANIC, False)]}


def hostile_messages(folder: Path) -> Outcome:
    """Each fault in one round; the job must commit every round, and name the hostile site in it and no other."""
    survived = injected = 0
    failures: list[str] = []
    with HostilePoc(folder) as federation:
        for name, plan in plans().items():
            write_json(
                federation.local / "hostile.json",
                {str(n): one for n, one in enumerate(plan)} | {"victim": federation.sites[0]},
            )
            rounds = len(plan) + (1 if name != "refused" else 0)  # one more without the site whose process has ended
            settings = {"num_rounds": rounds, "wait_time_after_min_received": 20, "run_name": name}
            job = small_job(folder / "jobs" / name, sites=2, **settings)
            with followed(federation, job, run_name=name, out=folder / "out") as running:
                try:
                    running.end(seconds=SECONDS)
                except RuntimeError as error:
                    failures.append(f"{name}: {error}")
                bad = faults_of(running, plan, hostile=federation.hostile, done=federation.local)
            injected += len(plan)
            survived += len(plan) - len(bad)
            failures += bad
    return Outcome(
        place="POC",
        injected=injected,
        survived=survived,
        mutations=injected,
        right_culprit=survived,
        rounds_lost=0,
        failures=tuple(failures),
    )


def faults_of(job: FollowedJob, plan: Plan, *, hostile: str, done: Path) -> list[str]:
    """The rounds that did not end as they must: committed with the two others, the hostile site refused or silent."""
    failures: list[str] = []
    for number, (phase, part, fault, evades) in enumerate(plan):
        about = {"phase": phase, "round": number + 1}
        where = f"{fault} in {part} of {phase}{', after the last check' if evades else ''}"
        closed = [line["inputs"] for line in job.ledger("close") if about.items() <= line.items()]
        blamed = {line["site"] for line in job.ledger("refuse") if about.items() <= line.items()}
        if not (done / f"did-{number}.txt").exists():
            failures.append(f"{where}: was not injected")
        elif not job.has("commit", round=number + 1):
            failures.append(f"{where}: the round was not committed")
        elif len(closed) != 1 or not sound_inputs(closed[0], fault=fault, part=part, hostile=hostile):
            failures.append(f"{where}: the phase ended with {json.dumps(closed)}")
        elif blamed - {hostile}:
            failures.append(f"{where}: {blamed} were refused")
        (done / f"did-{number}.txt").unlink(missing_ok=True)
    return failures


def sound_inputs(inputs: list[str], *, fault: str, part: str, hostile: str) -> bool:
    """Whether a phase ended with the answers that it must: without the hostile site, unless it also sent a good one."""
    if (fault, part) == HARMLESS:
        return True
    good = part == REQUEST and fault != hostile_site.PANIC
    return len(inputs) == (3 if good else 2) and (hostile in inputs) == good
