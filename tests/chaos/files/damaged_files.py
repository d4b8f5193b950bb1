"""Flipped bits and cut files in the server's store, in what a site keeps, and in a download: none is read silently."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
from nvflare.apis.fl_context import FLContext, FLContextManager

from admin.jobs.evaluated_model import saved_configuration
from admin.model.export.source import read_source
from admin.results.ledger_check import require_sound_ledger
from admin.results.report.run_files import read_run_files
from admin.results.run_results import STORE, read_results
from fedaid.errors import InputError
from fedaid.flare.server.run_store import FINISHED, RunStore
from fedaid.flare.site.kept_rounds import KeptRounds
from fedaid.flare.store.generation import ROUND
from fedaid.flare.store.hash_chain import Head, broken_links
from fedaid.flare.store.run_ledger import LEDGER
from fedaid.flare.wire.tasks import RunStamp
from fedaid.models.saved_model import load_model
from fedaid.sealed_folder import Damaged
from tests.chaos.files.injury import files_in, injuries
from tests.chaos.messages.post import Postbox
from tests.chaos.outcome import Outcome
from tests.flare.conftest import Engine

FLIPS, CUTS, ROUNDS = 200, 50, 4
Verdict = tuple[str, bool, str]  # the damage, whether it was read without a word, and another error than ours
Reader = Callable[[Path], object]


def damaged_files(folder: Path, *, flips: int = FLIPS, cuts: int = CUTS) -> Outcome:
    """So many flips and cuts in each of the three places."""
    folder.joinpath("jobs").mkdir()
    made = Postbox(folder / "jobs", num_rounds=ROUNDS).all_answer("")
    made.app.rename(made.app.with_name("app_server"))
    run_folder = made.app.parent
    verdicts = [
        *in_store(made.run_store, flips=flips, cuts=cuts),
        *at_site(folder / "site", flips=flips, cuts=cuts),
        *in_download(run_folder, flips=flips, cuts=cuts),
    ]
    silent = [name for name, is_silent, _ in verdicts if is_silent]
    strange = [f"{name}: {error}" for name, _, error in verdicts if error]
    return Outcome(
        place="in-process",
        injected=len(verdicts),
        survived=len(verdicts) - len({*silent, *strange}),
        silent_loads=len(silent),
        failures=(*(f"{name} was read silently" for name in silent), *strange),
    )


def in_store(store: Path, *, flips: int, cuts: int) -> Iterator[Verdict]:
    """A job that continues the run takes the newest generation that is whole, and says which it skips.

    An older generation is read only if those after it are damaged; so they are moved away for it.
    """
    results = opened(store).results or {}
    for part in sorted(path for path in store.iterdir() if path.name.startswith((ROUND, FINISHED, LEDGER))):
        later = [path for path in store.glob(f"{ROUND}-*") if path.name > part.name and part.name.startswith(ROUND)]
        for path in later:
            path.rename(store / f".{path.name}")
        share = len([*store.iterdir()]) - 1  # the lock is no part of it
        files = [part] if part.is_file() else files_in(part)
        for _, name in injuries(files, flips=-(-flips // share), cuts=-(-cuts // share)):
            yield f"store/{part.name}, {name}", read_silently(store, part, Head(**results["ledger"])), ""
        for path in later:
            (store / f".{path.name}").rename(path)


def read_silently(store: Path, part: Path, head: Head) -> bool:
    """Whether a job that continues the run uses this part of the store without a word."""
    if part.name == LEDGER:
        return not broken_links(part, head)
    run = opened(store)
    if part.name == FINISHED:
        return run.results is not None
    try:
        used = run.newest
    except Damaged as error:
        return part.name not in str(error)
    return part.name not in run.skipped or used is None or used.folder == part


def opened(store: Path) -> RunStore:
    """The store as a new process opens it."""
    return RunStore(store, configuration={}, vocabulary_hash="")


def at_site(folder: Path, *, flips: int, cuts: int) -> Iterator[Verdict]:
    """What a site kept of a damaged round is not used; it takes the round before and says that it lost its state."""
    context, run, rounds = site_context(folder), RunStamp("chaos", 1), KeptRounds("state")
    for number in range(2):
        tensors = {"moment": np.full((20, 30), number + 0.5, np.float32)}
        rounds.keep(run, number, tensors, description={"student": [number, 1.5]}, fl_ctx=context)
    files = [file for file in files_in(folder) if file.parent.name == "state-00001"]
    for _, name in injuries(files, flips=flips, cuts=cuts):
        try:
            found = rounds.before(2, run, context)
            yield f"site, {name}", found is None or found.round_number != 0, ""
        except Exception as error:
            yield f"site, {name}", False, repr(error)


def site_context(kit: Path) -> FLContext:
    """A context of a site's process with this kit."""
    kit.mkdir(parents=True)
    workspace: Any = SimpleNamespace(get_root_dir=lambda: str(kit), get_site_config_dir=lambda: str(kit / "local"))
    return FLContextManager(engine=Engine([], {}, workspace), identity_name="oak", job_id="job").new_context()


def in_download(run_folder: Path, *, flips: int, cuts: int) -> Iterator[Verdict]:
    """Every verb that reads a downloaded run or its model refuses it."""
    store = run_folder / STORE
    best = read_results(run_folder).model
    of_run: Mapping[str, Reader] = {"report": read_run_files, "check": require_sound_ledger}
    of_model: Mapping[str, Reader] = {
        "export": read_source,
        "evaluate": load_model,
        "package": saved_configuration,
    }
    for file, name in injuries(files_in(store), flips=flips, cuts=cuts):
        readers = {reader: (read, run_folder) for reader, read in of_run.items()}
        if file.parent == best:
            readers |= {reader: (read, best) for reader, read in of_model.items()}
        for reader, (read, folder) in readers.items():
            yield refusal(read, folder, f"{reader}, {file.parent.name}/{name}")


def refusal(read: Reader, folder: Path, name: str) -> Verdict:
    """Whether a reader refuses a folder with an error that a person can read."""
    try:
        read(folder)
    except InputError:
        return name, False, ""
    except Exception as error:
        return name, False, repr(error)
    return name, True, ""
