"""Studies per second of ``python -m admin prepare`` against a bare loop over the same files, both in two processes."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

from tests.benchmarks.films import FULL_SIZE, write_site
from tests.benchmarks.spread import Spread, seconds, spread

SIZE, PROCESSES = 224, 2


def prepare_command(site: Path, out: Path, *, size: int) -> list[str]:
    """The command that prepares a site's export; nobody looks for letters, which the bare loop does not either."""
    folders = ["--images", str(site / "images"), "--reports", str(site / "reports"), "--out", str(out)]
    settings = ["--image-size", str(size), "--workers", str(PROCESSES), "--letters", "off", "--format", "json"]
    return [sys.executable, "-m", "admin", "prepare", *folders, *settings]


def bare_commands(site: Path) -> list[list[str]]:
    """The commands of the bare loop's processes."""
    loop = [sys.executable, "-m", "tests.benchmarks.bare_loop", str(site / "images"), str(SIZE)]
    return [[*loop, str(part), str(PROCESSES)] for part in range(PROCESSES)]


def prepare_speed(folder: Path, studies: int, *, repeats: int, say: Callable[[str], None]) -> dict[str, Spread]:
    """Return ``prepare_ratio`` and both rates in studies per second.

    Whole commands are timed, their start-up included, in turn and pairwise, from a warm page cache. The unmeasured
    first run of prepare has to keep every study, so that nothing is fast by leaving out.
    """
    write_site(folder, studies, sizes=FULL_SIZE)
    out = folder / "site"
    seconds(*bare_commands(folder))
    done = subprocess.run(prepare_command(folder, out, size=SIZE), check=True, stdout=subprocess.PIPE)
    if json.loads(done.stdout)["data"]["studies"] != studies:
        raise RuntimeError("prepare left studies out that are sound")
    bare, prepared = [], []
    for number in range(repeats):
        bare.append(studies / seconds(*bare_commands(folder)))
        shutil.rmtree(out)
        prepared.append(studies / seconds(prepare_command(folder, out, size=SIZE)))
        say(f"prepare {prepared[-1]:.0f}/s, bare loop {bare[-1]:.0f}/s ({number + 1} of {repeats})")
    return {
        "prepare_ratio": spread([ours / least for ours, least in zip(prepared, bare, strict=True)]),
        "prepare_studies_per_second": spread(prepared),
        "bare_studies_per_second": spread(bare),
    }
