"""Exceptions of a site's own code that hold invented names: none may be in any byte at the server."""

from __future__ import annotations

import shutil
from pathlib import Path

from admin.federation.federation import Federation
from admin.federation.kit_settings import write_json
from admin.federation.poc import PocFederation
from tests.catalogue.canaries import Hit, scan, scan_bytes
from tests.chaos.followed_job import followed, small_hospitals
from tests.chaos.outcome import Outcome
from tests.chaos.sites import own_code
from tests.integration.conftest import small_job

PLACES = {
    "receiving 0": "Zqfilterin",
    "sending 1": "Zqfilterout",
    "unsafe 2": "Zqunsafe",
    "watching _start_run": "Zqstart",
    "watching _before_task_execution": "Zqbefore",
    "logging _start_run": "Zqlogged",
    "panic _end_run": "Zqpanic",
}
"""Where the site's own code fails, and the name in its exception; numbers are rounds."""
BUILT = "Zqbuilt"  # in the exception of a filter that cannot be built
ROWS = ("Zqpicture", "Zqreport", "Zqpatient")  # in a manifest that cannot be read
SECONDS = 900.0


def write_own_code(local: Path, *, places: dict[str, str], fails: str = "") -> None:
    """Gives a site a privacy policy of its own with :mod:`tests.chaos.sites.own_code`.

    Args:
        local: folder of the site's settings.
        places: where it fails, and the name in the exception.
        fails: a name in the exception of a filter that cannot be built; none if empty.
    """
    (local / "custom").mkdir(exist_ok=True)
    shutil.copy(own_code.__file__, local / "custom" / "own_code.py")
    write_json(local / "canaries.json", places)
    built = {"path": "own_code.Sending", "args": {"fails": fails} if fails else {}}
    scope = {
        "name": "own",
        "task_data_filters": [{"path": "own_code.Receiving", "args": {}}],
        "task_result_filters": [built],
    }
    watching = {"id": "watching", "path": "own_code.Watching", "args": {}}
    write_json(local / "privacy.json", {"scopes": [scope], "default_scope": "own", "components": [watching]})


def told(local: Path) -> set[str]:
    """The names that were in an exception."""
    file = local / own_code.TOLD
    return set(file.read_text().split()) if file.exists() else set()


def hits_at_the_server(federation: Federation, canaries: tuple[str, ...], *further: Path) -> list[Hit]:
    """The names in the files of the server and of the lead: kits, job store, run store, console, downloads."""
    record = federation.record
    places = [record.server_kit, record.lead_kit, record.admin_kit, federation.workspace / "server_storage", *further]
    hits = [hit for place in places if place.exists() for hit in scan(place, canaries, excluded=())]
    console = federation.workspace / "console" / f"{record.server}.txt"
    return [*hits, *scan_bytes(console.read_bytes(), canaries, where="console of the server")]


def private_exceptions(folder: Path) -> Outcome:
    """Three jobs: code that fails while it runs, a filter that cannot be built, and data that cannot be read."""
    roots = {path.name: path for path in small_hospitals(folder / "consortium")}
    site = sorted(roots)[-1]
    failures: list[str] = []
    canaries = (*PLACES.values(), BUILT, *ROWS)
    with PocFederation(folder / "poc", list(roots), data_roots=roots) as federation:
        local = federation.record.kits / site / "local"
        write_own_code(local, places=PLACES)
        printed = run(federation, folder, name="own", num_rounds=4)
        happened = told(local)
        write_own_code(local, places={}, fails=BUILT)
        printed += run(federation, folder, name="built", num_rounds=1)
        happened |= told(local)
        (local / "privacy.json").unlink()
        spoil_manifest(roots[site])
        printed += run(federation, folder, name="rows", num_rounds=1)
        happened |= set(ROWS)
        hits = hits_at_the_server(federation, canaries, folder / "out")
    hits += scan_bytes(printed.encode(), canaries, where="printed for the lead")
    failures += [f"{name} was in no exception" for name in canaries if name not in happened]
    failures += sorted({f"{hit.canary} in {hit.where}" for hit in hits})
    clean = [name for name in canaries if name in happened and name not in {hit.canary for hit in hits}]
    return Outcome(place="POC", injected=len(canaries), survived=len(clean), failures=tuple(failures))


def run(federation: Federation, folder: Path, *, name: str, num_rounds: int) -> str:
    """Runs a job to its end, whatever that is, and returns what the lead saw."""
    settings = {"num_rounds": num_rounds, "wait_time_after_min_received": 90, "run_name": name}
    job = small_job(folder / "jobs" / name, sites=2, **settings)
    with followed(federation, job, run_name=name, out=folder / "out") as running:
        out, _ = running.process.communicate(timeout=SECONDS)
        running.said.seek(0)
        errors = running.said.read()
    return out + errors


def spoil_manifest(root: Path) -> None:
    """Puts names into every row of a site's manifest: the pictures and reports that it names are not there."""
    lines = (root / "manifest.csv").read_text(encoding="utf-8").splitlines()
    names = lines[0].split(",")
    spoilt = [lines[0]]
    for number, line in enumerate(lines[1:]):
        cells = dict(zip(names, line.split(","), strict=False))
        cells |= {"image": f"{ROWS[0]}/{number}.png", "report_path": f"{ROWS[1]}/{number}.txt"}
        cells |= {"patient_id": f"{ROWS[2]}-{number}"}
        spoilt.append(",".join(cells[key] for key in names))
    (root / "manifest.csv").write_text("\n".join(spoilt) + "\n", encoding="utf-8")
