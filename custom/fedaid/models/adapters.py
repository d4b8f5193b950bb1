"""Low-rank adapters (LoRA): small matrices that are trained beside the frozen weights of an encoder."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from torch import nn

from fedaid.errors import require, settings_from
from fedaid.models.hugging_face import WHERE

# Names of the query and value layers in BERT, ViT, DistilBERT and MONAI's ViT (there together with the keys).
QUERY_AND_VALUE = ["query", "value", "q_proj", "v_proj", "q_lin", "v_lin", "qkv"]


@dataclass(frozen=True)
class AdapterSettings:
    """The setting ``adapters`` of a job.

    Attributes:
        rank: r, width of the adapters.
        alpha: the output of an adapter is scaled by alpha / r.
        dropout: on the input of an adapter, in [0, 1).
        targets: last parts of the names of linear layers that get an adapter; None for the query and value layers.

    Source: LoRA, arXiv:2106.09685, section 4.
    """

    rank: int = 8
    alpha: float = 16
    dropout: float = 0.0
    targets: list[str] | None = None

    def __post_init__(self) -> None:
        ok = isinstance(self.rank, int) and not isinstance(self.rank, bool) and self.rank >= 1
        demand(ok, "rank", "be a whole number of at least 1", got=self.rank)
        demand(is_number(self.alpha) and 0 < self.alpha < float("inf"), "alpha", "be positive", got=self.alpha)
        demand(is_number(self.dropout) and 0 <= self.dropout < 1, "dropout", "be in [0, 1)", got=self.dropout)
        named = isinstance(self.targets, list) and self.targets and all(isinstance(t, str) and t for t in self.targets)
        demand(self.targets is None or bool(named), "targets", "be null or name layers", got=self.targets)


def adapter_settings(given: Mapping[str, Any]) -> AdapterSettings:
    """The settings in a job's ``adapters``.

    Raises:
        InputError: if it is not a mapping, or a setting is unknown or invalid.
    """
    rule, remedy = "be null or hold rank, alpha, dropout and targets", 'Write {"rank": 8}.'
    require(isinstance(given, Mapping), "adapters", rule, got=repr(given), where=WHERE, remedy=remedy)
    return settings_from(AdapterSettings, given, where=f"adapters in {WHERE}")


def add_adapters(encoders: Mapping[str, nn.Module], settings: AdapterSettings) -> None:
    """Freezes the encoders and adds adapters to their linear layers, in place.

    An adapter adds nothing before training: the second of its two matrices starts at zero. ``torch``'s generator draws
    the first.

    Args:
        encoders: name for messages → encoder.
        settings: of the adapters.

    Raises:
        InputError: if an encoder has none of the layers, or the settings name a layer that no encoder has.
    """
    from peft import LoraConfig, inject_adapter_in_model  # takes 10 MB and 0.2 s, and other models do not need it

    found = {name: linear_layers(encoder, settings.targets or QUERY_AND_VALUE) for name, encoder in encoders.items()}
    for target in settings.targets or []:
        known = any(ends_in(layer, target) for layers in found.values() for layer in layers)
        demand(known, "targets", "name linear layers of an encoder, before its last block", got=target)
    for name, layers in found.items():
        rule = f"be null where {name} has no layer for them before its last block"
        remedy = "Choose a transformer of two blocks or more for both towers, or leave adapters out."
        got = f"adapters for {settings.targets or 'its attention'}"
        require(bool(layers), "adapters", rule, got=got, where=WHERE, remedy=remedy)
        config = LoraConfig(
            r=settings.rank,
            lora_alpha=settings.alpha,  # type: ignore[arg-type]  # a scale; declared as a whole number
            lora_dropout=settings.dropout,
            target_modules=layers,
        )
        inject_adapter_in_model(config, encoders[name])


def linear_layers(encoder: nn.Module, endings: list[str]) -> list[str]:
    """Names of the linear layers of an encoder with one of these endings."""
    linear = [name for name, module in encoder.named_modules() if isinstance(module, nn.Linear)]
    return [name for name in linear if any(ends_in(name, ending) for ending in endings)]


def ends_in(name: str, ending: str) -> bool:
    """Whether a dotted name ends in these parts."""
    return f".{name}".endswith(f".{ending}")


def is_number(value: object) -> bool:
    """Whether this is a number; a bool is not."""
    return isinstance(value, (int, float)) and not isinstance(value, bool)


def demand(condition: bool, name: str, rule: str, *, got: object) -> None:
    """An error for a setting of the adapters unless the condition holds."""
    remedy = 'For example {"rank": 8, "alpha": 16, "dropout": 0.0, "targets": null}.'
    require(condition, f"adapters.{name}", rule, got=repr(got), where=WHERE, remedy=remedy)
