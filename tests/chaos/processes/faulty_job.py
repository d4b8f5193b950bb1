"""A small job whose processes can be killed at a marked instant, as a person would package one with own components."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

from tests.integration.conftest import small_job

FAULT = Path(__file__).with_name("fault.py")
MODULE = "chaos_fault"
SETTINGS: dict[str, Any] = {
    "num_rounds": 3,
    "pretrain_steps": 30,
    "wire_dtype": "int8",
    "report_student_loss": True,
    "loss_baseline": "student",
    "server_optimizer": "adam",
    "server_learning_rate": 0.01,
}
"""What a continued run must have kept on both sides: rounded updates, the sites' own losses, moments at the server."""


def faulty_job(out: Path, run: str, *, sites: int, changes: dict[str, Any] | None = None, **fault: Any) -> Path:
    """A packaged job of a run; ``fault`` are arguments of ``Fault``, ``changes`` of the job."""
    job = small_job(out / run, sites=sites, run_name=run, **SETTINGS | (changes or {}))
    shutil.copyfile(FAULT, job / "app" / "custom" / f"{MODULE}.py")
    folder = out / run / "fault"
    folder.mkdir()
    for file, at_server in (("config_fed_server.json", True), ("config_fed_client.json", False)):
        path = job / "app" / "config" / file
        config = json.loads(path.read_text())
        args = {"folder": str(folder), "at_server": at_server, **fault}
        config["components"].append({"id": "fault", "path": f"{MODULE}.Fault", "args": args})
        path.write_text(json.dumps(config, indent=1))
    return job
