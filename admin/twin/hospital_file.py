"""Read hospitals from a YAML or JSON file; an error names the wrong dial and its range."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import fields, replace
from pathlib import Path
from typing import Any

import yaml
from pydicom.uid import ExplicitVRLittleEndian, ImplicitVRLittleEndian, RLELossless

from admin.twin.consortia import PRESETS
from admin.twin.export import REPORT_FORMATS
from admin.twin.findings import KINDS
from admin.twin.hospital import Hospital, Scanner
from admin.twin.writing.phrases import STYLES
from fedaid.errors import InputError, closest, require

SYNTAXES = {"explicit": ExplicitVRLittleEndian, "implicit": ImplicitVRLittleEndian, "rle": RLELossless}
SHARES = ("monochrome1", "repeat", "portable", "lateral", "synonyms", "duplicate_normals", "pairing_noise")
SWITCHES = ("windowed", "states_splits")
RANGES: Mapping[str, tuple[float, float]] = {
    **dict.fromkeys(SHARES, (0.0, 1.0)),
    **{"valid_share": (0.0, 0.3), "test_share": (0.0, 0.6)},
    **{"studies": (1, 1_000_000), "conspicuity": (0.01, 1.0)},
    **{"bits": (8, 16), "gamma": (0.2, 5.0), "contrast": (0.1, 5.0), "exposure": (0.0, 0.5)},
    **{"blur": (0.0, 0.1), "noise": (0.0, 0.5), "collimation": (0.0, 0.4)},
}
CHOICES = {
    **{"style": list(STYLES), "report_format": list(REPORT_FORMATS)},
    **{"modality": ["CR", "DX"], "transfer_syntax": list(SYNTAXES)},
}
WHOLE = ("studies", "bits")
REQUIRED = ("name", "studies", "prevalence", "style")


def read_hospitals(file: Path) -> tuple[Hospital, ...]:
    """Return the hospitals in a file: a list of mappings of dials, or that list under the key ``hospitals``.

    ``like`` names a preset hospital that provides the missing dials. ``name`` and ``studies`` are always required.
    ``scanner`` and ``prevalence`` are nested mappings; a missing chance is 0.

    Args:
        file: YAML or JSON in UTF-8.

    Raises:
        InputError: the file, a dial or a value is invalid.
    """
    content = _parsed(file)
    entries = content.get("hospitals") if isinstance(content, dict) else content
    sound = isinstance(entries, list) and entries and all(isinstance(entry, dict) for entry in entries)
    if not sound or not isinstance(entries, list):
        raise InputError(file.name, "hold a list of hospitals", got=type(content).__name__, where=file.name,
                         remedy="Write one mapping of dials a hospital, as docs/twin.md shows.")  # fmt: skip
    hospitals = tuple(_hospital(entry, f"{file.name}, hospital {n}") for n, entry in enumerate(entries, start=1))
    names = [hospital.name for hospital in hospitals]
    repeated = sorted({name for name in names if names.count(name) > 1})
    require(not repeated, "name", "be given once", got=", ".join(repeated), where=file.name, remedy="Rename one.")
    return hospitals


def _parsed(file: Path) -> object:
    try:
        return yaml.safe_load(file.read_text(encoding="utf-8-sig"))
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
        got, remedy = type(error).__name__, "Give an existing file of hospitals."
        raise InputError("--hospitals", "be readable YAML or JSON", got=got, where=file.name, remedy=remedy) from None


def _hospital(entry: Mapping[Any, Any], where: str) -> Hospital:
    """Return one hospital from its dials."""
    dials = {str(name): value for name, value in entry.items()}
    base = _base(dials.pop("like", None), where)
    known = [field.name for field in fields(Hospital)]
    for name in dials:
        require(name in known, "dial", "be known", got=name, where=where, remedy=closest(name, [*known, "like"]))
    for name in REQUIRED if base is None else ("name", "studies"):
        require(name in dials, name, "be given", got=sorted(dials), where=where, remedy=f"Add '{name}: …'.")
    site = str(dials["name"])
    rule = "be lower-case letters, digits and hyphens"
    fits = re.fullmatch(r"[a-z][a-z0-9-]{0,62}", site) is not None
    require(fits, "name", rule, got=repr(site), where=where, remedy="Try 'oak-hill-general'.")
    scanner = _scanner(dials.pop("scanner", {}), base.scanner if base else Scanner(), where=where)
    values = {name: value if name == "name" else _value(name, value, where) for name, value in dials.items()}
    if base is None:
        return Hospital(**values, scanner=scanner)
    values["prevalence"] = {**base.prevalence, **values.get("prevalence", {})}
    return replace(base, **values, scanner=scanner)


def _base(name: object, where: str) -> Hospital | None:
    """Return the preset hospital that ``like`` names, or None without ``like``."""
    if name is None:
        return None
    known = {hospital.name: hospital for preset in PRESETS.values() for hospital in preset}
    rule = "name a hospital of a preset"
    require(name in known, "like", rule, got=repr(name), where=where, remedy=closest(str(name), list(known)))
    return known[str(name)]


def _scanner(dials: object, base: Scanner, *, where: str) -> Scanner:
    """Return the base's machine with the file's changes."""
    if not isinstance(dials, dict):
        remedy = "Write 'scanner: {bits: 10}'."
        raise InputError("scanner", "be a mapping of dials", got=type(dials).__name__, where=where, remedy=remedy)
    known = [field.name for field in fields(Scanner)]
    for name in dials:
        require(name in known, "scanner dial", "be known", got=name, where=where, remedy=closest(str(name), known))
    return replace(base, **{name: _value(name, value, where) for name, value in dials.items()})


def _value(name: str, value: object, where: str) -> Any:
    """Return a dial's checked value; the short name of a transfer syntax becomes its UID."""
    if name == "prevalence":
        return _prevalence(value, where)
    if name in CHOICES:
        known = CHOICES[name]
        require(value in known, name, "be known", got=repr(value), where=where, remedy=closest(str(value), known))
        return SYNTAXES[str(value)] if name == "transfer_syntax" else value
    if name in SWITCHES:
        require(isinstance(value, bool), name, "be true or false", got=repr(value), where=where, remedy="Try true.")
        return value
    low, high = RANGES[name]
    kinds = (int,) if name in WHOLE else (int, float)
    rule = f"be a {'whole ' if name in WHOLE else ''}number from {low:g} to {high:g}"
    fits = isinstance(value, kinds) and not isinstance(value, bool) and low <= value <= high
    require(fits, name, rule, got=repr(value), where=where, remedy=f"Try {high:g}." if high == 1 else "Correct it.")
    return value


def _prevalence(value: object, where: str) -> dict[str, float]:
    """Return the checked chance of each kind of finding."""
    if not isinstance(value, dict):
        got, remedy = type(value).__name__, "Write 'prevalence: {effusion: 0.2}'."
        raise InputError("prevalence", "be a mapping of findings to chances", got=got, where=where, remedy=remedy)
    for kind, share in value.items():
        require(kind in KINDS, "finding", "be known", got=kind, where=where, remedy=closest(str(kind), list(KINDS)))
        fits = isinstance(share, (int, float)) and not isinstance(share, bool) and 0 <= share <= 1
        rule = "be a number from 0 to 1"
        require(fits, f"prevalence of {kind}", rule, got=repr(share), where=where, remedy="Try 0.2.")
    return dict(value)
