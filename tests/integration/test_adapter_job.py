from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from safetensors.numpy import load_file

from admin.federation.simulate import simulate
from fedaid.models.saved_model import load_model
from fedaid.models.tensor_names import is_alignment
from tests.integration.conftest import small_job

SIZES = {"hidden_size": 32, "intermediate_size": 64, "num_attention_heads": 2, "num_hidden_layers": 3}
TOWERS: dict[str, Any] = {"image_encoder": {"name": "vit"} | SIZES, "text_encoder": {"name": "bert"} | SIZES}
SITES = ["lindental-university", "st-brigid-general"]


@pytest.mark.slow
def test_in_a_run_with_adapters_frozen_weights_stay_and_travel_once(consortium: Path, tmp_path: Path) -> None:
    job = small_job(tmp_path / "jobs", sites=2, num_rounds=3, adapters={"rank": 2}, **TOWERS)
    app = simulate(job, workspace=tmp_path / "run", sites=SITES, data=consortium, timeout=300)
    first, last = (load_file(app / "fedaid" / f"round-{n:05d}" / "model.safetensors") for n in (2, 3))
    moved = {name for name in first if not (first[name] == last[name]).all()}
    assert any(".lora_" in name for name in moved)
    assert all(".lora_" in name or is_alignment(name) for name in moved)
    model = load_model(app / "fedaid" / "round-00003")
    learns = sum(w.numel() * 4 for w in model.parameters() if w.requires_grad)
    align = sum(tensor.nbytes for name, tensor in last.items() if is_alignment(name))
    spent = json.loads((app / "fedaid" / "results.json").read_text())["bytes"]["2"]
    for task, down, up in (("align", learns, align), ("pretrain", align, learns)):
        assert spent[task]["down"] < 2 * down + 40_000  # two sites; the names of what stays take their bytes, too
        assert spent[task]["up"] < 2 * up + 40_000
    assert sum(tensor.nbytes for tensor in last.values()) > 2 * learns
