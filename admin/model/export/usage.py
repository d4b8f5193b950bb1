"""The code in a model card: it loads an exported model and embeds a film without this project."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from admin.model.export.stock_encoder import scaled
from admin.model.export.stock_pooling import full_length, pooled_image, pooled_text, text_class
from admin.model.export.stock_tower import StockTower, image_scale
from fedaid.models.dual_encoder import DualEncoder

TEMPLATES = Environment(
    loader=FileSystemLoader(Path(__file__).parent),
    undefined=StrictUndefined,
    autoescape=False,  # noqa: S701 (Markdown and Python, not HTML)
    trim_blocks=True,
    lstrip_blocks=True,
    keep_trailing_newline=True,
)
LAMBDA = "$lambda images: "


def usage(form: str, **values: Any) -> str:
    """Return the Python code for one format, from ``usage_FORM.j2``."""
    return TEMPLATES.get_template(f"usage_{form}.j2").render(values)


def hugging_face_usage(model: DualEncoder, image: StockTower | None, text: StockTower) -> str:
    """Return the code for the Hugging Face layout of a model.

    Args:
        model: the whole model.
        image: its image tower; None if ``transformers`` has no class for it.
        text: its text tower.
    """
    values: dict[str, Any] = {"size": model.configuration["image_size"], "scale": float(model.logit_scale.detach())}
    values |= {"text_class": text_class(model), "full": full_length(model), "pooled_text": pooled_text(model)}
    values["text_head"] = {name: constructor(text.definition[name]) for name in text.head}
    if image is not None:
        values["image_head"] = {name: constructor(image.definition[name]) for name in image.head}
        scale = image_scale(model)
        values["pooled"] = pooled_image(model, "features").replace("@encoder", "encoder")
        features = features_expression(image.definition)
        values["features"] = (
            features.replace(f"({scaled(scale)})", "images") if scale else features
        )  # the processor scales
    return usage("hugging_face", image=image is not None, **values)


def constructor(definition: Any) -> str:
    """Return one part of MONAI's configuration as a Python expression."""
    if isinstance(definition, str):
        return definition.removeprefix("$")
    arguments = ", ".join(f"{name}={value!r}" for name, value in definition.items() if name != "_target_")
    return f"{definition['_target_']}({arguments})"


def features_expression(definition: Mapping[str, Any]) -> str:
    """Return the expression of the features in MONAI's configuration, with the names of the card's code."""
    features: str = definition["features"].removeprefix(LAMBDA)
    return re.sub(r"@(\w+)", lambda found: found[1] if found[1] == "encoder" else f'head["{found[1]}"]', features)
