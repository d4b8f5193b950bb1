"""A class that sites without code would refuse is named to the lead before the job is submitted."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

from admin.jobs.code_wheel import unlisted_classes
from admin.jobs.package import JOBS

CONFIG = Path("app/config/config_fed_client.json")


def test_only_a_class_that_no_job_of_ours_names_is_told_and_only_for_a_job_without_code(tmp_path: Path) -> None:
    job = tmp_path / "job"
    shutil.copytree(JOBS / "fedaid_pretrain", job)
    assert unlisted_classes(job) == []
    content = json.loads((job / CONFIG).read_text())
    content["components"].append({"id": "other", "path": "fedaid.flare.store.run_lock.RunLock", "args": {}})
    (job / CONFIG).write_text(json.dumps(content))
    (warning,) = unlisted_classes(job)
    assert warning.startswith(
        "class fedaid.flare.store.run_lock.RunLock in config_fed_client.json is in no job of jobs/"
    )
    (job / "app" / "custom").mkdir()
    assert unlisted_classes(job) == []
