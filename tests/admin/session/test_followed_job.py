from __future__ import annotations

from collections.abc import Callable

import pytest

from admin.session.ending import followed_job
from admin.session.job_progress import Progress


def test_the_second_job_waits_until_the_first_has_started(monkeypatch: pytest.MonkeyPatch) -> None:
    looks = []

    class Watch:
        def __init__(self, session: object, job_id: str, *, on_progress: Callable[[Progress], None]) -> None:
            self.on_progress = on_progress

        def look(self) -> str:
            looks.append(len(looks))
            if len(looks) == 3:
                self.on_progress(Progress("align", 0, 6))
            return "RUNNING"

    monkeypatch.setattr(followed_job, "JobWatch", Watch)
    monkeypatch.setattr(followed_job, "POLL_SECONDS", 0.0)
    assert followed_job.begun(object(), "job") == "job"
    assert len(looks) == 3


def test_a_first_job_that_ends_before_it_starts_is_not_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    class Watch:
        def __init__(self, *_: object, **__: object) -> None:
            pass

        def look(self) -> str:
            return "FINISHED:ABORTED"

    monkeypatch.setattr(followed_job, "JobWatch", Watch)
    assert followed_job.begun(object(), "job") == "job"
