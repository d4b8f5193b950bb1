from __future__ import annotations

import hashlib
import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from fedaid.data.site_data import SiteData
from fedaid.errors import InputError
from fedaid.flare.site.local_model import LocalModel, ValidSplit, local_model_of, valid_split
from fedaid.models.saved_model import save_model

SPLIT = ValidSplit(studies=20, batch_size=4, sha256="ab")
CONFIGURATION = {"embedding_dim": 8, "image_encoder": {"name": "resnet"}}


@pytest.fixture
def saved(tmp_path: Path) -> Path:
    folder = tmp_path / "best-00002"
    folder.mkdir()
    save_model(folder, {"matrix": np.eye(2, dtype=np.float32)}, configuration=CONFIGURATION, vocabulary_hash="v")
    return folder


@pytest.fixture
def kept(tmp_path: Path, saved: Path) -> LocalModel:
    model = LocalModel(tmp_path / "kit" / "fedaid_local_model")
    model.keep(saved, round_number=2, valid_loss=1.5, valid=SPLIT, job_id="j1", pairs=640)
    return model


def test_the_folder_holds_weights_configuration_and_state_only(kept: LocalModel) -> None:
    assert sorted(file.name for file in kept.folder.iterdir()) == ["config.json", "model.safetensors", "state.json"]
    assert [file.name for file in kept.folder.parent.iterdir()] == ["fedaid_local_model"]


def test_the_state_gives_round_loss_job_and_hash(kept: LocalModel) -> None:
    state = json.loads((kept.folder / "state.json").read_text())
    digest = hashlib.sha256((kept.folder / "model.safetensors").read_bytes()).hexdigest()
    assert (state["round"], state["valid_loss"], state["job_id"], state["sha256"]) == (2, 1.5, "j1", digest)


def test_the_state_of_an_earlier_version_does_not_say_how_many_pairs(kept: LocalModel) -> None:
    assert kept.state is not None
    assert kept.state.pairs == 640
    fields = json.loads((kept.folder / "state.json").read_text())
    del fields["pairs"]
    (kept.folder / "state.json").write_text(json.dumps(fields))
    assert kept.state.pairs == 0


def test_a_new_model_replaces_the_one_before(kept: LocalModel, saved: Path) -> None:
    kept.keep(saved, round_number=5, valid_loss=1.0, valid=SPLIT, job_id="j2", pairs=80)
    assert kept.state is not None
    assert (kept.state.round, kept.state.job_id) == (5, "j2")


def test_what_a_crash_left_does_no_harm(kept: LocalModel, saved: Path) -> None:
    (kept.folder.parent / ".fedaid_local_model.unfinished").mkdir()
    kept.keep(saved, round_number=5, valid_loss=1.0, valid=SPLIT, job_id="j2", pairs=80)
    assert [file.name for file in kept.folder.parent.iterdir()] == ["fedaid_local_model"]


def test_a_configuration_is_compared_as_json(kept: LocalModel, saved: Path) -> None:
    configuration = {"depths": (1, 2)}
    save_model(saved, {"matrix": np.eye(2, dtype=np.float32)}, configuration=configuration, vocabulary_hash="v")
    kept.keep(saved, round_number=1, valid_loss=1.0, valid=SPLIT, job_id="j", pairs=80)
    assert kept.fits(configuration, "v")


def test_the_loss_alone_is_told_where_it_compares(kept: LocalModel) -> None:
    assert kept.alone_loss(SPLIT, CONFIGURATION, "v") == {"alone_loss": 1.5}


@pytest.mark.parametrize("saved_by", [{"fedaid_version": "0.1.0"}, {}])  # versions before 0.9 wrote none
def test_the_loss_compares_with_that_of_a_model_saved_by_another_version(
    saved_by: dict[str, str], kept: LocalModel
) -> None:
    config = kept.folder / "config.json"
    fields = json.loads(config.read_text())
    del fields["fedaid_version"]
    config.write_text(json.dumps(fields | saved_by))
    assert kept.alone_loss(SPLIT, CONFIGURATION, "v") == {"alone_loss": 1.5}


@pytest.mark.parametrize(
    ("split", "configuration", "vocabulary"),
    [
        (replace(SPLIT, studies=21), CONFIGURATION, "v"),
        (replace(SPLIT, batch_size=8), CONFIGURATION, "v"),
        (replace(SPLIT, sha256="cd"), CONFIGURATION, "v"),
        (SPLIT, CONFIGURATION | {"embedding_dim": 16}, "v"),
        (SPLIT, CONFIGURATION, "w"),
    ],
)
def test_the_loss_alone_is_not_told_of_other_data_or_another_model(
    split: ValidSplit, configuration: dict[str, Any], vocabulary: str, kept: LocalModel
) -> None:
    assert kept.alone_loss(split, configuration, vocabulary) == {}


@pytest.mark.parametrize("text", ["", "{", "[]", "{}", '{"round": 1}', '{"valid": 3}'])
def test_a_state_that_cannot_be_read_is_none(text: str, kept: LocalModel) -> None:
    (kept.folder / "state.json").write_text(text)
    assert kept.state is None
    assert kept.alone_loss(SPLIT, CONFIGURATION, "v") == {}


def test_the_model_lies_in_the_kit(tmp_path: Path) -> None:
    assert local_model_of("lake", tmp_path, {}).folder == tmp_path / "fedaid_local_model"


def test_a_site_may_say_where_its_model_lies(tmp_path: Path) -> None:
    environ = {"FEDAID_LOCAL_MODEL": "/models/{site}/own"}
    assert local_model_of("lake", tmp_path, environ).folder == Path("/models/lake/own")


def test_a_relative_place_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"^FEDAID_LOCAL_MODEL must be an absolute path"):
        local_model_of("lake", tmp_path, {"FEDAID_LOCAL_MODEL": "models"})


def test_the_split_is_known_by_its_texts(site_data: SiteData) -> None:
    found = valid_split(site_data.valid, batch_size=4)
    assert (found.studies, found.batch_size, len(found.sha256)) == (len(site_data.valid), 4, 64)
    assert found == valid_split(site_data.valid, batch_size=4)
    assert found.sha256 != valid_split(site_data.test, batch_size=4).sha256
