"""Checks a finished run against its ledger, without the server and without the sites."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from admin.results.file_hash import sha256
from admin.results.ledger_rounds import LedgerRounds
from admin.results.run_results import STORE, read_results
from admin.results.weight_bounds import taken, weight_faults
from fedaid.errors import require
from fedaid.flare.store.hash_chain import Head, Line, broken_links, lines_of
from fedaid.flare.store.run_ledger import ACCEPT, LEDGER, REFUSE, START, WITHDRAW
from fedaid.minmax.norm_clipping import CLIPPED, ClipSettings
from fedaid.models.saved_model import WEIGHTS

RESULTS, ROUND, RUN = "results.json", "ROUND", "run.json"


@dataclass(frozen=True)
class LedgerCheck:
    """What a ledger says, and whether it holds.

    Attributes:
        lines, rounds, attempts, accepted, refused: numbers; ``refused`` also counts withdrawn answers.
        faults: what does not hold; empty for a sound run.
    """

    lines: int
    rounds: int
    attempts: int
    accepted: int
    refused: int
    faults: tuple[str, ...]


def check_ledger(run_folder: Path) -> LedgerCheck:
    """Check the ledger of a finished run.

    The chain must be whole. Each round must have one commit, its inputs must be answers that a gate accepted before it
    closed, and its site weights must be in their bounds. Model and results must be those of the ledger.

    Args:
        run_folder: as :func:`admin.results.run_results.read_results` takes it.

    Raises:
        InputError: if the run did not finish, a file is damaged, or the run has no ledger.
    """
    read_results(run_folder)
    store = run_folder / STORE
    file, remedy = store / LEDGER, "Runs of an older version and jobs without a run name have no ledger."
    require(file.is_file(), "run folder", f"hold {LEDGER}", got="a folder without it", where=str(store), remedy=remedy)
    results, lines = json_of(store / RESULTS), lines_of(file)
    head = Head(**results["ledger"]) if "ledger" in results else None
    faults = broken_links(file, head)
    if head is None:
        faults.append("results.json does not name the last line")
    if not faults:  # lines of a broken chain may have any content
        faults += replay_faults(lines, results, store)
    kinds = Counter(str(line.get("kind")) for line in lines)
    refused = kinds[REFUSE] + kinds[WITHDRAW]
    return LedgerCheck(len(lines), results["round"], kinds[START], kinds[ACCEPT], refused, tuple(faults))


def require_sound_ledger(run_folder: Path) -> LedgerCheck:
    """Check the ledger of a finished run as :func:`check_ledger` does.

    Raises:
        InputError: with one line for each fault.
    """
    found = check_ledger(run_folder)
    got = "".join(f"\n  {fault}" for fault in found.faults) + "\n "
    where, remedy = str(run_folder / STORE / LEDGER), "Do not use the model: download the run again, or ask the server."
    require(not found.faults, "ledger", "hold", got=got, where=where, remedy=remedy)
    return found


def replay_faults(lines: Sequence[Line], results: Mapping[str, Any], store: Path) -> list[str]:
    """Return what does not hold in a whole chain."""
    rounds = LedgerRounds()
    for number, line in enumerate(lines, start=1):
        try:
            rounds.read(line)
        except (KeyError, TypeError, AttributeError):
            rounds.faults.append(f"line {number} does not have the fields of its kind")
        except ValueError as fault:
            rounds.faults.append(f"line {number}: {fault}")
    return [*rounds.faults, *result_faults(rounds.commits, results, store)]


def result_faults(commits: Mapping[int, Line], results: Mapping[str, Any], store: Path) -> Iterator[str]:
    """Yield where the model and ``results.json`` differ from the commits, and site weights out of their bounds."""
    folder = store / (store / ROUND).read_text(encoding="utf-8")
    history = {entry["round"] + 1: entry for entry in results["history"]}
    settings = json_of(folder / RUN).get("settings", {})
    if [*commits] != [*range(1, results["round"] + 1)]:
        yield f"rounds 1 to {results['round']} must have one commit each, got rounds {[*commits]}"
    for number, commit in commits.items():
        entry = history.get(number, {})
        if sorted(entry.get("train", ())) != commit["inputs"] or entry.get("site_weights") != commit["site_weights"]:
            yield f"round {number}: results.json has other inputs or site weights"
        yield from (f"round {number}: {fault}" for fault in weight_faults(commit["site_weights"], settings))
        yield from (f"round {number}: {fault}" for fault in clip_faults(commit, entry, settings))
    last = commits.get(results["round"], {})
    if last.get("sha256") != sha256(folder / WEIGHTS):
        yield f"the model in {folder.name} is not the one that was committed"


def clip_faults(commit: Mapping[str, Any], entry: Mapping[str, Any], settings: Mapping[str, Any]) -> Iterator[str]:
    """Yield where the clipped updates of a round are not those of the rule.

    Args:
        commit: of the round in the ledger.
        entry: of the round in ``results.json``.
        settings: of the run by path, as in ``run.json``.
    """
    if commit.get(CLIPPED, {}) != entry.get(CLIPPED, {}):
        yield "results.json has other clipped updates"
    chosen, norms = taken(ClipSettings, settings), entry.get("norms", {})
    for phase in sorted({*norms, *commit.get(CLIPPED, {})}):
        if commit.get(CLIPPED, {}).get(phase, {}) != chosen.factors(norms.get(phase, {})):
            yield f"the clipped updates of {phase} are not those of clip_update_norm {chosen.clip_update_norm}"


def json_of(file: Path) -> dict[str, Any]:
    """Return the JSON object in a file that is as the run wrote it."""
    content: dict[str, Any] = json.loads(file.read_text(encoding="utf-8"))
    return content
