"""A job of a running federation that a series follows by its ledger."""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import IO, Any, NamedTuple

from admin.federation.federation import Federation
from admin.twin.consortium import DEMO_HOSPITALS, write_consortium
from tests.chaos.lines.line import until

Line = Mapping[str, Any]


class FollowedJob(NamedTuple):
    """A job that runs.

    Attributes:
        process: the command that follows it.
        folder: the server's run store of the run.
        said: what the command has written to standard error.
    """

    process: subprocess.Popen[str]
    folder: Path
    said: IO[str]

    def ledger(self, kind: str | None = None) -> list[Line]:
        """The lines of the ledger so far."""
        return ledger_of(self.folder, kind)

    def has(self, kind: str, **fields: object) -> bool:
        """Whether the ledger has a line of this kind with these fields."""
        return any(all(line.get(name) == value for name, value in fields.items()) for line in self.ledger(kind))

    def wait_for(self, kind: str, *, seconds: float = 600.0, **fields: object) -> float:
        """Waits for a line of the ledger, and returns the seconds that it took.

        Raises:
            RuntimeError: if the job ended before.
            TimeoutError: if it did not come.
        """

        def found() -> bool:
            if self.process.poll() is not None and not self.has(kind, **fields):
                raise RuntimeError(f"the job ended before {kind} {fields}")
            return self.has(kind, **fields)

        return until(found, seconds=seconds, what=f"{kind} {fields}")

    def end(self, *, seconds: float) -> Path:
        """Waits for the job and returns the folder of its results.

        Raises:
            RuntimeError: with the last words of the command, if the job did not complete.
            TimeoutError: if the command did not end in time.
        """
        start = time.monotonic()
        try:
            out, _ = self.process.communicate(timeout=seconds)
        except subprocess.TimeoutExpired as error:
            raise TimeoutError(f"the command did not end within {seconds:g} s") from error
        if self.process.returncode != 0:
            self.said.seek(0)
            raise RuntimeError(f"the job failed after {time.monotonic() - start:.0f} s: {self.said.read()[-500:]}")
        return Path(json.loads(out)["data"]["result"]) / "workspace" / "app_server" / "fedaid"


def ledger_of(folder: Path, kind: str | None = None) -> list[Line]:
    """The lines of a run's ledger, of one kind or all; a line that is being written is left out."""
    file = folder / "ledger.jsonl"
    lines = file.read_text().split("\n")[:-1] if file.exists() else []
    return [line for line in map(json.loads, lines) if kind in (None, line["kind"])]


@contextmanager
def followed(federation: Federation, job: Path, *, run_name: str, out: Path) -> Iterator[FollowedJob]:
    """Submits a job and follows it; the command ends with the block."""
    command = [sys.executable, "-m", "admin", "submit", str(job), "--kit", str(federation.lead_kit), "--wait"]
    command += ["--out", str(out), "--format", "json", "--timeout", "3000"]
    store = federation.record.server_kit / "fedaid_runs" / run_name
    with (
        tempfile.TemporaryFile("w+") as said,  # a pipe that nobody reads would hold the command when it is full
        subprocess.Popen(command, stdout=subprocess.PIPE, stderr=said, text=True) as process,
    ):
        try:
            yield FollowedJob(process, store, said)
        finally:
            if process.poll() is None:
                process.terminate()


def small_hospitals(folder: Path) -> list[Path]:
    """Writes three hospitals with 60, 50 and 40 studies, and returns their folders."""
    sizes = (60, 50, 40)
    hospitals = [replace(hospital, studies=size) for hospital, size in zip(DEMO_HOSPITALS, sizes, strict=True)]
    write_consortium(folder, hospitals=hospitals, image_size=64)
    return sorted(path for path in folder.iterdir() if path.is_dir())
