"""The model card: what the model is, what it was trained on in counts, how good it is, and what it is not for."""

from __future__ import annotations

from pathlib import Path

from admin.export.input_contract import input_contract
from admin.export.source import Source
from admin.export.usage import TEMPLATES
from fedaid.models.image_encoder import MONAI

INTENDED_USE = (
    "Research: features of chest radiographs for retrieval, for zero-shot classification and as a start for training\n"
    "on a task of your own. It is no medical device and must not take part in the care of a patient."
)
METHOD = "arXiv:2404.03854"


def write_card(source: Source, file: Path, *, usage: str) -> None:
    """Writes the card of an exported model.

    Args:
        source: the model.
        file: ``README.md`` of the exported folder.
        usage: Python code that loads it.
    """
    file.write_text(card(source, usage=usage), encoding="utf-8")


def card(source: Source, *, usage: str) -> str:
    """The card in Markdown, with the header that model hubs read."""
    configuration = source.model.configuration
    image = configuration["image_encoder"]["name"]
    return TEMPLATES.get_template("card.md.j2").render(
        source=source,
        evidence=source.evidence,
        configuration=configuration,
        image=image,
        text=configuration["text_encoder"]["name"],
        monai=image in MONAI,
        steps=input_contract(configuration["image_size"])["steps"],
        intended_use=INTENDED_USE,
        method=METHOD,
        usage=usage.strip(),
    )
