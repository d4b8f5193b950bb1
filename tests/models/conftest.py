"""Tiny Hugging Face models in a local folder, and no network."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from transformers import AutoConfig, AutoModel

from fedaid.models.vocabulary import VOCABULARY_FILE, vocabulary_size

SIZES = {"hidden_size": 16, "intermediate_size": 24, "num_hidden_layers": 3, "num_attention_heads": 2}
NO_DROPOUT = {"hidden_dropout_prob": 0.0, "attention_probs_dropout_prob": 0.0}
TEXT = {"vocab_size": vocabulary_size(), "pad_token_id": 0}
TINY: dict[str, dict[str, Any]] = {  # but for the sizes, the defaults: three channels, 512 positions
    "vit": SIZES | {"image_size": 32, "patch_size": 8},
    "dinov2": {k: v for k, v in SIZES.items() if k != "intermediate_size"} | {"image_size": 32, "patch_size": 8},
    "bert": SIZES | NO_DROPOUT | TEXT,
    "roberta": SIZES | NO_DROPOUT | TEXT,
    "electra": SIZES | NO_DROPOUT | TEXT | {"embedding_size": 8},
    "distilbert": TEXT
    | {"dim": 16, "hidden_dim": 24, "n_layers": 3, "n_heads": 2, "dropout": 0.0, "attention_dropout": 0.0},
}


@pytest.fixture(autouse=True)
def offline(no_network: None) -> None:
    """Whatever asks for an address fails."""


@pytest.fixture
def models_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """``$FEDAID_MODELS``, empty."""
    monkeypatch.setenv("FEDAID_MODELS", str(tmp_path))
    return tmp_path


@pytest.fixture
def saved(models_folder: Path) -> Callable[..., Any]:
    """A function that writes a tiny model into a folder named after its type, and returns it."""

    def save(model_type: str, **changes: Any) -> Any:
        torch.manual_seed(1)
        model = AutoModel.from_config(AutoConfig.for_model(model_type, **TINY[model_type] | changes)).eval()
        model.save_pretrained(models_folder / model_type)
        shutil.copy(VOCABULARY_FILE, models_folder / model_type / "vocab.txt")  # so that ``radiology`` is its own
        scale = {"image_mean": [0.5] * 3, "image_std": [0.5] * 3}
        (models_folder / model_type / "preprocessor_config.json").write_text(json.dumps(scale))
        return model

    return save
