from __future__ import annotations

import pytest

from fedaid.data.table import divided_labels


@pytest.mark.parametrize(
    ("cell", "certain", "uncertain"),
    [
        ("", (), ()),
        (" | ", (), ()),
        ("Edema|Lung Opacity", ("Edema", "Lung Opacity"), ()),
        (" Edema | ?Fracture |? Pneumonia", ("Edema",), ("Fracture", "Pneumonia")),
        ("?|Edema|??", ("Edema",), ()),
        ("Edema?", ("Edema?",), ()),
    ],
)
def test_a_question_mark_before_a_label_makes_it_uncertain(
    cell: str, certain: tuple[str, ...], uncertain: tuple[str, ...]
) -> None:
    assert divided_labels(cell) == (certain, uncertain)
