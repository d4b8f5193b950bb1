"""Run a command of FLARE without touching the user's settings."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

from admin.federation.kit_process import kit_environment

SECONDS = 120.0
PRIVATE = 0o077  # what it writes holds keys, so nobody else on the machine may read it


def run_nvflare(arguments: Sequence[str], *, home: Path, extra: Mapping[str, str] | None = None) -> str:
    """Run ``nvflare`` with these arguments and with ``home`` as HOME, because it writes to ``~/.nvflare``.

    Returns its last lines, because some failures of FLARE leave the exit code 0.

    Raises:
        RuntimeError: the command failed or took too long; the message ends with its last lines.
    """
    home.mkdir(parents=True, exist_ok=True)
    command = [sys.executable, "-m", "nvflare.cli", *arguments]
    environment = kit_environment("", home=home) | dict(extra or {})
    name = f"nvflare {' '.join(arguments[:2])}"
    try:
        done = subprocess.run(  # noqa: S603 - this interpreter, no shell
            command,
            env=environment,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=SECONDS,
            check=False,
            umask=PRIVATE,
        )
    except subprocess.TimeoutExpired as error:
        raise RuntimeError(f"{name} took more than {SECONDS:.0f} s") from error
    lines = [line for line in (done.stdout + done.stderr).splitlines() if line.strip()]
    last = " ".join(lines[-3:])
    if done.returncode != 0:
        raise RuntimeError(f"{name} failed ({done.returncode}): {last}")
    return last
