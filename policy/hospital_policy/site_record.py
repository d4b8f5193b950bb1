"""What this site has released: the egress ledger, its end, and the noise that was spent. It outlives jobs and restarts.

The ledger is a file of JSON lines; each line has the sha256 of the line before it. Its end (number of lines, hash,
bytes) and the spent noise are in another file, so that missing lines at the end show. Both are readable by their owner
only (mode 0600). Jobs of one site may run at the same time, so each change is made under a lock.
"""

from __future__ import annotations

import fcntl
import hashlib
import json
import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from hospital_policy.accountant import epsilon_of
from hospital_policy.rules import PolicyFault, Rules

FOLDER = "hospital_policy"  # in the kit
VARIABLE = "HOSPITAL_POLICY_RECORD"  # another folder, for jobs that run in a container
LEDGER, STATE, LOCK = "egress.jsonl", "egress_state.json", "lock"
PREVIOUS, FIRST = "previous", "0" * 64
REMEDY = "Nothing leaves until the data manager has looked at it: python -m admin ledger"


@dataclass(frozen=True)
class State:
    """The end of the ledger, and the noise that was spent.

    Attributes:
        lines, size: of the ledger; size in bytes.
        sha256: of the last line.
        releases: noise multiplier → number of releases.
    """

    lines: int = 0
    size: int = 0
    sha256: str = FIRST
    releases: Mapping[float, int] = field(default_factory=dict)


class SiteRecord:
    """The ledger and the privacy budget of a site.

    Args:
        kit: the site's startup kit.

    Raises:
        PolicyFault: if the folder would be gone after the job.
    """

    def __init__(self, kit: Path) -> None:
        self.folder = record_folder(kit)

    def spend(self, rules: Rules) -> float:
        """Spends one release with noise, and returns ε of all releases so far; written before anything leaves.

        Raises:
            PolicyFault: if the budget does not suffice, or if the files are damaged; then nothing is spent.
        """
        with self._locked() as state:
            releases = {**state.releases, rules.noise: state.releases.get(rules.noise, 0) + 1}
            epsilon = epsilon_of(releases, rules.delta)
            if rules.epsilon is None or epsilon > rules.epsilon:
                text = f"one more update has epsilon {epsilon:.3g}, and this hospital allows {rules.epsilon}"
                raise PolicyFault(f"the privacy budget of this hospital is spent: {text}")
            self._write(replace(state, releases=releases))
            return epsilon

    def epsilon(self, delta: float) -> float:
        """The privacy loss of all releases with noise so far."""
        with self._locked() as state:
            return epsilon_of(state.releases, delta)

    def add(self, content: Mapping[str, Any]) -> None:
        """Adds a line to the ledger; it is on disk when this returns.

        Raises:
            PolicyFault: if the ledger is not as it was left.
            OSError: if the disk does not take it.
        """
        with self._locked() as state:
            line = json.dumps({**content, PREVIOUS: state.sha256}, sort_keys=True, separators=(",", ":")).encode()
            handle = os.open(self.folder / LEDGER, os.O_WRONLY | os.O_CREAT, 0o600)
            try:
                os.ftruncate(handle, state.size)  # without a part of a line that a killed process has left
                os.pwrite(handle, line + b"\n", state.size)
                os.fsync(handle)
            finally:
                os.close(handle)
            self._write(replace(state, **advanced(state, [line])))

    @contextmanager
    def _locked(self) -> Iterator[State]:
        self.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        handle = os.open(self.folder / LOCK, os.O_WRONLY | os.O_CREAT, 0o600)
        try:
            fcntl.flock(handle, fcntl.LOCK_EX)
            yield self._read()
        finally:
            os.close(handle)

    def _read(self) -> State:
        """The state, with lines that a killed process has added to the ledger and not to the state."""
        ledger, file = self.folder / LEDGER, self.folder / STATE
        if not file.exists():
            if ledger.exists() and ledger.stat().st_size:
                raise PolicyFault(f"the egress ledger must have its state file, got none. {REMEDY}")
            return State()
        try:
            state = state_from(json.loads(file.read_text(encoding="utf-8")))
        except (OSError, ValueError, TypeError, KeyError) as error:
            raise PolicyFault(f"{STATE} must be as it was left, got {type(error).__name__}. {REMEDY}") from None
        size = ledger.stat().st_size if ledger.exists() else 0
        if size < state.size:
            raise PolicyFault(
                f"the egress ledger must have {state.size} bytes, got {size}: lines are missing. {REMEDY}"
            )
        with ledger.open("rb") if size else open(os.devnull, "rb") as opened:  # noqa: PTH123
            opened.seek(state.size)
            later = opened.read().split(b"\n")[:-1]
        return replace(state, **advanced(state, later))

    def _write(self, state: State) -> None:
        draft = self.folder / f"{STATE}.draft"
        content = {**vars(state), "releases": {repr(sigma): count for sigma, count in state.releases.items()}}
        handle = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        with os.fdopen(handle, "w", encoding="utf-8") as opened:
            json.dump(content, opened)
            opened.flush()
            os.fsync(opened.fileno())
        draft.replace(self.folder / STATE)


def advanced(state: State, lines: list[bytes]) -> dict[str, Any]:
    """The end of the ledger after more lines.

    Raises:
        PolicyFault: if a line does not continue the one before it.
    """
    sha256, size = state.sha256, state.size
    for line in lines:
        try:
            previous = json.loads(line)[PREVIOUS]
        except (ValueError, TypeError, KeyError):
            previous = None
        if previous != sha256:
            raise PolicyFault(f"each line of the egress ledger must continue the one before it. {REMEDY}")
        sha256, size = hashlib.sha256(line).hexdigest(), size + len(line) + 1
    return {"lines": state.lines + len(lines), "size": size, "sha256": sha256}


def state_from(content: Mapping[str, Any]) -> State:
    """The state in a JSON object.

    Raises:
        ValueError, TypeError, KeyError: if it is not one.
    """
    releases = {float(sigma): int(count) for sigma, count in content["releases"].items()}
    state = State(int(content["lines"]), int(content["size"]), str(content["sha256"]), releases)
    if min([state.lines, state.size, *releases.values()]) < 0 or any(sigma <= 0 for sigma in releases):
        raise ValueError("negative")
    return state


def record_folder(kit: Path) -> Path:
    """The folder of the ledger and the budget: that of the environment variable, or one in the kit.

    A launcher of containers gives a job a kit in memory, with the local/ of the site in it. A ledger there would be
    gone after the job, and with it the spent budget.

    Raises:
        PolicyFault: if the variable names no folder, or the kit is in another file system than its local/.
    """
    setting = os.environ.get(VARIABLE, "")
    if setting:
        if not Path(setting).is_absolute() or not Path(setting).is_dir():
            raise PolicyFault(f"{VARIABLE} must be the absolute path of a folder that exists, got another")
        return Path(setting)
    local = kit / "local"
    if local.is_dir() and local.stat().st_dev != kit.stat().st_dev:
        raise PolicyFault(f"the egress ledger must outlive the job, got a kit in memory. Set {VARIABLE}")
    return kit / FOLDER
