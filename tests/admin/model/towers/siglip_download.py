"""A tiny SigLIP with the modules, and so with the names of tensors, of timm and open_clip."""

from __future__ import annotations

import json
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional

from tests.admin.model.towers.downloads import tokenizer
from tests.admin.model.towers.open_clip_downloads import Block, ResidualAttentionBlock, hidden, write
from tests.models.published_encoders import unigram

WIDTH, HEADS, POSITIONS, PADDING = 24, 12, 40, 1


class Pool(nn.Module):
    """timm's ``AttentionPoolLatent``: one learned query over all tokens."""

    def __init__(self) -> None:
        super().__init__()
        self.latent = nn.Parameter(torch.randn(1, 1, WIDTH))
        self.q, self.kv, self.proj = (nn.Linear(WIDTH, WIDTH * times) for times in (1, 2, 1))
        self.norm = nn.LayerNorm(WIDTH, eps=1e-6)
        self.mlp = nn.ModuleDict({"fc1": nn.Linear(WIDTH, 32), "fc2": nn.Linear(32, WIDTH)})

    def forward(self, x: Tensor) -> Tensor:
        def apart(values: Tensor) -> Tensor:
            return values.unflatten(-1, (HEADS, -1)).transpose(1, 2)

        keys, values = self.kv(x).chunk(2, -1)
        query = apart(self.q(self.latent).expand(len(x), -1, -1))
        weights = (query @ apart(keys).mT * (WIDTH // HEADS) ** -0.5).softmax(-1)
        out = self.proj((weights @ apart(values)).transpose(1, 2).flatten(2))
        pooled: Tensor = out + self.mlp["fc2"](functional.gelu(self.mlp["fc1"](self.norm(out))))
        return pooled[:, 0]


class Trunk(nn.Module):
    """timm's ViT of SigLIP, without a class token."""

    def __init__(self) -> None:
        super().__init__()
        self.pos_embed = nn.Parameter(torch.randn(1, 16, WIDTH))
        self.patch_embed = nn.ModuleDict({"proj": nn.Conv2d(3, WIDTH, 8, 8)})
        self.blocks = nn.ModuleList(Block(WIDTH, HEADS) for _ in range(2))
        self.norm, self.attn_pool = nn.LayerNorm(WIDTH, eps=1e-6), Pool()

    def forward(self, x: Tensor) -> Tensor:
        x = self.patch_embed["proj"](x).flatten(2).mT + self.pos_embed
        for block in self.blocks:
            x = block(x)
        out: Tensor = self.norm(x)
        return out


class Tanh(nn.GELU):
    """The activation of SigLIP 2's texts."""

    def __init__(self) -> None:
        super().__init__(approximate="tanh")


class Text(nn.Module):
    """open_clip's text transformer without causal mask; its text is padded to the last position."""

    def __init__(self, size: int, act: type[nn.Module]) -> None:
        super().__init__()
        self.token_embedding = nn.Embedding(size, WIDTH)
        self.positional_embedding = nn.Parameter(torch.randn(POSITIONS, WIDTH))
        self.transformer = nn.ModuleDict(
            {"resblocks": nn.ModuleList(ResidualAttentionBlock(WIDTH, 3, act) for _ in range(2))}
        )
        self.ln_final, self.text_projection = nn.LayerNorm(WIDTH, eps=1e-6), nn.Linear(WIDTH, 4)
        for name, module in self.named_modules():
            if name.endswith(("ln_1", "ln_2")):
                module.eps = 1e-6  # type: ignore[assignment]

    def forward(self, ids: Tensor) -> Tensor:
        length = ids.shape[1]
        x = (
            self.token_embedding(functional.pad(ids, (0, POSITIONS - length), value=PADDING))
            + self.positional_embedding
        )
        for block in self.transformer["resblocks"]:  # type: ignore[union-attr]
            x = block(x)
        tokens: Tensor = self.ln_final(x)
        return torch.cat([tokens[:, : length - 1], tokens[:, -1:]], 1)


def siglip_of_open_clip(folder: Path, *, tanh: bool = False, **vision: Any) -> SimpleNamespace:
    """A SigLIP as ``timm/ViT-B-16-SigLIP`` has it, or with the activation of SigLIP 2."""
    torch.manual_seed(7)
    size = tokenizer(folder, unigram(ends=False))
    settings = json.loads((folder / "tokenizer_config.json").read_text()) | {"pad_token": "<pad>"}
    (folder / "tokenizer_config.json").write_text(json.dumps(settings))
    trunk, texts = Trunk(), Text(size, Tanh if tanh else nn.GELU)
    state = {f"visual.trunk.{name}": value for name, value in trunk.state_dict().items()}
    state |= {f"text.{name}": value for name, value in texts.state_dict().items()} | {"logit_bias": torch.tensor(-10.0)}
    vision_cfg = {"image_size": 32, "timm_model_name": "vit_base_patch16_siglip_224", "timm_model_pretrained": False}
    vision_cfg |= {"timm_pool": "map", "timm_proj": "none"} | vision
    text_cfg = {"context_length": POSITIONS, "vocab_size": size, "width": WIDTH, "heads": 3, "layers": 2}
    text_cfg |= {"no_causal_mask": True, "proj_bias": True, "pool_type": "last", "norm_kwargs": {"eps": 1e-6}}
    text_cfg |= {"hf_tokenizer_name": "timm/ViT-B-16-SigLIP", "tokenizer_kwargs": {"clean": "canonicalize"}}
    text_cfg |= {"act_kwargs": {"approximate": "tanh"}} if tanh else {}
    write(folder, state, {"embed_dim": 4, "vision_cfg": vision_cfg, "text_cfg": text_cfg})
    pooled = trunk.eval().attn_pool
    return SimpleNamespace(vision=hidden(trunk), text=hidden(texts), pool=lambda x: pooled(trunk(x)))
