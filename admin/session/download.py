"""Download a finished job's result."""

from __future__ import annotations

import sys
import time
from contextlib import redirect_stdout
from pathlib import Path

from nvflare.fuel.flare_api.api_spec import JobNotDone
from nvflare.fuel.flare_api.flare_api import Session

from fedaid.errors import require

RETRY_SECONDS = 15.0
PAUSE_SECONDS = 0.5


def download(session: Session, job_id: str, out: Path, *, patience: float = RETRY_SECONDS) -> Path:
    """Download the result and return ``<out>/<job_id>``; its ``workspace/`` has the run folder, models and logs.

    For a moment after a job has finished the server still answers that it runs. The download is then tried again.

    Args:
        session: logged in as the submitter or the project admin.
        job_id: a finished job.
        out: the folder that receives the result.
        patience: seconds for which a refused download is repeated.

    Raises:
        InputError: the result has been downloaded already.
        JobNotDone: the job is still running.
        RuntimeError: the server sent no workspace.
    """
    target = out.resolve() / job_id
    remedy = "Choose another --out, or remove it."
    require(not target.exists(), "out", "not hold this result yet", got="a folder", where=str(target), remedy=remedy)
    deadline = time.monotonic() + patience
    while True:
        try:
            with redirect_stdout(sys.stderr):  # stdout may carry the JSON envelope
                found = Path(session.download_job_result(job_id, str(out.resolve())))
            break
        except JobNotDone:
            if time.monotonic() > deadline:
                raise
            time.sleep(PAUSE_SECONDS)
    if not (found / "workspace").is_dir():
        raise RuntimeError(f"the server sent no workspace for job {job_id}: see {found}")
    return found
