"""The bundle as a FLARE recipe: a packaged job that FLARE's environments simulate, try on this machine, or submit.

from nvflare.recipe import SimEnv
from admin.recipe import FedAIDRecipe

recipe = FedAIDRecipe(name="pilot", method="fedaid", min_clients=3, num_rounds=20)
run = recipe.execute(SimEnv(clients=["a", "b", "c"]))
"""

from __future__ import annotations

import os
import shutil
import sys
import tempfile
import weakref
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NoReturn

from nvflare.recipe import PocEnv, ProdEnv, SimEnv
from nvflare.recipe.prod_env import DEFAULT_ADMIN_USER
from nvflare.recipe.spec import ExecEnv, Recipe

from admin.federation.folder_job import FolderJob
from admin.federation.simulate import require_code
from admin.federation.site_names import require_site_names
from admin.jobs.methods import JOB, LOCAL
from admin.jobs.package import JOBS, NOTHING, package_job, source_job
from admin.jobs.settings import settable, values_by_name
from admin.jobs.start.hospital_preset import PRESET, hospital_settings
from admin.jobs.start.started_job import Start
from admin.session.login import admin_session, kit_user
from admin.session.submit import require_enough_sites
from fedaid.data.site import PLACEHOLDER, VARIABLE
from fedaid.errors import InputError, require

WHERE = "FedAIDRecipe"
EVALUATE = "evaluate"
JOBS_OF = {LOCAL: "local_pretrain", EVALUATE: "evaluate_global"}  # methods with a job of their own
LOGIN_SECONDS = 60.0  # FLARE 2.9.0 hangs after a login that did not answer in its 5 or 10 s, as on a busy machine
MODEL = "persistor.model"  # where a job has the model's arguments


class FedAIDRecipe(Recipe):  # type: ignore[misc]
    """A job of this project. Its settings are checked at once; the JSON of ``jobs/`` is the one source of it.

    ``execute`` and ``export`` are FLARE's: in ``SimEnv`` and ``PocEnv`` the environment variable FEDAID_DATA names the
    sites' data, as ``/data/{site}``; at hospitals each site has its own.

    Args:
        name: of the job.
        method: ``fedaid``, a baseline or an ablation of ``python -m admin package --list-methods``; ``local`` for
            every site alone; ``evaluate`` for the evaluation of ``start_from``.
        min_clients: sites that must answer; None for the job's own number.
        num_rounds: rounds of training; None for the job's own number.
        model: arguments of the model by name, such as ``{"image_size": 224}``.
        settings: other settings by name, as ``--set`` of ``package`` takes them.
        start_from: folder of a finished run's model, or of an export of it: evaluated, or what the run starts from.
        sites: all sites of a job with ``start_from``; needed for a model above 3 MB.
        code: whether the job carries the code; without it, server and sites have the wheel.
        towers_only: whether a run takes the encoders of ``start_from`` only.
        preset: ``hospital`` for real sites, docs/model.md; ``model`` and ``settings`` change it further.

    Raises:
        InputError: naming the argument or the setting.
    """

    def __init__(
        self,
        name: str | None = None,
        method: str = "fedaid",
        min_clients: int | None = None,
        num_rounds: int | None = None,
        model: Mapping[str, object] = NOTHING,
        settings: Mapping[str, object] = NOTHING,
        start_from: str | Path | None = None,
        sites: Sequence[str] = (),
        code: bool = True,
        towers_only: bool = False,
        preset: str | None = None,
    ) -> None:
        counts = {"min_clients": min_clients, "num_rounds": num_rounds}
        chosen = all_settings({key: value for key, value in counts.items() if value is not None}, model, settings)
        require_start(method, start_from, towers_only=towers_only)
        self.method = method
        folder = tempfile.mkdtemp(prefix="fedaid-recipe-")
        weakref.finalize(self, shutil.rmtree, folder, ignore_errors=True)
        with brought(method, start_from, towers_only=towers_only) as models:
            if preset is not None:
                chosen = preset_settings(preset, chosen, method=method, start=models.get("start"))
            job = package_job(
                JOBS_OF.get(method, JOB),
                out=Path(folder),
                settings=chosen,
                method=None if method in JOBS_OF else method,
                rename=name,
                sites=sites,
                code=code,
                **models,
            )
        super().__init__(FolderJob(job))

    def __repr__(self) -> str:
        return f"FedAIDRecipe(name={self.name!r}, method={self.method!r}, folder={str(self.folder)!r})"

    @property
    def folder(self) -> Path:
        """The packaged job, without what was added since; it is removed with this object."""
        return Path(self._job.folder)

    @property
    def settings(self) -> Mapping[str, object]:
        """Every setting of the job by its plain name."""
        return values_by_name(self.folder)

    @property
    def framework(self) -> NoReturn:
        """FLARE's cross-site evaluation asks for it; it does not know the tasks of this job's sites."""
        remedy = f'Evaluate the finished run: FedAIDRecipe(method="{EVALUATE}", start_from=MODEL_FOLDER).'
        raise InputError("evaluation", "be a job of its own", got="FLARE's helper", where=WHERE, remedy=remedy)

    def enable_tensor_streaming(self, *words: object, **more: object) -> NoReturn:
        """Refuses FLARE's tensor streaming: this job's own messages stream their arrays."""
        remedy = "Leave it out: this job's messages stream their arrays."
        raise InputError("tensor streaming", "be the job's own", got="FLARE's", where=WHERE, remedy=remedy)

    def process_env(self, env: ExecEnv) -> None:
        """Checks that the environment can run the job, before anything starts.

        Raises:
            InputError: the sites' data are not named, too few sites take part, or the kit is not an admin's.
            ConnectionError: the server cannot be reached.
        """
        if isinstance(env, ProdEnv):
            self._require_server(env)
        elif isinstance(env, (SimEnv, PocEnv)):
            sites = env.clients or [f"site-{number + 1}" for number in range(env.num_clients)]
            require_site_names(sites)
            require_code(self.folder)
            least, remedy = int(str(self.settings["min_clients"])), "Name more sites, or lower min_clients."
            rule = f"be at least min_clients, {least}"
            require(len(sites) >= least, "sites", rule, got=len(sites), where=type(env).__name__, remedy=remedy)
            require_data(sites)
            use_this_python()
            env.extra.setdefault("login_timeout", LOGIN_SECONDS)

    def _require_server(self, env: ProdEnv) -> None:
        """Takes the user's name from the kit, as ``submit`` does, and asks the server for its sites."""
        kit = Path(env.startup_kit_location)
        if env.username == DEFAULT_ADMIN_USER:
            env.username = kit_user(kit)
        env.login_timeout = max(env.login_timeout, LOGIN_SECONDS)
        with admin_session(kit, username=env.username, timeout=LOGIN_SECONDS) as session:
            require_enough_sites(session, self.folder)

    def _apply_per_site_config(self, config: dict[str, dict[str, Any]]) -> None:
        """Gives each site its own app; its settings are those of the site's config."""
        require_site_names(list(config))
        least, remedy = int(str(self.settings["min_clients"])), "Name all sites, those without settings too: {}."
        rule = f"name at least min_clients, {least} sites"
        require(len(config) >= least, "per-site config", rule, got=len(config), where=WHERE, remedy=remedy)
        self._job.set_sites(config)

    def _prepare_client_apps(self) -> None:
        self._job.for_all_sites()


def all_settings(
    counts: Mapping[str, object], model: Mapping[str, object], settings: Mapping[str, object]
) -> dict[str, object]:
    """Return the settings as ``package`` takes them; refuse one that is given twice."""
    made = {**counts, **{f"{MODEL}.{name}": value for name, value in model.items()}}
    twice = sorted(made.keys() & settings.keys())
    remedy = "Leave it out of settings."
    require(not twice, "setting", "be given once", got=", ".join(twice), where=WHERE, remedy=remedy)
    return {**made, **settings}


def require_start(method: str, start_from: str | Path | None, *, towers_only: bool) -> None:
    """Refuse an evaluation without a model, and parts of a model that is not given."""
    rule, remedy = "be the folder of a finished run's model", "Give the folder with model.safetensors."
    good = method != EVALUATE or start_from is not None
    require(good, "start_from", rule, got=start_from, where=WHERE, remedy=remedy)
    good, remedy = not towers_only or (start_from is not None and method != EVALUATE), "Leave it out."
    require(good, "towers_only", "be used with start_from, to train", got=True, where=WHERE, remedy=remedy)


def preset_settings(
    preset: str, chosen: Mapping[str, object], *, method: str, start: Start | None
) -> dict[str, object]:
    """Return the settings with those of a preset."""
    remedy = f'Use preset="{PRESET}", or leave it out.'
    require(preset == PRESET, "preset", "be a known one", got=preset, where=WHERE, remedy=remedy)
    present = settable(source_job(JOBS_OF.get(method, JOB), JOBS))
    return hospital_settings(chosen, present=present, start=start)


@contextmanager
def brought(method: str, start_from: str | Path | None, *, towers_only: bool) -> Iterator[dict[str, Any]]:
    """The argument of ``package_job`` for the model that the job brings, if any."""
    if start_from is None:
        yield {}
    elif method == EVALUATE:
        yield {"model": Path(start_from)}
    else:
        from admin.model.export.exported_start import start_from as started  # loads the exporters

        with started(Path(start_from), towers_only=towers_only) as start:
            yield {"start": start}


def require_data(sites: Sequence[str]) -> None:
    """Refuse an environment on this machine without a data folder for every site."""
    text, where = os.environ.get(VARIABLE, ""), "environment of this process"
    remedy = f'Set os.environ["{VARIABLE}"] = "/data/{PLACEHOLDER}", with one folder for each site.'
    require(
        PLACEHOLDER in text or len(sites) == 1,
        VARIABLE,
        f"hold {PLACEHOLDER}",
        got=repr(text),
        where=where,
        remedy=remedy,
    )
    missing = [site for site in sites if not text or not Path(text.replace(PLACEHOLDER, site)).is_dir()]
    rule, got = "name a folder for every site", f"none for {', '.join(missing)}"
    require(not missing, VARIABLE, rule, got=got, where=where, remedy=remedy)


def use_this_python() -> None:
    """Put this interpreter's folder first on PATH: a startup kit runs ``python3``, which must have FLARE."""
    own = Path(sys.executable).parent
    found = shutil.which("python3")
    if found is None or Path(found).parent != own:
        os.environ["PATH"] = f"{own}{os.pathsep}{os.environ.get('PATH', os.defpath)}"
