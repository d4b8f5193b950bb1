"""Tiny models with the modules, and so with the names of tensors, of open_clip and timm, written by hand.

Neither library is imported: open_clip needs torchvision. Sources: open_clip/transformer.py and
timm/models/vision_transformer.py.
"""

from __future__ import annotations

import json
from collections import OrderedDict
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import torch
from safetensors.torch import save_file
from torch import Tensor, nn
from torch.nn import functional
from transformers import BertConfig, BertModel

from tests.admin.model.towers.downloads import tokenizer
from tests.models.published_encoders import CLIP, byte_pairs, words


class QuickGelu(nn.Module):
    """OpenAI's activation."""

    def forward(self, x: Tensor) -> Tensor:
        return x * torch.sigmoid(1.702 * x)


class ResidualAttentionBlock(nn.Module):
    """A layer of open_clip."""

    def __init__(self, width: int, heads: int, act: type[nn.Module]) -> None:
        super().__init__()
        self.ln_1, self.ln_2 = nn.LayerNorm(width), nn.LayerNorm(width)
        self.attn = nn.MultiheadAttention(width, heads, batch_first=True)
        wide = [("c_fc", nn.Linear(width, 2 * width)), ("gelu", act()), ("c_proj", nn.Linear(2 * width, width))]
        self.mlp = nn.Sequential(OrderedDict(wide))

    def forward(self, x: Tensor, mask: Tensor | None = None) -> Tensor:
        normed = self.ln_1(x)
        x = x + self.attn(normed, normed, normed, need_weights=False, attn_mask=mask)[0]
        return x + self.mlp(self.ln_2(x))  # type: ignore[no-any-return]


class Layers(nn.Module):
    """open_clip's ``transformer``."""

    def __init__(self, width: int, heads: int, act: type[nn.Module]) -> None:
        super().__init__()
        self.resblocks = nn.ModuleList(ResidualAttentionBlock(width, heads, act) for _ in range(2))

    def forward(self, x: Tensor, mask: Tensor | None = None) -> Tensor:
        for block in self.resblocks:
            x = block(x, mask)
        return x


class Vision(nn.Module):
    """open_clip's ``VisionTransformer``: its tokens before the last norm."""

    def __init__(self, width: int, heads: int, act: type[nn.Module]) -> None:
        super().__init__()
        self.class_embedding = nn.Parameter(torch.randn(width))
        self.positional_embedding = nn.Parameter(torch.randn(17, width))
        self.proj = nn.Parameter(torch.randn(width, 4))
        self.conv1 = nn.Conv2d(3, width, 8, 8, bias=False)
        self.ln_pre, self.ln_post = nn.LayerNorm(width), nn.LayerNorm(width)
        self.transformer = Layers(width, heads, act)

    def forward(self, x: Tensor) -> Tensor:
        x = self.conv1(x).flatten(2).mT
        x = torch.cat([self.class_embedding.view(1, 1, -1).expand(len(x), -1, -1), x], 1) + self.positional_embedding
        tokens: Tensor = self.transformer(self.ln_pre(x))
        return tokens


class Text(nn.Module):
    """open_clip's text transformer."""

    def __init__(self, size: int, width: int, heads: int, act: type[nn.Module]) -> None:
        super().__init__()
        self.token_embedding = nn.Embedding(size, width)
        self.positional_embedding = nn.Parameter(torch.randn(40, width))
        self.transformer = Layers(width, heads, act)
        self.ln_final = nn.LayerNorm(width)
        self.text_projection = nn.Parameter(torch.randn(width, 4))

    def forward(self, ids: Tensor) -> Tensor:
        x = self.token_embedding(ids) + self.positional_embedding[: ids.shape[1]]
        mask = torch.full((ids.shape[1], ids.shape[1]), -torch.inf).triu(1)
        tokens: Tensor = self.ln_final(self.transformer(x, mask))
        return tokens


class Attention(nn.Module):
    """timm's attention."""

    def __init__(self, width: int, heads: int) -> None:
        super().__init__()
        self.heads, self.qkv, self.proj = heads, nn.Linear(width, 3 * width), nn.Linear(width, width)

    def forward(self, x: Tensor) -> Tensor:
        b, n, c = x.shape
        q, k, v = self.qkv(x).reshape(b, n, 3, self.heads, c // self.heads).permute(2, 0, 3, 1, 4).unbind(0)
        weights = (q * (c // self.heads) ** -0.5 @ k.mT).softmax(-1)
        joined: Tensor = self.proj((weights @ v).transpose(1, 2).reshape(b, n, c))
        return joined


class Block(nn.Module):
    """timm's layer."""

    def __init__(self, width: int, heads: int) -> None:
        super().__init__()
        self.norm1, self.norm2 = nn.LayerNorm(width, eps=1e-6), nn.LayerNorm(width, eps=1e-6)
        self.attn = Attention(width, heads)
        self.mlp = nn.ModuleDict({"fc1": nn.Linear(width, 32), "fc2": nn.Linear(32, width)})

    def forward(self, x: Tensor) -> Tensor:
        x = x + self.attn(self.norm1(x))
        out: Tensor = x + self.mlp["fc2"](functional.gelu(self.mlp["fc1"](self.norm2(x))))
        return out


class Trunk(nn.Module):
    """timm's ViT."""

    def __init__(self, width: int, heads: int) -> None:
        super().__init__()
        self.cls_token = nn.Parameter(torch.randn(1, 1, width))
        self.pos_embed = nn.Parameter(torch.randn(1, 17, width))
        self.patch_embed = nn.ModuleDict({"proj": nn.Conv2d(3, width, 8, 8)})
        self.blocks = nn.ModuleList(Block(width, heads) for _ in range(2))
        self.norm = nn.LayerNorm(width, eps=1e-6)

    def forward(self, x: Tensor) -> Tensor:
        x = self.patch_embed["proj"](x).flatten(2).mT
        x = torch.cat([self.cls_token.expand(len(x), -1, -1), x], 1) + self.pos_embed
        for block in self.blocks:
            x = block(x)
        out: Tensor = self.norm(x)
        return out


def own_pair(folder: Path, *, quick: bool, apart: bool = False) -> SimpleNamespace:
    """A CLIP of open_clip's own transformers; ``apart``: with the names of its ``CustomTextCLIP``."""
    torch.manual_seed(7)
    size, act = tokenizer(folder, byte_pairs(ends_last=True)), QuickGelu if quick else nn.GELU
    vision, texts = Vision(16, 2, act), Text(size, 24, 3, act)
    state = {f"visual.{name}": value for name, value in vision.state_dict().items()}
    state |= {f"text.{name}" if apart else name: value for name, value in texts.state_dict().items()}
    model = {
        "embed_dim": 4,
        "vision_cfg": {"image_size": 32, "layers": 2, "width": 16, "head_width": 8, "patch_size": 8},
        "text_cfg": {"context_length": 40, "vocab_size": size, "width": 24, "heads": 3, "layers": 2},
    }
    write(folder, state, model | ({"quick_gelu": True} if quick else {}))
    return SimpleNamespace(vision=hidden(vision), text=hidden(texts))


def biomed_clip(folder: Path, *, file: str = "open_clip_pytorch_model.bin") -> SimpleNamespace:
    """A ViT of timm and a BERT of Hugging Face, as BiomedCLIP has them."""
    torch.manual_seed(7)
    size = tokenizer(folder, words(cased=False))
    config = BertConfig(
        vocab_size=size, hidden_size=128, num_hidden_layers=2, num_attention_heads=2, intermediate_size=32
    )
    vision, texts = Trunk(128, 2), BertModel(config, add_pooling_layer=False).eval()
    state = {f"visual.trunk.{name}": value for name, value in vision.state_dict().items()}
    state |= {f"text.transformer.{name}": value for name, value in texts.state_dict().items()}
    state |= {"visual.head.proj.weight": torch.ones(4, 128), "text.proj.0.weight": torch.ones(4, 128)}
    state["text.transformer.embeddings.position_ids"] = torch.arange(512)[None]
    text_cfg = {
        "hf_model_name": "microsoft/BiomedNLP-BiomedBERT-base-uncased-abstract",
        "hf_tokenizer_name": "microsoft/BiomedNLP-BiomedBERT-base-uncased-abstract",
        "hf_proj_type": "mlp",
        "hf_pooler_type": "cls_last_hidden_state_pooler",
        "context_length": 256,
    }
    vision_cfg = {"timm_model_name": "vit_base_patch16_224", "timm_model_pretrained": False, "timm_pool": ""}
    vision_cfg |= {"timm_proj": "linear", "image_size": 32}
    write(folder, state, {"embed_dim": 4, "vision_cfg": vision_cfg, "text_cfg": text_cfg}, file=file)
    return SimpleNamespace(vision=hidden(vision), text=texts)


def write(
    folder: Path, state: dict[str, Tensor], model: dict[str, Any], *, file: str = "open_clip_model.safetensors"
) -> None:
    """Write weights and configuration, with norms and biases that are not those of a new model."""
    for name, value in state.items():
        if "norm" in name or "ln_" in name or name.endswith("bias"):
            value.add_(torch.randn_like(value) * 0.2)
    state = {name: value.clone() for name, value in state.items()} | {"logit_scale": torch.tensor(4.6)}
    if file.endswith(".bin"):
        torch.save(state, folder / file)
    else:
        save_file(state, folder / file)
    scale = {"mean": CLIP[0], "std": CLIP[1], "interpolation": "bicubic"}
    (folder / "open_clip_config.json").write_text(json.dumps({"model_cfg": model, "preprocess_cfg": scale}))


def hidden(module: nn.Module) -> Any:
    """A function as transformers has them: any named argument → ``last_hidden_state``."""
    return lambda **given: SimpleNamespace(last_hidden_state=module.eval()(*given.values()))
