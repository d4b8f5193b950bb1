"""Run a command of FLARE without touching the user's settings."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

from admin.federation.kit_process import kit_environment

SECONDS = 120.0


def run_nvflare(arguments: Sequence[str], *, home: Path, extra: Mapping[str, str] | None = None) -> None:
    """Run ``nvflare`` with these arguments and with ``home`` as HOME, because it writes to ``~/.nvflare``.

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
        )
    except subprocess.TimeoutExpired as error:
        raise RuntimeError(f"{name} took more than {SECONDS:.0f} s") from error
    if done.returncode != 0:
        lines = [line for line in (done.stdout + done.stderr).splitlines() if line.strip()]
        raise RuntimeError(f"{name} failed ({done.returncode}): {' '.join(lines[-3:])}")
