from __future__ import annotations

from pathlib import Path

import pytest
import torch
from torch import nn

from fedaid.models.dual_encoder import DualEncoder
from fedaid.training import hardware
from fedaid.training.hardware import DTYPES, autocast, computes_bf16, loss_scaler

CPU = torch.device("cpu")


@pytest.mark.parametrize("precision", DTYPES)
def test_matrix_products_take_the_format(precision: str) -> None:
    with autocast(precision, CPU):
        assert nn.Linear(3, 3)(torch.ones(2, 3)).dtype == DTYPES[precision]


@pytest.mark.parametrize("precision", DTYPES)
def test_embeddings_are_of_unit_norm_in_single_precision(precision: str, model: DualEncoder) -> None:
    ids = torch.randint(5, 99, (4, 7))
    with autocast(precision, CPU):
        embeddings = model.eval()(torch.randn(4, 1, 32, 32), ids, torch.ones_like(ids, dtype=torch.bool))
    for tower in embeddings:
        assert tower.dtype == torch.float32
        torch.testing.assert_close(tower.norm(dim=1), torch.ones(4), atol=1e-6, rtol=0)


def test_losses_are_scaled_in_fp16_only() -> None:
    scaled = {name: float(loss_scaler(name, CPU).scale(torch.tensor(1.0))) for name in DTYPES}
    assert scaled == {"fp32": 1.0, "bf16": 1.0, "fp16": 4096.0}


@pytest.mark.parametrize(
    ("flags", "expected"), [("fpu avx512_bf16 sse", "bf16"), ("asimd bf16", "bf16"), ("fpu", "fp32")]
)
def test_auto_is_bf16_where_the_processor_computes_in_it(
    flags: str, expected: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "cpuinfo").write_text(f"processor : 0\nflags : {flags}\n")
    for facts, wanted in ((tmp_path / "cpuinfo", expected), (tmp_path / "absent", "fp32")):
        monkeypatch.setattr(hardware, "CPU_FACTS", facts)
        computes_bf16.cache_clear()
        with autocast("auto", CPU):
            assert nn.Linear(3, 3)(torch.ones(2, 3)).dtype == DTYPES[wanted]
    computes_bf16.cache_clear()
    assert not loss_scaler("auto", CPU).is_enabled()
    assert not computes_bf16("mps")
