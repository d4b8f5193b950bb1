from __future__ import annotations

import json

from admin.site.doctor.plain_text import as_json, as_text
from tests.admin.site.doctor.test_outcome import outcome


def test_the_text_says_first_who_may_see_it() -> None:
    assert as_text(outcome(private=True)).startswith("PRIVATE: ")
    assert as_text(outcome(private=False)).startswith("SHAREABLE: counts only")


def test_the_text_names_what_to_do_and_where() -> None:
    text = as_text(outcome(private=True))
    assert "WARNING image-missing: Missing images: 1 of 31" in text
    assert "To do: Give an existing file" in text
    assert "      line 2: study-2 images/2.dcm" in text
    assert "study_id must be unique: lines 3, 4" in text


def test_json_holds_every_check_and_places_only_if_it_is_private() -> None:
    private, shareable = (json.loads(as_json(outcome(private=private))) for private in (True, False))
    assert len(private["checks"]) == len(shareable["checks"]) > 60
    assert any(check["places"] for check in private["checks"])
    assert not any("places" in check or "said" in check for check in shareable["checks"])
    assert shareable["distributions"]["View"] == {"PA": "30"}
