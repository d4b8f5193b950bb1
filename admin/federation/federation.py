"""A federation on this machine: start server and sites from their kits, wait for them, end them by process id."""

from __future__ import annotations

import socket
from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from pathlib import Path
from types import TracebackType
from typing import Self

from admin.federation.kit_process import family
from admin.federation.kit_settings import bind_to_loopback, set_server_store, write_data_root
from admin.federation.record import Record, read_record
from admin.federation.sigterm import sigterm_leaves
from admin.federation.site_names import require_site_names
from admin.federation.start import console_logs, start_processes, wait_until_connected
from admin.federation.stop import stop_federation
from fedaid.errors import require


class Federation(ABC):
    """Runs startup kits on this machine for as long as the ``with`` block lasts.

    ``workspace`` holds everything: kits, console logs, job store and the record of process ids. Another command can
    stop the federation by that record. The server listens on loopback only.

    Args:
        workspace: a folder that is absent, empty, or left by a stopped federation.
        sites: the names of the sites.
        data_roots: each site's data folder; it is written to the site's ``local/fedaid_site.json``.
        port: the server's port; None chooses a free one.
    """

    def __init__(
        self, workspace: Path, sites: Sequence[str], *, data_roots: Mapping[str, Path], port: int | None = None
    ) -> None:
        self.workspace = workspace.resolve()
        self.sites = tuple(sites)
        self.data_roots = {site: Path(root).resolve() for site, root in data_roots.items()}
        self.port = free_port() if port is None else port
        self._record: Record | None = None
        self._leave = ExitStack()

    @abstractmethod
    def make_kits(self) -> Record:
        """Write new kits below the workspace and return where they are."""

    @property
    def record(self) -> Record:
        """Where the kits and processes of the started federation are."""
        if self._record is None:
            raise RuntimeError("the federation is not started: use it in a with statement, or call start() first")
        return self._record

    @property
    def admin_kit(self) -> Path:
        """The project admin's startup kit."""
        return self.record.admin_kit

    @property
    def lead_kit(self) -> Path:
        """The lead's startup kit: the one to submit jobs with."""
        return self.record.lead_kit

    def start(self) -> Self:
        """Make the kits, start them and return when every site is connected; on failure end every process."""
        require_site_names(self.sites)
        require_data_roots(self.sites, self.data_roots)
        require_stopped(self.workspace)
        self.workspace.mkdir(parents=True, exist_ok=True)
        record = self.make_kits()
        bind_to_loopback(record.server_kit, self.port)
        set_server_store(record.server_kit, self.workspace / "server_storage")
        for site in self.sites:
            write_data_root(record.kits / site, self.data_roots[site])
        try:
            self._record = start_processes(record, workspace=self.workspace)
            wait_until_connected(self._record, port=self.port, logs=console_logs(self.workspace))
        except BaseException:
            stop_federation(self.workspace, grace=0.0)
            raise
        return self

    def stop(self) -> None:
        """Shut the federation down, and end the remaining processes by id."""
        stop_federation(self.workspace)

    def __enter__(self) -> Self:
        with ExitStack() as stack:
            stack.enter_context(sigterm_leaves())
            self.start()
            stack.callback(self.stop)
            self._leave = stack.pop_all()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._leave.close()


def free_port() -> int:
    """Return a loopback port that was free a moment ago."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def require_data_roots(sites: Sequence[str], data_roots: Mapping[str, Path]) -> None:
    """Refuse a federation in which a site has no data folder, or a folder has no site."""
    remedy = "Give one existing folder for every site."
    odd = sorted(set(sites) ^ set(data_roots))
    got = f"a difference in {odd}"
    require(not odd, "data_roots", "name exactly the sites", got=got, where="the federation", remedy=remedy)
    for site, root in data_roots.items():
        require(root.is_dir(), "data root", "be a folder", got=str(root), where=f"site {site}", remedy=remedy)


def require_stopped(workspace: Path) -> None:
    """Refuse a workspace if its federation is running, or if it holds other files."""
    record = read_record(workspace)
    require(
        record is None or not family(record.processes, mark=record.mark),
        "workspace",
        "belong to a stopped federation",
        got="a running one",
        where=str(workspace),
        remedy=f"Stop it: python -m admin poc stop --workspace {workspace}",
    )
    require(
        record is not None or not workspace.exists() or (workspace.is_dir() and not any(workspace.iterdir())),
        "workspace",
        "be absent, empty, or a federation's",
        got="other files",
        where=str(workspace),
        remedy="Give a folder of its own, such as poc_workspace/run.",
    )
