from __future__ import annotations

import re
from dataclasses import fields

from fedaid.data.header import terms as header_terms
from fedaid.data.header.facts import Header


def test_terms_are_in_the_form_that_they_are_compared_in() -> None:
    terms = [
        *(*header_terms.MODALITIES, *header_terms.VIEWS, *header_terms.BODY_PARTS),
        *(*header_terms.PHOTOMETRIC, *header_terms.MAKERS),
    ]
    assert len(terms) > 150
    assert [term for term in terms if term != term.strip().upper()] == []


def test_no_term_of_a_code_exceeds_the_sixteen_characters_of_dicom() -> None:
    terms = header_terms.MODALITIES | header_terms.VIEWS | header_terms.BODY_PARTS | header_terms.PHOTOMETRIC
    assert [term for term in terms if not re.fullmatch("[A-Z0-9_ -]{1,16}", term)] == []


def test_every_fact_with_a_list_is_a_field_of_the_header() -> None:
    assert len(header_terms.PERMITTED) == 16
    assert {field.name for field in fields(Header)} >= set(header_terms.PERMITTED)


def test_the_views_of_the_standard_are_there() -> None:
    assert {"AP", "PA", "LL", "RL", "RLD", "LLD", "RLO", "LLO"} <= header_terms.VIEWS
