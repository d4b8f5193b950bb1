from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace

from nvflare.apis.event_type import EventType
from nvflare.apis.fl_context import FLContextManager
from nvflare.apis.shareable import Shareable
from nvflare.apis.signal import Signal

from fedaid.flare.software.software_report import PROPERTY
from tests.benchmarks.synthetic_site import SyntheticExecutor
from tests.flare.conftest import (
    Engine,
    Federation,
    configured,
    flares_own_way_of_arrays,  # noqa: F401 - a site sets its process up
)
from tests.integration.conftest import MODEL as TINY


def started(site: str, run: Path) -> tuple[Callable[[str, Shareable], Shareable], object]:
    """The answers of a synthetic site whose run has started, and what it reports of its software."""
    executor = SyntheticExecutor()
    engine = Engine([], {"executor": executor}, SimpleNamespace(get_run_dir=lambda job: str(run)))
    context = FLContextManager(engine=engine, identity_name=site, job_id="job").new_context()
    engine.fire_event(EventType.START_RUN, context)
    answer = lambda task, shareable: executor.execute(task, shareable, context, Signal())  # noqa: E731
    return answer, context.get_all_public_props().get(PROPERTY)


def test_the_server_accepts_what_a_synthetic_site_reports_and_answers(tmp_path: Path) -> None:
    sites = {site: started(site, tmp_path) for site in ("site-0", "site-1")}
    answers = {site: answer for site, (answer, _) in sites.items()}
    (tmp_path / "app").mkdir()
    server = Federation(tmp_path / "app", configured(TINY), answers, num_rounds=1, loss_baseline="none")
    server.communicator.reports = {site: report for site, (_, report) in sites.items()}
    server.run()
    assert server.engine.panics == []
    history = json.loads((server.store / "results.json").read_text())["history"]
    assert [one["refused"] for one in history] == [{}], history
    assert {site for _, site in server.communicator.asked} == set(sites)
