from __future__ import annotations

import hashlib
from importlib.metadata import version
from pathlib import Path

from admin.results.file_hash import tree_sha256
from admin.results.report.provenance import flat, hashes, run_version, settings, versions
from admin.results.report.run_files import RunFiles, read_run_files
from fedaid.version import VERSION


def test_hashes_are_those_of_the_files(plain: RunFiles, run: Path) -> None:
    found = hashes(plain)
    assert found["best model, model.safetensors"] == hashlib.sha256(b"weights").hexdigest()
    results = run / "app_server" / "fedaid" / "results.json"
    assert found["results.json"] == hashlib.sha256(results.read_bytes()).hexdigest()


def test_the_evaluation_has_its_hash_wherever_it_lies(judged: RunFiles, evaluation: Path) -> None:
    file = evaluation / "app_server" / "fedaid" / "evaluation.json"
    assert hashes(judged)["evaluation.json"] == hashlib.sha256(file.read_bytes()).hexdigest()


def test_the_hash_of_the_code_sees_every_file_and_its_name(tmp_path: Path) -> None:
    (tmp_path / "a.py").write_text("1")
    first = tree_sha256(tmp_path)
    (tmp_path / "a.py").rename(tmp_path / "b.py")
    second = tree_sha256(tmp_path)
    (tmp_path / "b.py").write_text("2")
    assert len({first, second, tree_sha256(tmp_path)}) == 3


def test_settings_go_by_the_names_of_their_components() -> None:
    content = {"workflows": [{"id": "fedaid", "path": "x.Y", "args": {"rho": 0.25, "sizes": [1, 2]}}, {"path": "x.Z"}]}
    assert dict(flat(content)) == {
        "workflows.fedaid.id": "fedaid",
        "workflows.fedaid.path": "x.Y",
        "workflows.fedaid.args.rho": "0.25",
        "workflows.fedaid.args.sizes": "1 2",
        "workflows.Z.path": "x.Z",
    }


def test_every_setting_of_the_job_is_reported(plain: RunFiles) -> None:
    server = settings(plain)["config_fed_server.json"]
    assert server["workflows.fedaid.args.rho"] == str(plain.controller["rho"])
    assert server["components.persistor.args.model.args.image_encoder"] == "resnet"


def test_without_the_jobs_configs_the_models_is_left(run: Path) -> None:
    for file in (run / "app_server" / "config").iterdir():
        file.unlink()
    (run / "app_server" / "fedaid" / "best-00002" / "config.json").write_text('{"configuration": {"seed": 7}}')
    assert settings(read_run_files(run)) == {"model as trained": {"configuration.seed": "7"}}


def test_versions_are_those_that_are_installed() -> None:
    assert versions()["numpy"] == version("numpy")
    assert versions()["FedAID on NVIDIA FLARE"] == VERSION


def test_the_run_has_the_version_that_saved_its_best_model_or_none(plain: RunFiles) -> None:
    plain.model.mkdir(exist_ok=True)
    (plain.model / "config.json").write_text('{"configuration": {}, "fedaid_version": "0.9.7"}')
    assert run_version(plain) == "0.9.7"
    (plain.model / "config.json").write_text('{"configuration": {}}')
    assert run_version(plain) is None
    (plain.model / "config.json").unlink()
    assert run_version(plain) is None
