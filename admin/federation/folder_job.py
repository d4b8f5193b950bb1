"""A packaged job folder as FLARE's ``FedJob``: what its environments simulate and submit is a copy of the folder."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from nvflare.apis.executor import Executor
from nvflare.apis.impl.controller import Controller
from nvflare.apis.job_def import ALL_SITES, SERVER_SITE_NAME
from nvflare.app_common.widgets.streaming import AnalyticsReceiver
from nvflare.fuel.utils.class_utils import get_component_init_parameters
from nvflare.job_config.api import ClientApp, FedJob
from nvflare.job_config.fed_app_config import ClientAppConfig, FedAppConfig, ServerAppConfig
from nvflare.job_config.fed_job_config import FedJobConfig

from admin.jobs.added_parts import MERGED, PARTS, add_parts, add_site_apps
from admin.jobs.folder import META, read_object, write_object
from admin.jobs.job_check import PACKAGE, check_job
from admin.jobs.package import require_replaceable
from admin.jobs.settings import change_settings
from fedaid.errors import InputError, require
from fedaid.flare.software.site_software import PROPERTIES

WHERE = "recipe"
TRACKERS = {"TBAnalyticsReceiver": "tensorboard", "MLflowReceiver": "mlflow"}  # FLARE's class → setting of the job
DEFAULTS = {"tb_folder": "tb_events", "tracking_uri": None, "artifact_location": "artifacts"}  # of those classes
ALL_TASKS = ["*"]
PLAIN = (str, int, float, bool, list, tuple, dict, set, type(None))


class FolderConfig(FedJobConfig):  # type: ignore[misc]
    """Writes the job: a copy of the folder, and what was added to it through FLARE's job API.

    Args:
        job: the job.
        min_clients: of its meta.json.
    """

    def __init__(self, job: FolderJob, *, min_clients: int) -> None:
        super().__init__(job.name, min_clients)
        self._of = job
        self.set_app_packages([PACKAGE])  # a packaged job has this code, or runs without code

    def generate_job_config(self, job_root: str) -> None:
        """Write the job to ``<job_root>/<name>``; it replaces a former job of that name.

        Raises:
            InputError: a part that was added does not fit the job.
        """
        root, added = Path(job_root).resolve(), self._of.added_apps()
        target = root / self.job_name
        require_replaceable(target)
        root.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(prefix=".recipe-", dir=root) as part:
            made = Path(shutil.copytree(self._of.folder, Path(part) / self.job_name))
            if added or self.meta_props:
                self._add(made, added, Path(part))
            if target.exists():
                shutil.rmtree(target)
            made.rename(target)

    def _add(self, made: Path, added: Mapping[str, FedAppConfig], part: Path) -> None:
        """Let FLARE write what was added, and merge it into the job's apps."""
        extra = FedJobConfig("extra", self.min_clients)
        extra.set_app_packages([PACKAGE])
        for app, config in added.items():
            extra.add_fed_app(app, config)
        extra.generate_job_config(str(part))
        for app in added:
            add_parts(made / app, part / "extra" / app)
        meta = read_object(made / META)
        properties = {**(self.meta_props or {}).get(PROPERTIES, {}), **meta.get(PROPERTIES, {})}
        write_object(made / META, {**meta, **(self.meta_props or {}), PROPERTIES: properties})
        check_job(made)


class FolderJob(FedJob):  # type: ignore[misc]
    """The job of a packaged folder, for FLARE's recipes and environments.

    Args:
        folder: a packaged job.
    """

    def __init__(self, folder: Path) -> None:
        meta = read_object(folder / META)
        super().__init__(name=meta["name"], min_clients=meta["min_clients"])
        self.folder = folder
        self.job = FolderConfig(self, min_clients=meta["min_clients"])
        self.clients = [ALL_SITES]  # an environment names the sites

    def set_sites(self, settings: Mapping[str, Mapping[str, object]]) -> None:
        """Give each site its own settings; only these sites take part."""
        add_site_apps(self.folder, settings)
        check_job(self.folder)
        for site in settings:
            self._deploy_map[site] = ClientApp()

    def for_all_sites(self) -> None:
        """Let additions go to every site; FLARE then refuses additions for single sites."""
        if not [target for target in self._deploy_map if target != SERVER_SITE_NAME]:
            self._deploy_map[ALL_SITES] = ClientApp()

    def to(self, obj: Any, target: str, id: str | None = None, **kwargs: Any) -> Any:
        """Add a component, filter, file or parameter to the server or to sites.

        FLARE's job API writes a component's arguments from its attributes, and leaves out silently what it does not
        find. Here such a component is refused.

        Raises:
            InputError: the job cannot have this part.
        """
        if isinstance(obj, AnalyticsReceiver):
            return self._track(obj, target)
        remedy = "Choose method=... and settings={...} of the recipe."
        own = not isinstance(obj, (Controller, Executor))
        require(own, "workflow and executor", "be the job's own", got=type(obj).__name__, where=WHERE, remedy=remedy)
        if isinstance(obj, dict):
            require_parameters(obj)
        elif not isinstance(obj, str):
            require_kept_arguments(obj)
        if kwargs.get("tasks", ALL_TASKS) is None:  # of a recipe's filter without tasks; FLARE 2.9.0 raises a TypeError
            kwargs["tasks"] = ALL_TASKS
        return super().to(obj, target, id, **kwargs)

    def _track(self, receiver: AnalyticsReceiver, target: str) -> None:
        """Turn the job's own tracking on; it files each number under its site, FLARE's receiver under the server."""
        name, at_server = TRACKERS.get(type(receiver).__name__, ""), target == SERVER_SITE_NAME
        rule, remedy = "be tensorboard or mlflow", "Their files are in the run's folder and come with the download."
        require(bool(name), "tracking", rule, got=type(receiver).__name__, where=WHERE, remedy=remedy)
        remedy = "Leave client_side out: the server has the numbers of all sites."
        require(at_server, "tracking", "be at the server", got=target, where=WHERE, remedy=remedy)
        given = {"kw_args": {"experiment_name": f"{self.name}-experiment", "run_name": f"{self.name}-Server"}}
        for key, default in {**DEFAULTS, **given}.items():
            got, remedy = getattr(receiver, key, default), "Leave tracking_config out."
            require(got == default, key, "be left out", got=repr(got), where=WHERE, remedy=remedy)
        change_settings(self.folder, {f"tracking.{name}": True})

    def added_apps(self) -> dict[str, FedAppConfig]:
        """Return, by the job's app, what was added to it; empty if nothing was."""
        apps = {str(app): sites for app, sites in read_object(self.folder / META)["deploy_map"].items()}
        found: dict[str, FedAppConfig] = {}
        for app, sites in apps.items():
            at_server = [SERVER_SITE_NAME] if {SERVER_SITE_NAME, ALL_SITES} & {*sites} else []
            at_sites = [ALL_SITES] if sites != [SERVER_SITE_NAME] else []
            parts = {target: self._added(target) for target in (*at_server, *at_sites, *sites)}
            server = parts.pop(SERVER_SITE_NAME, None)
            site = next((part for part in parts.values() if part), None)
            if server or site:
                found[app] = FedAppConfig(server_app=server, client_app=site)
        return found

    def _added(self, target: str) -> ServerAppConfig | ClientAppConfig | None:
        """What was added for a target, or None."""
        app = self._deploy_map.get(target)
        return app.app_config if app and has_parts(app.app_config) else None

    def _set_all_apps(self) -> None:
        """Nothing: the apps are those of the folder."""


def has_parts(config: ServerAppConfig | ClientAppConfig) -> bool:
    """Whether anything was added to an app."""
    names = ("components", "task_data_filters", "task_result_filters", "ext_scripts", "ext_dirs", "file_sources")
    return any(getattr(config, name) for name in (*names, "additional_params"))


def require_parameters(added: Mapping[str, Any]) -> None:
    """Refuse parameters of a config that would replace its parts."""
    taken = sorted({*PARTS, *MERGED} & added.keys())
    rule, remedy = "not be a part of the config", "Add components and filters by their own methods."
    require(not taken, "parameter", rule, got=", ".join(taken), where=WHERE, remedy=remedy)


def require_kept_arguments(component: Any) -> None:
    """Refuse a component with an argument that it does not keep as an attribute of that name, unless it is a default.

    Raises:
        InputError: naming the class and the arguments.
    """
    kept, kind = vars(component), type(component)
    lost = [name for name in get_component_init_parameters(component) if not {name, f"_{name}"} & kept.keys()]
    lost = [name for name in lost if name not in ("self", "args", "kwargs")]
    if not lost:
        return
    try:
        usual = vars(kind())
    except TypeError:
        usual = {}
    plain = {name: value for name, value in kept.items() if isinstance(value, PLAIN)}
    if any(name not in usual or usual[name] != value for name, value in plain.items()):
        rule, remedy = "be kept as attributes of the same names", "Add self.NAME = NAME to its constructor."
        got = f"no attribute {', '.join(lost)}"
        raise InputError(f"arguments of {kind.__name__}", rule, got=got, where=WHERE, remedy=remedy)
