"""The three jobs of the demo: every hospital alone, all together, and every model at every hospital."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from admin.federation.federation import Federation
from admin.jobs.package import package_job
from admin.jobs.settings import values_by_name
from admin.results.run_results import RunResults, read_results
from admin.session.display.progress_display import ProgressDisplay
from admin.session.ending.followed_job import begun, finished
from admin.session.login import admin_session
from admin.session.submit import submit

SETTINGS: Mapping[str, Any] = {"threads": 1, "batch_size": 16}
PRETRAIN_STEPS = 30


class Trained(NamedTuple):
    """The results of the run of all together, and the run folder of the evaluation."""

    results: RunResults
    evaluation: Path


class TrainingJobs(NamedTuple):
    """The two packaged jobs that train, at equal compute."""

    together: Path
    alone: Path


def training_jobs(out: Path, *, rounds: int, sites: int, image_size: int) -> TrainingJobs:
    """Package the jobs that train; a hospital alone takes as many steps as all together do in both phases."""
    common = {**SETTINGS, "num_rounds": rounds, "min_clients": sites, "image_size": image_size}
    together = package_job("fedaid_pretrain", out=out, settings=common | {"pretrain_steps": PRETRAIN_STEPS})
    steps = values_by_name(together)["align_steps"] + PRETRAIN_STEPS
    return TrainingJobs(together, package_job("local_pretrain", out=out, settings=common | {"pretrain_steps": steps}))


def train(federation: Federation, jobs: TrainingJobs, folder: Path, *, say: Callable[[str], None]) -> Trained:
    """Run both jobs that train beside each other, and then the evaluation of their models.

    The two share the machine: while one waits for its slowest site or ends, the other works. The second starts when
    the first has started, since FLARE gives a starting server's process one minute.

    Args:
        federation: is running.
        jobs: to train.
        folder: gets the job of the evaluation below ``jobs``, and what is downloaded below ``download``.
        say: gets a line when the evaluation starts.

    Raises:
        RuntimeError: a job failed.
    """
    with admin_session(federation.admin_kit) as session:
        with ProgressDisplay() as display:
            together = begun(session, submit(session, jobs.together))
            alone = submit(session, jobs.alone)
            results = read_results(finished(session, together, folder / "download", watch=display.show))
        finished(session, alone, folder / "download")
        say("[bold]4[/bold] Every model at every hospital")
        evaluate = evaluation_job(folder / "jobs", model=results.model, sites=federation.sites)
        with ProgressDisplay() as display:
            evaluation = finished(session, submit(session, evaluate), folder / "download", watch=display.show)
    return Trained(results, evaluation)


def evaluation_job(out: Path, *, model: Path, sites: Sequence[str]) -> Path:
    """Package the job that evaluates the shared model and every hospital's own at every hospital."""
    settings = {"min_clients": len(sites)}
    return package_job("evaluate_global", out=out, model=model, sites=list(sites), settings=settings)
