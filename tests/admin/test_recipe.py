from __future__ import annotations

import json
import re
import shutil
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from nvflare.apis.dxo import DXO
from nvflare.apis.dxo_filter import DXOFilter
from nvflare.apis.job_def import JobMetaKey
from nvflare.app_common.filters.percentile_privacy import PercentilePrivacy
from nvflare.app_common.workflows.scatter_and_gather import ScatterAndGather
from nvflare.recipe import (
    PocEnv,
    ProdEnv,
    SimEnv,
    add_cross_site_evaluation,
    add_experiment_tracking,
    set_per_site_config,
    set_recipe_meta,
)

from admin import recipe as module
from admin.federation import folder_job
from admin.jobs import package
from admin.jobs.methods import METHODS
from admin.jobs.start.started_job import Start
from admin.recipe import JOBS_OF, FedAIDRecipe
from fedaid.errors import InputError
from fedaid.models.dual_encoder import DualEncoder
from fedaid.models.saved_model import save_model

RUN = {"run_name": "pilot-1"}
REAL_CHECK = package.check_job


def files_of(folder: Path) -> dict[str, bytes]:
    return {str(file.relative_to(folder)): file.read_bytes() for file in folder.rglob("*") if file.is_file()}


@pytest.fixture(autouse=True)
def quick(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Jobs carry one file of code, and no class is imported to check them."""
    source = tmp_path / "source" / "fedaid"
    source.mkdir(parents=True)
    (source / "__init__.py").write_text('"""Code."""\n')
    monkeypatch.setattr(package, "SOURCE", source)
    for where in (package, folder_job):
        monkeypatch.setattr(where, "check_job", lambda folder: 0)


@pytest.fixture
def pilot() -> FedAIDRecipe:
    return FedAIDRecipe(name="pilot", min_clients=2, settings=RUN)


@pytest.fixture
def exported(tmp_path: Path) -> Callable[[FedAIDRecipe], Any]:
    """A function that exports a recipe and returns a config of its app, or its meta.json."""

    def export(recipe: FedAIDRecipe, name: str = "config/config_fed_server.json", *, app: str = "app") -> Any:
        recipe.export(str(tmp_path / "exported"))
        folder = tmp_path / "exported" / recipe.name
        return json.loads((folder / name if name == "meta.json" else folder / app / name).read_text())

    return export


@pytest.mark.parametrize("method", [name for name in METHODS if name != "pooled"])
def test_an_export_has_the_bytes_of_package_for_every_method(method: str, tmp_path: Path) -> None:
    settings = {} if method in JOBS_OF else RUN
    recipe = FedAIDRecipe("pilot", method, 3, 20, model={"image_size": 32}, settings={"batch_size": 8, **settings})
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        recipe.export(str(tmp_path / "exported"))
    packaged = package.package_job(
        JOBS_OF.get(method, "fedaid_pretrain"),
        out=tmp_path / "packaged",
        method=None if method in JOBS_OF else method,
        rename="pilot",
        settings={"min_clients": 3, "num_rounds": 20, "image_size": 32, "batch_size": 8, **settings},
    )
    assert files_of(tmp_path / "exported" / "pilot") == files_of(packaged)


@pytest.mark.parametrize("towers_only", [False, True])
def test_an_export_that_starts_from_a_model_has_the_bytes_of_package(
    towers_only: bool, tmp_path: Path, model: DualEncoder
) -> None:
    folder = tmp_path / "best-00002"
    folder.mkdir()
    tensors = {name: tensor.numpy() for name, tensor in model.state_dict().items()}
    save_model(folder, tensors, configuration=model.configuration, vocabulary_hash=model.vocabulary_hash)
    recipe = FedAIDRecipe("pilot", "moon", start_from=folder, towers_only=towers_only, sites=["a", "b"], settings=RUN)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        recipe.export(str(tmp_path / "exported"))
    packaged = package.package_job(
        "fedaid_pretrain",
        out=tmp_path / "packaged",
        method="moon",
        rename="pilot",
        settings=RUN,
        start=Start(folder, towers_only),
        sites=["a", "b"],
    )
    assert files_of(tmp_path / "exported" / "pilot") == files_of(packaged)
    assert (packaged / "app" / "start_model" / "model.safetensors").is_file()


def test_the_preset_gives_the_settings_of_package(tmp_path: Path) -> None:
    towers = {"image_encoder": "local:rad-dino", "text_encoder": "local:biomedbert"}
    recipe = FedAIDRecipe("pilot", preset="hospital", model=towers, settings=RUN)
    assert recipe.settings["wire_dtype"] == "bf16"
    assert recipe.settings["image_encoder"] == {"name": "local:rad-dino", "frozen": True}


def test_a_real_export_has_the_real_code_and_passes_the_check(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.undo()
    recipe = FedAIDRecipe("pilot", settings=RUN)
    recipe.export(str(tmp_path))
    assert files_of(tmp_path / "pilot") == files_of(recipe.folder)
    assert REAL_CHECK(tmp_path / "pilot") > 8
    assert (tmp_path / "pilot/app/custom/fedaid/flare/server/controller.py").is_file()


def test_an_export_replaces_a_former_job_and_no_other_folder(pilot: FedAIDRecipe, tmp_path: Path) -> None:
    pilot.export(str(tmp_path / "out"))
    pilot.export(str(tmp_path / "out"))
    assert [path.name for path in (tmp_path / "out").iterdir()] == ["pilot"]
    (tmp_path / "mine" / "pilot").mkdir(parents=True)
    (tmp_path / "mine" / "pilot" / "thesis.txt").touch()
    with pytest.raises(InputError, match=r"job folder must not exist or hold a job's meta.json"):
        pilot.export(str(tmp_path / "mine"))


def test_the_settings_can_be_read_and_the_folder_goes_with_the_object() -> None:
    recipe = FedAIDRecipe(num_rounds=7, settings={"rho": 0.1})
    assert recipe.settings["num_rounds"] == 7
    assert recipe.settings["rho"] == 0.1
    assert "fedaid_pretrain" in repr(recipe)
    folder = recipe.folder
    assert folder.is_dir()
    del recipe
    assert not folder.exists()


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"method": "fedaids"}, "method must be a known one, got fedaids: .* Did you mean fedaid?"),
        ({"method": "pooled"}, "A federation does not pool data"),
        ({"settings": {"num_round": 3}}, "got num_round: .* Did you mean num_rounds?"),
        ({"num_rounds": 2, "settings": {"num_rounds": 3}}, "setting must be given once, got num_rounds: FedAIDRecipe"),
        ({"model": {"image_sise": 3}}, "Did you mean persistor.model.image_size?"),
        ({"name": "my job"}, "job name must be letters"),
        ({"preset": "clinic"}, "preset must be a known one, got clinic"),
        ({"preset": "hospital"}, "image_encoder must be a pretrained encoder"),
        ({"towers_only": True}, "towers_only must be used with start_from, to train, got True"),
        (
            {"method": "evaluate", "start_from": "model", "towers_only": True},
            "towers_only must be used with start_from",
        ),
        ({"method": "evaluate"}, "start_from must be the folder of a finished run's model, got None"),
        ({"method": "fedavg", "settings": {"align_steps": 3}}, "align_steps must be left out"),
    ],
)
def test_a_wrong_argument_is_refused_at_once(given: dict[str, Any], message: str) -> None:
    with pytest.raises(InputError, match=message):
        FedAIDRecipe(**given)


def test_each_site_can_have_its_own_settings(pilot: FedAIDRecipe, exported: Any) -> None:
    set_per_site_config(pilot, {"a": {"batch_size": 16}, "b": {}})
    assert pilot.configured_sites() == ["a", "b"]
    found = {
        site: exported(pilot, "config/config_fed_client.json", app=f"app_{site}")["executors"][0]["executor"]["args"]
        for site in ("a", "b")
    }
    assert (found["a"]["batch_size"], found["b"]["batch_size"]) == (16, 32)
    assert exported(pilot, "meta.json")["deploy_map"] == {"app": ["server"], "app_a": ["a"], "app_b": ["b"]}


@pytest.mark.parametrize(
    ("config", "message"),
    [
        ({"a": {"batch_sise": 3}, "b": {}}, "got batch_sise: settings of site a. Did you mean batch_size?"),
        ({"a": {"num_rounds": 3}, "b": {}}, "got num_rounds: settings of site a"),
        ({"a": {"batch_size": "many"}, "b": {}}, "executor.batch_size must be a number"),
        ({"a": {}}, "per-site config must name at least min_clients, 2 sites, got 1"),
        ({"a": {}, "server": {}}, "site must not be one of FLARE's names"),
    ],
)
def test_wrong_settings_of_a_site_are_refused_at_once(pilot: FedAIDRecipe, config: Any, message: str) -> None:
    with pytest.raises(InputError, match=message):
        set_per_site_config(pilot, config)


def test_an_added_filter_works_on_plain_arrays(pilot: FedAIDRecipe, exported: Any) -> None:
    pilot.add_client_output_filter(PercentilePrivacy(percentile=20), tasks=["align"])
    pilot.add_client_input_filter(PercentilePrivacy())
    config = exported(pilot, "config/config_fed_client.json")
    chains = {task: entry["filters"] for entry in config["task_result_filters"] for task in entry["tasks"]}
    assert [part["path"].rpartition(".")[2] for part in chains["align"]] == ["PercentilePrivacy", "UpdateEncoder"]
    assert chains["align"][0]["args"]["percentile"] == 20
    assert [part["path"].rpartition(".")[2] for part in chains["train"]] == ["UpdateEncoder"]
    chains = {task: entry["filters"] for entry in config["task_data_filters"] for task in entry["tasks"]}
    assert [part["path"].rpartition(".")[2] for part in chains["align"]] == ["ModelDecoder", "PercentilePrivacy"]
    assert [part["path"].rpartition(".")[2] for part in chains["validate"]] == ["PercentilePrivacy"]


def test_a_filter_for_one_site_needs_settings_by_site(pilot: FedAIDRecipe, exported: Any) -> None:
    with pytest.raises(ValueError, match="cannot target specific clients"):
        pilot.add_client_output_filter(PercentilePrivacy(), clients=["a"])
    other = FedAIDRecipe(name="other", min_clients=2, settings=RUN)
    set_per_site_config(other, {"a": {}, "b": {}})
    other.add_client_output_filter(PercentilePrivacy(), clients=["a"])
    found = {
        site: "PercentilePrivacy" in str(exported(other, "config/config_fed_client.json", app=f"app_{site}"))
        for site in ("a", "b")
    }
    assert found == {"a": True, "b": False}


class Forgetful(DXOFilter):  # type: ignore[misc]
    def __init__(self, threshold: float = 0.1) -> None:
        super().__init__([], [])
        self.limit = threshold

    def process_dxo(self, dxo: DXO, shareable: Any, fl_ctx: Any) -> None:
        return None


def test_an_argument_that_flare_would_drop_silently_is_refused(pilot: FedAIDRecipe) -> None:
    with pytest.raises(InputError, match=r"arguments of Forgetful must be kept .*, got no attribute threshold"):
        pilot.add_client_output_filter(Forgetful(threshold=0.5))


@pytest.mark.parametrize(
    ("tracker", "setting"), [("tensorboard", {"tensorboard": True, "mlflow": False}), ("mlflow", {"mlflow": True})]
)
def test_experiment_tracking_is_the_jobs_own(tracker: str, setting: dict[str, bool], exported: Any) -> None:
    recipe = FedAIDRecipe(settings={**RUN, "tensorboard": False})
    add_experiment_tracking(recipe, tracker)
    components = exported(recipe)["components"]
    assert setting.items() <= next(part for part in components if part["id"] == "tracking")["args"].items()
    assert not [part for part in components if "receiver" in part["id"]]


def test_tracking_that_would_be_empty_or_elsewhere_is_refused(pilot: FedAIDRecipe) -> None:
    with pytest.raises(InputError, match="tracking must be at the server"):
        add_experiment_tracking(pilot, "tensorboard", client_side=True, server_side=False)
    with pytest.raises(InputError, match=r"tracking_uri must be left out, got 'http://elsewhere'"):
        add_experiment_tracking(pilot, "mlflow", {"tracking_uri": "http://elsewhere"})
    with pytest.raises(InputError, match=r"kw_args must be left out"):
        add_experiment_tracking(pilot, "mlflow", {"kw_args": {"experiment_name": "mine"}})


def test_parameters_files_and_metadata_are_added(pilot: FedAIDRecipe, exported: Any, tmp_path: Path) -> None:
    (tmp_path / "more").mkdir()
    (tmp_path / "more" / "extra.py").write_text("X = 1\n")
    pilot.add_server_config({"dead_client_grace_period": 5})
    pilot.add_client_file(str(tmp_path / "more"))
    set_recipe_meta(pilot, JobMetaKey.CUSTOM_PROPS, {"study": "chest"})
    set_recipe_meta(pilot, JobMetaKey.RESOURCE_SPEC, {"a": {"num_of_gpus": 1}})
    assert exported(pilot)["dead_client_grace_period"] == 5
    meta = exported(pilot, "meta.json")
    assert meta["custom_props"].keys() == {"study", "fedaid_version", "fedaid_code"}
    assert meta["resource_spec"] == {"a": {"num_of_gpus": 1}}
    assert (tmp_path / "exported" / "pilot" / "app" / "custom" / "extra.py").is_file()


def test_what_the_job_has_is_not_replaced(pilot: FedAIDRecipe, exported: Any, tmp_path: Path) -> None:
    with pytest.raises(InputError, match="parameter must not be a part of the config, got executors"):
        pilot.add_client_config({"executors": []})
    with pytest.raises(InputError, match="workflow and executor must be the job's own, got ScatterAndGather"):
        pilot._job.to_server(ScatterAndGather(min_clients=1))
    with pytest.raises(InputError, match="evaluation must be a job of its own"):
        add_cross_site_evaluation(pilot)
    with pytest.raises(InputError, match="tensor streaming must be the job's own"):
        pilot.enable_tensor_streaming()
    pilot.add_server_config({"server": {}})
    with pytest.raises(InputError, match="parameter must not be one of the job's, got server"):
        exported(pilot)


@pytest.fixture
def data(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for site in ("a", "b", "site-1", "site-2"):
        (tmp_path / "data" / site).mkdir(parents=True)
    monkeypatch.setenv("FEDAID_DATA", str(tmp_path / "data" / "{site}"))


@pytest.mark.usefixtures("data")
@pytest.mark.parametrize("env", [SimEnv(clients=["a", "b"]), SimEnv(num_clients=2), PocEnv(clients=["a", "b"])])
def test_an_environment_with_data_for_every_site_can_start(
    pilot: FedAIDRecipe, env: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", "/nowhere")
    pilot.process_env(env)
    assert shutil.which("python3") is not None


@pytest.mark.usefixtures("data")
@pytest.mark.parametrize(
    ("env", "message"),
    [
        (SimEnv(num_clients=1), "sites must be at least min_clients, 2, got 1: SimEnv"),
        (SimEnv(num_clients=3), "FEDAID_DATA must name a folder for every site, got none for site-3"),
        (PocEnv(clients=["a", "c"]), "got none for c: environment"),
        (SimEnv(clients=["a", "true"]), "site must be text to FLARE"),
    ],
)
def test_an_environment_that_cannot_run_the_job_is_refused(pilot: FedAIDRecipe, env: Any, message: str) -> None:
    with pytest.raises(InputError, match=message):
        pilot.process_env(env)


def test_without_data_the_remedy_is_a_line_to_type(pilot: FedAIDRecipe, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("FEDAID_DATA", raising=False)
    with pytest.raises(InputError, match=r'FEDAID_DATA must hold \{site\}, .* os.environ\["FEDAID_DATA"\] = "/data/'):
        pilot.process_env(SimEnv(num_clients=2))


def test_a_folder_that_is_no_kit_is_refused(pilot: FedAIDRecipe, tmp_path: Path) -> None:
    with pytest.raises(InputError, match="kit must be an admin's startup kit"):
        pilot.process_env(ProdEnv(startup_kit_location=str(tmp_path)))


def test_the_user_of_a_kit_is_read_from_it(
    pilot: FedAIDRecipe, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "startup").mkdir()
    kit = {"admin": {"username": "lead@consortium.org", "host": "localhost", "port": 1}}
    (tmp_path / "startup" / "fed_admin.json").write_text(json.dumps(kit))
    asked = []

    def unreachable(kit: Path, *, username: str, timeout: float) -> None:
        asked.append(username)
        raise ConnectionError

    monkeypatch.setattr(module, "admin_session", unreachable)
    env = ProdEnv(startup_kit_location=str(tmp_path))
    with pytest.raises(ConnectionError):
        pilot.process_env(env)
    assert asked == ["lead@consortium.org"] == [env.username]


def test_the_readme_s_lines_make_a_recipe_of_three_sites(monkeypatch: pytest.MonkeyPatch) -> None:
    readme = (Path(__file__).parents[2] / "README.md").read_text(encoding="utf-8")
    (code,) = (block for block in re.findall(r"```python\n(.*?)```", readme, re.DOTALL) if "FedAIDRecipe(" in block)
    executed: list[Any] = []
    monkeypatch.setattr(FedAIDRecipe, "execute", lambda recipe, environment: executed.append((recipe, environment)))
    exec(code, {})  # noqa: S102 (lines of this repository)
    ((recipe, environment),) = executed
    assert recipe.name == "pilot"
    assert isinstance(environment, SimEnv)
    assert len(environment.clients) == 3
