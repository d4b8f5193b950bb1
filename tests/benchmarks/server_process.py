"""Peak memory of the whole FLARE server in a POC whose sites compute nothing: its job's process, and its own.

python -m tests.benchmarks.server_process MEGABYTES SITES SITES REPEATS [SPREAD_SECONDS]
"""

from __future__ import annotations

import json
import shutil
import sys
import tempfile
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import psutil
from nvflare.fuel.flare_api.api_spec import InternalError

import admin  # noqa: F401 - makes custom/fedaid importable
from admin.federation.kit_process import children_of
from admin.federation.poc import SERVER, PocFederation
from admin.jobs.cost import model_size
from admin.jobs.folder import META, config_files, read_object, write_object
from admin.jobs.package import package_job
from admin.session.follow import COMPLETED, monitor
from admin.session.login import admin_session
from admin.session.submit import submit
from tests.benchmarks import synthetic_site
from tests.benchmarks.aggregator_memory import per_site
from tests.benchmarks.machine import peak_mib

HIDDEN = 640
LAYER_BYTES = 4 * 12 * HIDDEN**2
PAUSE = 0.1  # seconds between two looks
LONGEST = 7200.0  # seconds of a job; at a load of 20, one of 12 sites and 208 MB took a quarter of an hour


def server_memory_per_site(
    megabytes: int = 200, sites: tuple[int, int] = (3, 12), repeats: int = 5, spread_seconds: float = 0.0
) -> dict[str, Any]:
    """Peak memory of the server's processes for each site more, over the size of the model: median of pairs.

    One round of FedAID in one POC, with jobs for few and for many of its sites in turns. Both processes of the server
    are summed, that of the job and the one that relays its messages; ``job_process`` and ``relay`` have each alone.
    """
    model = model_of(megabytes)
    peaks: dict[str, dict[int, list[int]]] = {of: {n: [] for n in sites} for of in ("both", "job_process", "relay")}
    with tempfile.TemporaryDirectory() as folder:
        names = [f"site-{number:02d}" for number in range(max(sites))]
        roots = {name: Path(folder) / "data" / name for name in names}
        for root in roots.values():
            root.mkdir(parents=True)
        with PocFederation(Path(folder) / "poc", names, data_roots=roots) as federation:
            for number in range(repeats):
                for count in sites if number % 2 == 0 else reversed(sites):
                    job = synthetic_job(Path(folder) / "jobs", names[:count], model, spread_seconds)
                    job_process, relay = peaks_of(federation, job)
                    found = {"both": job_process + relay, "job_process": job_process, "relay": relay}
                    print(f"  {count} sites: {found['both'] / 1e6:.0f} MB", file=sys.stderr, flush=True)
                    for of, peak in found.items():
                        peaks[of][count].append(peak)
    whole = model_size(model).whole
    ratios = {of: per_site(of_sites, whole) for of, of_sites in peaks.items()}
    return ratios.pop("both") | ratios | {"model_mb": whole / 1e6, "spread_seconds": spread_seconds}


def model_of(megabytes: int) -> dict[str, Any]:
    """Settings of a model of about this size: a text encoder of many blocks, of which the last is alignment."""
    layers = max(1, round(megabytes * 1e6 / LAYER_BYTES))
    text = {"name": "bert", "hidden_size": HIDDEN, "intermediate_size": 4 * HIDDEN, "num_attention_heads": 10}
    image = {"name": "resnet", "embedding_size": 8, "hidden_sizes": [8, 16], "depths": [1, 1]}
    return {
        "image_encoder": image,
        "text_encoder": text | {"num_hidden_layers": layers},
        "image_size": 32,
        "embedding_dim": 16,
        "projection_hidden": 32,
    }


def synthetic_job(out: Path, sites: Sequence[str], model: dict[str, Any], spread_seconds: float) -> Path:
    """FedAID's job for these sites alone, one round, its executor replaced by one that computes nothing."""
    settings = model | {"num_rounds": 1, "min_clients": len(sites), "align_steps": 1, "pretrain_steps": 1}
    settings |= {"loss_baseline": "none"}  # the synthetic sites train nothing that could be validated
    job = package_job("fedaid_pretrain", out=out, settings=settings)
    meta = read_object(job / META)
    (app,) = meta["deploy_map"]
    write_object(job / META, meta | {"deploy_map": {app: [SERVER, *sites]}})
    client = config_files(job)[1]
    content = read_object(client)
    made = {"path": "synthetic_site.SyntheticExecutor", "args": {"spread_seconds": spread_seconds}}
    content["executors"][0]["executor"] = made
    write_object(client, content)
    shutil.copy(synthetic_site.__file__, job / app / "custom")
    return job


def peaks_of(federation: PocFederation, job: Path) -> tuple[int, int]:
    """Peak bytes of the server's process for a job and of the server's own, while that job runs."""
    with admin_session(federation.lead_kit, timeout=60) as session, watched(federation) as (before, peaks):
        job_id = submit(session, job)
        status = monitor(session, job_id, on_progress=lambda progress: None, timeout=LONGEST)
        if status != COMPLETED:
            raise RuntimeError(f"the job ended as {status}: {job_id}")
        with suppress(InternalError):  # its log may still be on the way to the store; that only takes disk
            session.delete_job(job_id)
    own = sum(peak for pid, peak in peaks.items() if pid in before)
    return sum(peaks.values()) - own, own


@contextmanager
def watched(federation: PocFederation) -> Iterator[tuple[set[int], dict[int, int]]]:
    """The server's processes at the start, and process → peak bytes since then, complete after the block."""
    peaks: dict[int, int] = {}
    before, ended = {process.pid for process in server_processes(federation)}, threading.Event()
    for pid in before:
        Path(f"/proc/{pid}/clear_refs").write_text("5")  # the peak starts anew at what is held now

    def watch() -> None:
        while not ended.wait(PAUSE):
            for process in server_processes(federation):
                with suppress(OSError, StopIteration):
                    peaks[process.pid] = round(peak_mib(process.pid) * 2**20)

    watcher = threading.Thread(target=watch)
    watcher.start()
    try:
        yield before, peaks
    finally:
        ended.set()
        watcher.join()


def server_processes(federation: PocFederation) -> list[psutil.Process]:
    """The server kit's processes as they are now."""
    parent = next(process for process in federation.record.processes if process.kit == SERVER).running()
    return [] if parent is None else [parent, *children_of(parent)]


def main(words: Sequence[str]) -> None:
    """Prints the measurement as JSON."""
    megabytes, few, many, repeats = map(int, words[:4])
    spread = float(words[4]) if words[4:] else 0.0
    found = server_memory_per_site(megabytes, (few, many), repeats, spread)
    print(json.dumps(found, indent=1))


if __name__ == "__main__":
    main(sys.argv[1:])
