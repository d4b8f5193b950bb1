"""A controller whose run outlives its job: another job of the same name continues it with the same bits."""

from __future__ import annotations

import os
import secrets
from collections.abc import Mapping
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

from numpy.typing import NDArray
from nvflare.apis.fl_constant import FLContextKey
from nvflare.apis.fl_context import FLContext
from nvflare.apis.signal import Signal
from nvflare.app_common.app_event_type import AppEventType

from fedaid.errors import InputError, require
from fedaid.flare.server.ledgered_scatter_gather import LedgeredScatterAndGather
from fedaid.flare.server.persistor import RUN_FILE, RunPersistor
from fedaid.flare.server.run_settings import RunSettings
from fedaid.flare.software.server_kit import lacking_components
from fedaid.flare.store.generation import Generation
from fedaid.flare.store.hash_chain import HashChain
from fedaid.flare.store.killed_round import KilledRound
from fedaid.flare.store.run_folder import run_folder
from fedaid.flare.store.run_identity import (
    CONFIGS,
    SOFTWARE,
    WHERE,
    RunIdentity,
    differing,
    require_known_sites,
    require_same_settings,
    require_same_sites,
    run_file,
)
from fedaid.flare.store.run_ledger import LEDGER, RunLedger
from fedaid.flare.store.run_lock import RunLock
from fedaid.flare.store.setting_defaults import setting_defaults
from fedaid.flare.store.stopped_round import keep_absences, kept_absences
from fedaid.flare.wire.messages import BEGAN
from fedaid.flare.wire.tasks import RunStamp
from fedaid.sealed_folder import Damaged, damage

WITHOUT = "without"  # part of a state: sites that a job of the run has withdrawn
CONTINUE = "To continue the run: python -m admin run JOB --kit KIT, or submit the same job again."
UNNAMED = (
    "ledger.head is damaged, as a power failure can leave it: a loss of the last lines of the ledger would not show. "
    "It is written again with the next line"
)


class DurableScatterAndGather(LedgeredScatterAndGather):
    """Opens the run of its job, continues from its newest whole generation, and commits every round to it.

    Opening writes nothing but the lock. So a job that ends while it opens the run, however often, changes nothing.

    Args:
        settings: what the job sets.
        identity: name and attempt of the run.
        task_name: the task of FLARE's own loop.

    Attributes:
        generation: where this job continues; None for a new run.
        sites_of_run: names of all sites of the run, including those that are withdrawn.
    """

    def __init__(self, settings: RunSettings, identity: RunIdentity, *, task_name: str) -> None:
        super().__init__(settings, task_name=task_name)
        self._identity = identity
        self._lock: RunLock | None = None
        self._started = False  # whether this job may write to the run store
        self._run_file: Mapping[str, Any] = {}
        self.generation: Generation | None = None
        self.sites_of_run: list[str] = []
        self._withdrawn: list[str] = []

    def start_controller(self, fl_ctx: FLContext) -> None:
        """Opens the run, loads the model of its newest generation, or the initial one, and checks the sites."""
        persistor = self._engine.get_component(self.persistor_id)
        try:
            if isinstance(persistor, RunPersistor) and persistor.store is not None:
                self._open_run(persistor, fl_ctx)
        except (InputError, OSError) as error:
            self.stop(self.with_remedy(error), fl_ctx)
            return
        super().start_controller(fl_ctx)

    def _open_run(self, persistor: RunPersistor, fl_ctx: FLContext) -> None:
        """Locks the run and finds its newest whole generation.

        Raises:
            InputError: if the run is alive in another job, or has other settings.
            Damaged: if all its generations are damaged.
        """
        workspace, job = fl_ctx.get_engine().get_workspace(), str(fl_ctx.get_job_id())
        kit, config_dir = Path(workspace.get_root_dir()), Path(workspace.get_site_config_dir())
        stamp = RunStamp(self._identity.run_name or job, self._identity.attempt)
        folder = run_folder(stamp.name, kit, config_dir, os.environ, machine="server")
        self._lock, self.stamp = RunLock(folder, job_id=job), stamp
        config = Path(str(fl_ctx.get_prop(FLContextKey.APP_ROOT))) / "config"
        self.generation = persistor.keep_in(folder).newest
        began = str(self.generation.run.get(BEGAN, "")) if self.generation else secrets.token_hex(8)
        self.stamp = replace(stamp, began=began)
        origin = {**persistor.origin, BEGAN: began}
        self._run_file = run_file(config, vocabulary_hash=persistor.vocabulary_hash, origin=origin)
        if self.generation:
            stated = partial(setting_defaults, [config / name for name in CONFIGS])
            require_same_settings(stamp.name, self.generation.run, self._run_file, defaults=stated)

    def sites(self) -> list[str]:
        """Names of the connected sites that are not withdrawn."""
        return [site for site in super().sites() if site not in self._identity.without]

    @property
    def withdrawn(self) -> list[str]:
        """Names of the sites that this job or a former one has withdrawn, and that are not back."""
        return self._withdrawn

    def check_sites(self, sites: list[str]) -> None:
        """Checks ``min_clients``, the rounds and the sites of the run; FLARE's loop then starts at its next round."""
        former = self.generation.state if self.generation else {}
        known = {*super().sites(), *former.get("sites", ()), *former.get(WITHOUT, ())}
        require_known_sites(self._identity.without, known)
        super().check_sites(sites)
        left = {*former.get(WITHOUT, ()), *self._identity.without}
        self.sites_of_run, self._withdrawn = sites, sorted(left - {*sites})  # one that is back takes part again
        if self.generation is None:
            return
        state, name = self.generation.state, self.stamp.name if self.stamp else ""
        require_same_sites(name, state["sites"], sites, self._identity.without)
        done, remedy = state["round"], "Set num_rounds higher, or package the job with another --run-name."
        ok, rule = self._num_rounds >= done, f"be at least {done}, the rounds that are done"
        require(ok, "num_rounds", rule, got=self._num_rounds, where=WHERE, remedy=remedy)
        self.sites_of_run = state["sites"]
        self._record.restore(state)
        self._current_round = done
        self.progress.continue_from(done)

    def control_flow(self, abort_signal: Signal, fl_ctx: FLContext) -> None:
        """Runs the algorithm; a finished run only delivers its results again."""
        if abort_signal.triggered:  # FLARE calls this although start_controller has stopped the job
            return
        self._say_start(fl_ctx)
        results = self.persistor.open_store.results if self.generation else None
        if results is None or results["round"] < self._num_rounds:
            try:
                self._open_ledger(fl_ctx)
            except OSError as error:
                self.stop(error, fl_ctx)
                return
            super().control_flow(abort_signal, fl_ctx)
            return
        self.log_warning(fl_ctx, "the run is finished: its results are delivered again. A new run needs another name")
        self.persistor.deliver(results)

    def _open_ledger(self, fl_ctx: FLContext) -> None:
        """Continues the ledger of the run with the line of this job."""
        if self.stamp is None:
            return
        store, at = self.persistor.open_store, self.generation
        chain = HashChain(store.folder / LEDGER)
        for fault in chain.broken:
            self.warn(f"{LEDGER} of the run is damaged, so it proves less: {fault}", fl_ctx)
        if chain.unnamed:
            self.log_warning(fl_ctx, UNNAMED)
        self.ledger = RunLedger(chain, attempt=self.stamp.attempt)
        self.persistor.ledger = self.ledger
        facts = {"sites": self.sites_of_run, "min_clients": self._min_clients, "skipped": sorted(store.skipped)}
        facts["absent"] = [one.site for one in self._record.absent if one.attempt == self.stamp.attempt]
        self.ledger.started(at.folder if at else None, at.state if at else {}, rounds=self._num_rounds, **facts)
        done = self._current_round or 0
        self._record.restore_absences(kept_absences(store.folder, done))
        if not chain.broken:
            killed = KilledRound(chain.found, done)
            self._record.add_absences(killed.missed, killed.retries)
        self._started = True

    def _say_start(self, fl_ctx: FLContext) -> None:
        """Says in the log, and notes in the record, where the run continues and what changed since its last job."""
        if self.stamp is None:
            return
        at = f"continues after round {self.generation.state['round']}" if self.generation else "starts"
        self.log_info(fl_ctx, f"run {self.stamp.name}, attempt {self.stamp.attempt}, {at}")
        lacking = lacking_components(Path(fl_ctx.get_engine().get_workspace().get_root_dir()))
        if lacking:
            self.warn(lacking, fl_ctx)
        skipped = self.persistor.open_store.skipped
        changes = differing(SOFTWARE, self.generation.run, self._run_file) if self.generation else []
        self._record.skipped_generations |= skipped
        self._record.software_changes += changes
        for name, reason in skipped.items():
            self.log_warning(fl_ctx, f"{name} of the run store is damaged and was skipped: {reason}")
        for line in changes:
            self.log_warning(fl_ctx, f"the software has changed, so the bits may differ: {line}")

    def warn(self, line: str, fl_ctx: FLContext) -> None:
        """Says a line in the log, and notes it in the record once."""
        self.log_warning(fl_ctx, line)
        self._record.warnings += [line] if line not in self._record.warnings else []

    def stop(self, error: Exception, fl_ctx: FLContext) -> None:
        """Ends the job with the error's text; the next job of the run learns what the sites missed."""
        if self._started and not self._abort.triggered:
            keep_absences(self.persistor.open_store.folder, self._current_round or 0, self._record.absences)
        super().stop(error, fl_ctx)

    @property
    def how_to_continue(self) -> str:
        """What a person does after a stop."""
        return CONTINUE if self.stamp else super().how_to_continue

    def publish(self, fl_ctx: FLContext, *, best_round: int, **more: Any) -> None:
        """Gives what a commit holds to the persistor."""
        attempt = self.stamp.attempt if self.stamp else 1
        of_run = {"sites": self.sites_of_run, WITHOUT: self._withdrawn, "attempt": attempt}
        super().publish(fl_ctx, best_round=best_round, **of_run, **more)
        fl_ctx.set_prop(RUN_FILE, self._run_file, private=True, sticky=False)

    def commit(self, fl_ctx: FLContext) -> None:
        """Commits the present model again, after :meth:`publish`, because it has become the best one."""
        self.fire_event(AppEventType.BEFORE_LEARNABLE_PERSIST, fl_ctx)
        self.persistor.save(self._global_weights, fl_ctx)

    def best_tensors(self) -> dict[str, NDArray[Any]]:
        """The tensors of the best model that is committed; they stay on the disk.

        Raises:
            Damaged: if its files are not as they were written; the next job continues from an older generation.
        """
        best: Generation = self.persistor.open_store.newest.best
        found = damage(best.folder)
        if found:
            raise Damaged(f"the best model is damaged: {found}. Submit the job again: it continues from a whole round")
        return best.mapped()

    def stop_controller(self, fl_ctx: FLContext) -> None:
        """Puts the newest generation into the job's folder if no results are there, and frees the run."""
        super().stop_controller(fl_ctx)
        try:
            if self._lock and self.persistor and not self.persistor.delivered:
                self.persistor.deliver()
        except OSError as error:
            self.stop(error, fl_ctx)
        finally:
            if self._lock:
                self._lock.release()
