"""The tables that CXR-CLIP trains on: lists of images and of texts in the cells of a CSV.

Source: ``datasets/README.md`` and ``cxrclip/data/datasets/imagetext.py`` of github.com/kakaobrain/cxr-clip: columns
``image``, ``view``, ``AP``, ``PA``, ``Lateral`` and ``text`` ([findings, impression]), each a list as Python writes it.
Its ``text_augment``, which is translated there and back, is not read: it is no radiologist's text.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

from admin.site.prepare.presets.layout import chexpert_labels, given_split, missing, path_below, view_of
from admin.site.prepare.records import AGE_COLUMNS, PATIENT_COLUMNS, SECTIONS, SEX_COLUMNS, Record, first_of, sectioned
from admin.site.prepare.rows import Cells, is_table, read_rows
from fedaid.errors import InputError

NAME = "cxr-clip"
VIEW_COLUMNS = ("ap", "pa", "lateral")


def cxr_clip(images: Path, reports: Path) -> Iterator[Record]:
    """Yield the rows, each a study.

    Args:
        images: the folder that relative paths begin at.
        reports: a table with ``image``, and ``text`` or ``findings`` and ``impression``; optionally ``study_id``, a
            patient, ``split``, and ``labels`` or CheXpert's columns.

    Raises:
        InputError: if it is no such table, or a cell begins a list and is none.
    """
    if not is_table(reports):
        raise missing("--reports", "a .csv with the columns image and text", preset=NAME)
    for at, cells in read_rows(reports, needs=("image",)):
        if not {"text", *SECTIONS} & set(cells):
            raise missing("--reports", "the column text, findings or impression", preset=NAME)
        paths = _listed(cells["image"], at)
        study = cells.get("study_id") or (paths or [at])[0]
        patient = first_of(cells, PATIENT_COLUMNS)
        views = _views(cells, paths, at)
        yield Record(
            keys=(("study", study),),
            name=at,
            text=_text(cells, at),
            patient=patient or f"study {study}",
            labels=cells.get("labels") or chexpert_labels(cells),
            images=tuple((path_below(images, path), view) for path, view in zip(paths, views, strict=True)),
            splits=given_split(cells.get("split", ""), at),
            alone=not patient,
            sex=first_of(cells, SEX_COLUMNS),
            age=first_of(cells, AGE_COLUMNS),
        )


def _text(cells: Cells, at: str) -> str:
    """The report: two texts are findings and impression."""
    texts = _listed(cells.get("text", ""), at)
    if len(texts) == len(SECTIONS):
        return sectioned(dict(zip(SECTIONS, texts, strict=True)))
    return "\n\n".join(texts) or sectioned(cells)


def _views(cells: Cells, paths: list[str], at: str) -> list[str]:
    """The view of each path: by the column that lists it, or else by its place in column ``view``."""
    placed = {path: name for name in VIEW_COLUMNS for path in _listed(cells.get(name, ""), at)}
    named = _listed(cells.get("view", ""), at)
    if len(named) != len(paths):
        named = [""] * len(paths)
    return [view_of(placed.get(path, name)) for path, name in zip(paths, named, strict=True)]


def _listed(cell: str, at: str) -> list[str]:
    """The texts in a cell: a list as Python or JSON writes one, or one text; blank ones are left out."""
    if not cell.startswith("["):
        return [cell] if cell else []
    try:
        values = ast.literal_eval(cell)
    except (ValueError, SyntaxError, RecursionError, MemoryError):
        values = None
    if not isinstance(values, list) or not all(isinstance(value, str) for value in values):
        remedy = "Write it as ['a', 'b'], or as one text that does not begin with a bracket."
        raise InputError("a list", "hold texts in quotes", got="something else", where=at, remedy=remedy)
    return [value.strip() for value in values if value.strip()]
