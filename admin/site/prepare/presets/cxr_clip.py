"""Reads CXR-CLIP's tables: a CSV whose cells hold lists of images and of texts.

Source: ``datasets/README.md`` and ``cxrclip/data/datasets/imagetext.py`` of github.com/kakaobrain/cxr-clip: columns
``image``, ``view``, ``AP``, ``PA``, ``Lateral`` and ``text`` ([findings, impression]), each a Python list.
``text_augment`` is not read: it is machine-translated, not a radiologist's text.
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
    """Yield one record for each row. A row is a study.

    Args:
        images: the folder to which paths are relative.
        reports: a table with ``image``, and ``text`` or ``findings`` and ``impression``; optionally ``study_id``, a
            patient, ``split``, and ``labels`` or CheXpert's columns.

    Raises:
        InputError: if it is not such a table, or a cell begins with a bracket and is not a list.
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
    """Return the report. Two texts are findings and impression."""
    texts = _listed(cells.get("text", ""), at)
    if len(texts) == len(SECTIONS):
        return sectioned(dict(zip(SECTIONS, texts, strict=True)))
    return "\n\n".join(texts) or sectioned(cells)


def _views(cells: Cells, paths: list[str], at: str) -> list[str]:
    """Return the view of each path: the column that lists it, otherwise the entry of column ``view``."""
    placed = {path: name for name in VIEW_COLUMNS for path in _listed(cells.get(name, ""), at)}
    named = _listed(cells.get("view", ""), at)
    if len(named) != len(paths):
        named = [""] * len(paths)
    return [view_of(placed.get(path, name)) for path, name in zip(paths, named, strict=True)]


def _listed(cell: str, at: str) -> list[str]:
    """Return the texts of a cell: a Python or JSON list, or one text. Blank texts are left out."""
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
