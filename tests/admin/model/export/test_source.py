from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import torch

from admin.model.export.source import read_source
from fedaid.errors import InputError
from tests.admin.model.export.trained_models import SITES, image_embeddings, some_images, trained, write_model

VIT = {"name": "vit", "num_hidden_layers": 3, "hidden_size": 32, "num_attention_heads": 2}
BERT = {"name": "bert", "num_hidden_layers": 3}


def write_run(folder: Path, model: Path) -> Path:
    """A run folder that ends with the model of another folder."""
    store = folder / "app_server" / "fedaid"
    store.mkdir(parents=True)
    (store / "best-00005").symlink_to(model)
    best = {name: {"valid": site, "test": site} for name, site in SITES.items()}
    results: dict[str, Any] = {"round": 5, "best_round": 5, "best": best, "model": "best-00005", "history": []}
    results |= {"pairs": dict.fromkeys(SITES, 40), "site_weights": dict.fromkeys(SITES, 0.5)}
    (store / "results.json").write_text(json.dumps(results))
    return folder


def test_adapters_are_merged(tmp_path: Path) -> None:
    model = trained(VIT, text_encoder=BERT, adapters={"rank": 2})
    source = read_source(write_model(model, tmp_path / "model"))
    assert source.adapted
    assert not any("lora" in name for name in source.model.state_dict())
    found = image_embeddings(source.model, some_images())
    torch.testing.assert_close(found, image_embeddings(model, some_images()), atol=1e-5, rtol=0)


def test_a_run_adds_what_it_measured_on_the_test_splits(tmp_path: Path) -> None:
    model = write_model(trained(), tmp_path / "model")
    evidence = read_source(model, run=write_run(tmp_path / "run", model)).evidence
    assert evidence is not None
    assert (evidence.split, evidence.pairs) == ("test", 80)


def test_a_run_whose_sites_trained_alone_is_refused(tmp_path: Path) -> None:
    model = write_model(trained(), tmp_path / "model")
    results = write_run(tmp_path / "run", model) / "app_server" / "fedaid" / "results.json"
    results.write_text(json.dumps(json.loads(results.read_text()) | {"best_round": -1, "site_weights": {}}))
    with pytest.raises(InputError, match=r"^--run must be one of a federation"):
        read_source(model, run=tmp_path / "run")


def test_a_run_that_ended_with_another_model_is_refused(tmp_path: Path) -> None:
    model, other = (write_model(trained(seed=seed), tmp_path / str(seed)) for seed in (0, 1))
    with pytest.raises(InputError, match="Give the run that the model is from"):
        read_source(model, run=write_run(tmp_path / "run", other))


@pytest.mark.parametrize("broken", ["", "{", "[]", '{"configuration": {"image_size": -1}, "vocabulary_sha256": ""}'])
def test_a_folder_that_holds_no_model_is_refused_in_one_line(broken: str, tmp_path: Path) -> None:
    model = write_model(trained(), tmp_path / "model")
    (model / "config.json").write_text(broken)
    with pytest.raises(InputError, match="must") as refused:
        read_source(model)
    assert "\n" not in str(refused.value)


def test_weights_of_another_shape_are_refused_in_one_line(tmp_path: Path) -> None:
    model = write_model(trained(), tmp_path / "model")
    config = json.loads((model / "config.json").read_text())
    config["configuration"]["embedding_dim"] = 8
    (model / "config.json").write_text(json.dumps(config))
    with pytest.raises(InputError, match="MODEL_FOLDER must be a model that a run left") as refused:
        read_source(model)
    assert "\n" not in str(refused.value)


@pytest.mark.parametrize("broken", ["{", "[]", '{"metrics": {"north": {"loss": 1.0}}}'])
def test_a_state_that_cannot_be_read_is_refused_in_one_line(broken: str, tmp_path: Path) -> None:
    model = write_model(trained(), tmp_path / "model")
    (model / "state.json").write_text(broken)
    with pytest.raises(InputError, match="MODEL_FOLDER must be a model that a run left") as refused:
        read_source(model)
    assert "\n" not in str(refused.value)


def test_results_that_cannot_be_read_are_refused_in_one_line(tmp_path: Path) -> None:
    model = write_model(trained(), tmp_path / "model")
    run = write_run(tmp_path / "run", model)
    (run / "app_server" / "fedaid" / "results.json").write_text("{}")
    with pytest.raises(InputError, match="--run must be the folder of a finished run"):
        read_source(model, run=run)


def test_a_folder_that_is_not_there_is_refused_in_one_line(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="No such file"):
        read_source(tmp_path / "nothing")
