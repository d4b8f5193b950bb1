"""Each model that docs/model.md says to load after an import does, with the features of the original."""

from __future__ import annotations

from pathlib import Path

import pytest

from admin.model.towers.imported_towers import import_towers
from fedaid.errors import InputError
from tests.admin.model.towers.imported import same_pixels, same_words
from tests.admin.model.towers.published_imports import IMPORTED, Imported, rows
from tests.models.published_encoders import table


@pytest.mark.parametrize("one", [one for one in IMPORTED if not one.refused], ids=lambda one: one.name)
def test_a_published_model_loads_after_its_import(one: Imported, tmp_path: Path, models: Path) -> None:
    image, text = one.write(tmp_path / "hub")
    facts = {each["tower"]: each for each in import_towers(tmp_path / "hub", models / "a").values()}
    folder = "a/{}" if len(facts) > 1 else "a"
    assert facts.keys() == {kind for kind, part in (("image", one.image), ("text", one.text)) if part}
    for kind, part in (("image", one.image), ("text", one.text)):
        shown = {"last layer": "the last layer", "added block": "an added block", "nothing": "a new projection head"}
        assert not part or facts[kind]["alignment_module"].startswith(shown[part])
    pooling = {kind: each["pooling"] for kind, each in facts.items()}
    shown_pooling = ", ".join(f"{kind}: {name}" if len(pooling) > 1 else name for kind, name in pooling.items())
    assert shown_pooling == one.pooling
    if image is not None:
        same_pixels(image, folder.format("image"), one.scale)
    if text is not None:
        same_words(text, folder.format("text"), tmp_path / "hub", cleaned=one.cleaned)


@pytest.mark.parametrize("one", [one for one in IMPORTED if one.refused], ids=lambda one: one.name)
def test_a_published_model_that_would_be_wrong_is_refused(one: Imported, tmp_path: Path) -> None:
    one.write(tmp_path / "hub")
    with pytest.raises(InputError, match=one.refused):
        import_towers(tmp_path / "hub", tmp_path / "out")


def test_the_page_shows_these_rows_below_the_table() -> None:
    assert table() + rows() in Path("docs/model.md").read_text(encoding="utf-8")
    assert len(IMPORTED) == 15
