"""``python -m tests.benchmarks.size``: memory and time with a model of real size, in build/bench/size.json.

Every number is of this machine's processors; no GPU is used. The real size needs 16 GB of memory and an hour.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import admin  # noqa: F401 - makes custom/fedaid importable
from admin.federation.poc import PocFederation
from tests.benchmarks.machine import surroundings
from tests.benchmarks.server_process import server_memory_per_site
from tests.benchmarks.size.exchange import empty_job
from tests.benchmarks.size.jobs import COUSIN, REAL, ROUNDS, SITES, Scale, packaged, variants, write_data
from tests.benchmarks.size.runs import in_poc, in_simulator
from tests.benchmarks.size.summary import summary, table

OUT = Path("build/bench/size.json")
EMPTY, PER_SITE, SIMULATED = "empty", "per_site", "simulator "
MODEL_MB = 200  # of the jobs with few and with many sites


def main(arguments: list[str] | None = None) -> None:
    """Measure, write the file and print the table."""
    parser = argparse.ArgumentParser(prog="python -m tests.benchmarks.size", description=__doc__)
    parser.add_argument("--small", action="store_true", help="a model of a tenth of the size, in some minutes")
    parser.add_argument(
        "--pairs", type=int, help="of jobs with few and many sites; 3 if it is left out, with --small 1"
    )
    parser.add_argument("--only", nargs="+", help="runs by name; the rest of the file stays")
    parser.add_argument("--out", type=Path, help=f"the file; {OUT} if it is left out")
    options = parser.parse_args(arguments)
    os.environ.setdefault("OMP_NUM_THREADS", "1")
    out = options.out or (OUT.with_stem("size_small") if options.small else OUT)
    out.parent.mkdir(parents=True, exist_ok=True)
    scale = COUSIN if options.small else REAL
    scale = replace(scale, repeats=options.pairs or scale.repeats)
    runs: dict[str, Any] = json.loads(out.read_text())["runs"] if options.only and out.exists() else {}
    for name, taken in measured(scale, options.only or [], out.parent.resolve()):
        runs[name] = taken
        found = surroundings() | {"cpu_only": True, "small": options.small} | summary(scale, runs) | {"runs": runs}
        out.write_text(json.dumps(found, indent=1) + "\n")
    print(table(found))


def measured(scale: Scale, only: list[str], beside: Path) -> Iterator[tuple[str, dict[str, Any]]]:
    """Name of each run, and what it took."""
    settings = variants(scale.model)
    names = [*settings, EMPTY, *(SIMULATED + name for name in settings), PER_SITE]
    wanted = [name for name in names if not only or name in only]
    with tempfile.TemporaryDirectory(dir=beside, prefix=".size-") as folder:
        sites, data = write_data(Path(folder) / "data"), Path(folder) / "data"
        jobs = {name: packaged(Path(folder) / "jobs" / name, values) for name, values in settings.items()}
        jobs[EMPTY] = empty_job(jobs["trained"], sites=SITES, rounds=ROUNDS["num_rounds"])
        roots = {site: data / site for site in sites}
        in_kits = [name for name in wanted if name in jobs]
        if in_kits:
            with PocFederation(Path(folder) / "poc", sites, data_roots=roots) as federation:
                for name in in_kits:
                    yield timed(name, partial(in_poc, federation, jobs[name], rounds=ROUNDS["num_rounds"]))
        for name in wanted:
            if name.startswith(SIMULATED):
                job, folder_of_run = jobs[name.removeprefix(SIMULATED)], Path(folder) / "simulated"
                yield timed(name, partial(in_simulator, job, folder_of_run, sites=sites, data=data))
    if PER_SITE in wanted:
        yield timed(PER_SITE, partial(server_memory_per_site, MODEL_MB, (3, scale.many), scale.repeats))


def timed(name: str, run: Callable[[], dict[str, Any]]) -> tuple[str, dict[str, Any]]:
    """The name and what the run took, with its seconds and how busy the machine was at its start."""
    begun, load = time.perf_counter(), os.getloadavg()[0]
    print(f"{name} (load {load:.1f})", file=sys.stderr, flush=True)
    taken = run()
    seconds = time.perf_counter() - begun
    print(f"  {seconds:.0f} s", file=sys.stderr, flush=True)
    return name, taken | {"seconds": seconds, "load_at_start": load}


if __name__ == "__main__":
    main()
