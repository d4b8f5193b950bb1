from __future__ import annotations

import pytest

from admin.site.doctor.language import language_of


@pytest.mark.parametrize(
    ("text", "language"),
    [
        ("The heart is normal and there is no effusion in the left.", "English"),
        ("Herz normal groß, kein Erguss, kein Pneumothorax, ohne Nachweis einer Erkrankung der Lunge.", "German"),
        ("Le coeur est de taille normale, pas de pleurésie, sans foyer dans les poumons.", "French"),
        ("El corazón es de tamaño normal, no hay derrame en el lado izquierdo y los pulmones sin lesión.", "Spanish"),
        ("Het hart is niet vergroot, geen pleuravocht, de longen zijn zonder afwijking.", "Dutch"),
        ("CTR incr, mild. NAD.", None),
        ("", None),
    ],
)
def test_the_language_of_a_report(text: str, language: str | None) -> None:
    assert language_of(text) == language
