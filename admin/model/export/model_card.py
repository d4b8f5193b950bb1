"""The model card: what the model is, counts of its training data, its metrics, and its intended use."""

from __future__ import annotations

from pathlib import Path

from admin.model.export.input_contract import input_contract
from admin.model.export.source import Source
from admin.model.export.usage import TEMPLATES
from fedaid.models.image_tower import MONAI
from fedaid.version import VERSION

INTENDED_USE = (
    "Research: features of chest radiographs for retrieval, for zero-shot classification and as a start for training\n"
    "on a new task. It is not a medical device and must not be used in the care of a patient."
)
METHOD = "arXiv:2404.03854"
IMAGE_ALONE = "This folder holds the image tower; the text tower is in the Hugging Face layout."
TEXT_ALONE = (
    "This folder holds the text tower. The image encoder is one of\nMONAI's networks, for which `transformers` has no "
    "class: the image tower is in the MONAI bundle and in the ONNX file."
)
BOTH = "This folder holds both towers."


def write_card(source: Source, file: Path, *, form: str, usage: str) -> None:
    """Write the card of an exported model.

    Args:
        source: the model.
        file: ``README.md`` of the exported folder.
        form: ``huggingface``, ``monai`` or ``onnx``.
        usage: Python code that loads the model.
    """
    file.write_text(card(source, form=form, usage=usage), encoding="utf-8")


def card(source: Source, *, form: str, usage: str) -> str:
    """Return the card in Markdown, with the header that model hubs read."""
    configuration = source.model.configuration
    image = configuration["image_encoder"]["name"]
    return TEMPLATES.get_template("card.md.j2").render(
        source=source,
        evidence=source.evidence,
        configuration=configuration,
        image=image,
        text=configuration["text_encoder"]["name"],
        form=form,
        holds=holding(form, image),
        steps=input_contract(configuration["image_size"])["steps"],
        intended_use=INTENDED_USE,
        method=METHOD,
        usage=usage.strip(),
        version=VERSION,
    )


def holding(form: str, image_encoder: str) -> str:
    """Return a sentence that names the towers in a format's folder."""
    if form != "huggingface":
        return IMAGE_ALONE
    return TEXT_ALONE if image_encoder in MONAI else BOTH
