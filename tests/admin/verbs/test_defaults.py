"""What a verb's help says without importing the work is what the work has."""

from __future__ import annotations

import argparse
from collections.abc import Mapping
from dataclasses import fields
from typing import Any

from admin.jobs.forecast import PAGE
from admin.jobs.methods import METHODS
from admin.jobs.package import OUT
from admin.jobs.plan import BANDWIDTH_MBIT
from admin.model.export.formats import FORMATS
from admin.site.doctor.collection import SEED
from admin.site.doctor.examined_site import LEAST_CELL
from admin.site.partition.manifest_partition import ALL_KINDS, Division
from admin.site.prepare.presets.preset import PRESETS
from admin.site.prepare.site_dataset import Export
from admin.twin import consortia
from admin.verbs.hospital import partition_manifest, prepare_site
from admin.verbs.lead import package_job, plan_job
from admin.verbs.researcher import compare_methods, export_model, twin_hospitals
from admin.verbs.run_verb import parser_of
from admin.verbs.verb_table import VERBS


def defaults(verb: str) -> Mapping[str, Any]:
    """Argument → its default."""
    actions = parser_of(VERBS[verb])._actions
    return {action.dest: action.default for action in actions if action.default is not argparse.SUPPRESS}


def test_choices_are_those_of_the_work() -> None:
    assert tuple(PRESETS) == prepare_site.PRESETS
    assert partition_manifest.KINDS == ALL_KINDS
    assert tuple(FORMATS) == export_model.FORMATS
    assert tuple(consortia.PRESETS) == twin_hospitals.PRESETS
    assert set(compare_methods.METHODS) <= set(METHODS)


def test_defaults_are_those_of_the_work() -> None:
    prepare, partition = defaults("prepare"), defaults("partition")
    stands = {field.name: field.default for field in fields(Export)}
    for name in ("reports", "preset", "key", "image_size", "max_bad_share", "strict"):
        assert prepare[name] == stands[name]
    assert {field.name: partition[field.name] for field in fields(Division)} == vars(Division())
    doctor = defaults("doctor")
    assert (doctor["least_cell"], doctor["seed"]) == (LEAST_CELL, SEED)
    assert (package_job.OUT, plan_job.PAGE) == (OUT, PAGE)
    assert defaults("plan")["bandwidth_mbit"] == BANDWIDTH_MBIT
