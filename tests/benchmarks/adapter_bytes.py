"""Bytes of a round with low-rank adapters over those of training everything, counted at the server.

python -m tests.benchmarks.adapter_bytes
"""

from __future__ import annotations

import json
import tempfile
from pathlib import Path
from statistics import median
from typing import Any

from admin.jobs.cost import ModelSize, model_size
from admin.jobs.forecast import MODEL as BASE_SIZED
from tests.benchmarks.simulated_run import round_bytes, run

LAYERS = {"hidden_size": 64, "intermediate_size": 256, "num_attention_heads": 2, "num_hidden_layers": 8}
MODEL: dict[str, Any] = {
    "image_encoder": {"name": "vit", "patch_size": 8} | LAYERS,
    "text_encoder": {"name": "bert"} | LAYERS,
    "image_size": 32,
    "embedding_dim": 16,
    "projection_hidden": 32,
    "max_tokens": 48,
}
ADAPTERS = {"rank": 8}


def measured(rounds: int = 3, sites: int = 3) -> dict[str, Any]:
    """Simulator: bytes of each round over all sites, FedAID at 32 bits, and their ratio after the first round."""
    counts: dict[str, list[int]] = {}
    for name, adapters in (("full", None), ("adapters", ADAPTERS)):
        model = MODEL | {"adapters": adapters}
        with tempfile.TemporaryDirectory() as folder:
            results = run("fedaid_pretrain", Path(folder), sites=sites, num_rounds=rounds, model=model)
        counts[name] = round_bytes(results, rounds)
    after_the_first = {name: median(found[1:]) for name, found in counts.items()}
    return {"bytes": counts, "ratio": after_the_first["adapters"] / after_the_first["full"]}


def computed(model: dict[str, Any], dtype: str = "fp32") -> dict[str, Any]:
    """The same ratio from the shapes, and what it is made of, in parameters."""
    full, adapted = model_size(model), model_size(model | {"adapters": ADAPTERS})
    return {
        "parameters": full.parameters,
        "alignment": full.alignment // 4,
        "adapters": adapted.parameters - full.parameters,
        "ratio": exchanged(adapted, dtype) / exchanged(full, "fp32"),
        "over_fedavg": exchanged(adapted, dtype) / (2 * full.whole),
    }


def exchanged(size: ModelSize, dtype: str) -> int:
    """Bytes of a site and round of FedAID, both ways."""
    return 2 * (size.packed(dtype) + size.packed(dtype, alignment=True))


if __name__ == "__main__":
    shapes = {dtype: computed(BASE_SIZED, dtype) for dtype in ("fp32", "bf16", "int8")}
    print(json.dumps({"computed_tiny": computed(MODEL), "computed_base": shapes, "measured": measured()}, indent=1))
