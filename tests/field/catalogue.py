"""All cases. Each module of cases is one kind of input."""

from __future__ import annotations

from tests.field import (
    file_cases,
    identifier_cases,
    image_cases,
    letter_cases,
    manifest_cases,
    plain_cases,
    report_cases,
    table_cases,
    view_cases,
)
from tests.field.field_case import FieldCase

CASES: tuple[FieldCase, ...] = (
    *file_cases.CASES,
    *identifier_cases.CASES,
    *image_cases.CASES,
    *letter_cases.CASES,
    *manifest_cases.CASES,
    *plain_cases.CASES,
    *report_cases.CASES,
    *table_cases.CASES,
    *view_cases.CASES,
)
