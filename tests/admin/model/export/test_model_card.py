from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import yaml

from admin.model.export.model_card import card, write_card
from admin.model.export.source import Source
from fedaid.flare.store.start_model import StartModel
from fedaid.version import VERSION
from tests.admin.model.export.trained_models import SITES, source_of, trained


@pytest.fixture
def source(tmp_path: Path) -> Source:
    return source_of(trained(), tmp_path / "model")


def words(text: str) -> str:
    return " ".join(text.split())


def header(source: Source) -> dict[str, Any]:
    found: dict[str, Any] = yaml.safe_load(card(source, form="monai", usage="").split("---\n", 2)[1])
    return found


def test_the_header_is_yaml_that_names_the_licence(source: Source) -> None:
    assert header(replace(source, licence="cc-by-nc-4.0"))["license"] == "cc-by-nc-4.0"


def test_an_unknown_licence_is_to_be_asked_for(source: Source) -> None:
    assert "Ask the consortium that trained it before you use this model" in words(
        card(source, form="huggingface", usage="")
    )


def test_the_card_says_where_the_run_began(source: Source) -> None:
    assert "The run began" not in card(source, form="onnx", usage="")
    start = StartModel("pilot", "0a1b", towers_only=False)
    text = words(card(replace(source, start=start), form="onnx", usage=""))
    assert "The run began from the model `pilot` with SHA-256 `0a1b`. Trained by FedAID" in text
    towers = words(card(replace(source, start=start._replace(towers_only=True)), form="onnx", usage=""))
    assert "The run began from the towers of the model `pilot`" in towers


def test_data_are_counts_and_metrics_are_over_sites(source: Source) -> None:
    text = words(card(source, form="huggingface", usage=""))
    assert "2 sites" in text
    assert "validation split, 50 studies of 2 sites" in text
    assert "| recall_at_5 | 0.375 | 0.250 |" in text


def test_no_site_is_named(source: Source) -> None:
    text = card(source, form="huggingface", usage="").lower()
    assert not [name for name in SITES if name in text]


def test_a_model_without_evidence_says_that_nothing_is_known(source: Source) -> None:
    text = words(card(replace(source, evidence=None), form="onnx", usage=""))
    assert "The data are not documented" in text
    assert "No metrics are available." in text
    assert "hospitals trained it together" not in text


@pytest.mark.parametrize("form", ["monai", "onnx"])
def test_a_folder_of_the_image_tower_alone_says_so_and_speaks_of_no_text_and_no_pooler(
    form: str, source: Source
) -> None:
    text = words(card(source, form=form, usage=""))
    assert "holds the image tower; the text tower is in the Hugging Face layout." in text
    assert [part for part in ("pooler", "last_hidden_state", "A text is") if part in text] == []


def test_a_hugging_face_folder_says_which_towers_it_holds(source: Source, tmp_path: Path) -> None:
    assert "This folder holds both towers." in words(card(source, form="huggingface", usage=""))
    without = source_of(trained("monai_densenet121"), tmp_path / "monai")
    assert "This folder holds the text tower." in words(card(without, form="huggingface", usage=""))


def test_the_card_does_not_claim_a_method_that_it_cannot_know(source: Source) -> None:
    assert "The same code runs baselines, and the weights do not show" in words(card(source, form="onnx", usage=""))


def test_only_the_vocabulary_that_ships_is_known_to_be_english(source: Source) -> None:
    assert header(source)["language"] == "en"
    source.model.configuration["vocabulary"] = "local:dutch"
    assert "language" not in header(source)


def test_the_card_names_the_version_that_trained_and_the_one_that_exported(source: Source) -> None:
    assert source.trained_by == VERSION
    text = words(card(replace(source, trained_by="0.9.7"), form="onnx", usage=""))
    assert f"Trained by FedAID on NVIDIA FLARE 0.9.7, exported by version {VERSION}" in text
    assert "in a version before 0.9" in words(card(replace(source, trained_by=""), form="onnx", usage=""))


def test_merged_adapters_are_mentioned(source: Source) -> None:
    assert "adapters, which are merged" in card(replace(source, adapted=True), form="onnx", usage="")
    assert "adapters" not in card(source, form="huggingface", usage="")


def test_the_card_holds_intended_use_limits_and_the_code(source: Source, tmp_path: Path) -> None:
    write_card(source, tmp_path / "README.md", form="huggingface", usage="print('embedded')\n")
    text = (tmp_path / "README.md").read_text()
    assert "not a medical device" in text
    assert "neither differentially private" in text
    assert "```python\nprint('embedded')\n```" in text
