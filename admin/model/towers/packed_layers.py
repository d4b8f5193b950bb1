"""Transformer layers whose queries, keys and values lie in one matrix, as open_clip and timm write them.

They are split for the classes of transformers, and computed as they are for the comparison with the original.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import NamedTuple

import torch
from torch import Tensor
from torch.nn import functional

ENDS = ("weight", "bias")


class LayerNames(NamedTuple):
    """The names of the parts of a layer, up to ``weight`` and ``bias``; ``layer`` has the number of the layer."""

    layer: str
    norm_before: str
    attention: tuple[str, ...]
    output: str
    norm_after: str
    widening: str
    narrowing: str


OPEN_CLIP_LAYER = LayerNames(
    "transformer.resblocks.{}.",
    "ln_1.",
    ("attn.in_proj_",),
    "attn.out_proj.",
    "ln_2.",
    "mlp.c_fc.",
    "mlp.c_proj.",
)
TIMM_LAYER = LayerNames("blocks.{}.", "norm1.", ("attn.qkv.",), "attn.proj.", "norm2.", "mlp.fc1.", "mlp.fc2.")
CLIP_LAYER = LayerNames(
    "encoder.layers.{}.",
    "layer_norm1.",
    ("self_attn.q_proj.", "self_attn.k_proj.", "self_attn.v_proj."),
    "self_attn.out_proj.",
    "layer_norm2.",
    "mlp.fc1.",
    "mlp.fc2.",
)
VIT_LAYER = LayerNames(
    "layers.{}.",
    "layernorm_before.",
    ("attention.q_proj.", "attention.k_proj.", "attention.v_proj."),
    "attention.o_proj.",
    "layernorm_after.",
    "mlp.fc1.",
    "mlp.fc2.",
)


@dataclass(frozen=True, kw_only=True)
class PackedLayers:
    """The layers of one tower.

    Attributes:
        tensors: of the checkpoint.
        names: of a layer's tensors.
        count: of layers.
        heads: of attention.
        activation: between the two linear layers.
        epsilon: of the norms.
        causal: whether a token sees only the tokens before it.
    """

    tensors: Mapping[str, Tensor]
    names: LayerNames
    count: int
    heads: int
    activation: Callable[[Tensor], Tensor]
    epsilon: float
    causal: bool = False

    def used(self) -> set[str]:
        """Names of all tensors of the layers, at least of one."""
        return {name for number in range(max(1, self.count)) for name in tensors_of(self.names, number)}

    def split(self, target: LayerNames) -> dict[str, Tensor]:
        """The tensors with other names, and queries, keys and values apart."""
        found = dict[str, Tensor]()
        for number in range(self.count):
            layer, new = self.names.layer.format(number), target.layer.format(number)
            for end in ENDS:
                thirds = self.tensors[layer + self.names.attention[0] + end].chunk(3)
                found |= {new + part + end: own for part, own in zip(target.attention, thirds, strict=True)}
                for part, own in zip(rest(target), rest(self.names), strict=True):
                    found[new + part + end] = self.tensors[layer + own + end]
        return {name: tensor.clone() for name, tensor in found.items()}

    def __call__(self, hidden: Tensor) -> Tensor:
        """Hidden states (B, T, F) → (B, T, F), computed from the packed tensors."""
        for number in range(self.count):
            hidden = self._layer(hidden, self.names.layer.format(number))
        return hidden

    def _layer(self, hidden: Tensor, layer: str) -> Tensor:
        names, (batch, tokens, width) = self.names, hidden.shape
        packed = self.linear(self.norm(hidden, layer + names.norm_before), layer + names.attention[0])
        heads = packed.reshape(batch, tokens, 3, self.heads, width // self.heads).permute(2, 0, 3, 1, 4)
        attended = functional.scaled_dot_product_attention(heads[0], heads[1], heads[2], is_causal=self.causal)
        joined = attended.transpose(1, 2).reshape(batch, tokens, width)
        hidden = hidden + self.linear(joined, layer + names.output)
        wide = self.activation(self.linear(self.norm(hidden, layer + names.norm_after), layer + names.widening))
        return hidden + self.linear(wide, layer + names.narrowing)

    def linear(self, hidden: Tensor, name: str) -> Tensor:
        """A linear layer by the name of its tensors, up to ``weight`` and ``bias``."""
        return functional.linear(hidden, self.tensors[name + "weight"], self.tensors[name + "bias"])

    def norm(self, hidden: Tensor, name: str) -> Tensor:
        """A layer norm by the name of its tensors, up to ``weight`` and ``bias``."""
        weight = self.tensors[name + "weight"]
        return functional.layer_norm(hidden, weight.shape, weight, self.tensors[name + "bias"], self.epsilon)


def rest(names: LayerNames) -> tuple[str, ...]:
    """The parts of a layer but for queries, keys and values."""
    return (names.norm_before, names.output, names.norm_after, names.widening, names.narrowing)


def tensors_of(names: LayerNames, number: int) -> list[str]:
    """Names of the tensors of one layer."""
    return [names.layer.format(number) + part + end for part in (*names.attention, *rest(names)) for end in ENDS]


def quick_gelu(values: Tensor) -> Tensor:
    """The activation of OpenAI's CLIP."""
    return values * torch.sigmoid(1.702 * values)


def patches(pixels: Tensor, weight: Tensor, bias: Tensor | None = None) -> Tensor:
    """Pixels (B, C, H, W) → patches (B, T, F)."""
    return functional.conv2d(pixels, weight, bias, stride=weight.shape[-1]).flatten(2).transpose(1, 2)
