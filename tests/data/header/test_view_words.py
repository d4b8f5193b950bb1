from __future__ import annotations

import pytest

from fedaid.data.header.view_words import named_view


@pytest.mark.parametrize(
    ("text", "view"),
    [
        *[("Thorax p.a.", "PA"), ("CHEST PA", "PA"), ("chest p a", "PA"), ("postero-anterior", "PA")],
        *[("ChestPA", "PA")],
        *[("PA2", "PA"), ("Thorax a.p. im Liegen", "AP"), ("A/P", "AP"), ("chest ap portable 1 view", "AP")],
        *[("Thorax de face", "FRONTAL"), ("RX TÓRAX FRENTE", "FRONTAL"), ("AP/PA", "FRONTAL"), ("胸部正位", "FRONTAL")],
        *[("흉부 정면", "FRONTAL"), ("胸部正面", "FRONTAL"), ("ОГК прямая проекция", "FRONTAL"), ("胸部后前位", "PA")],
        *[("Thorax seitlich", "LATERAL"), ("W034 Chest LAT", "LATERAL"), ("Thorax de profil", "LATERAL")],
        *[("Rx tórax perfil", "LATERAL"), ("Torace L.L.", "LATERAL"), ("latero-laterale", "LATERAL")],
        *[("CXRLAT", "LATERAL")],
        *[("thorax dwars", "LATERAL"), ("Klatka piersiowa boczne", "LATERAL"), ("Akciğer yan grafi", "LATERAL")],
        *[("胸部侧位", "LATERAL"), ("胸部側面", "LATERAL"), ("흉부 측면", "LATERAL"), ("ОГК боковая", "LATERAL")],
        *[("Swimmer lateral", "SWIMMERS"), ("Left lateral decubitus", "DECUBITUS"), ("Thorax schräg", "OBLIQUE")],
        *[("Thorax d.v.", "PA"), ("THXPA", "PA"), ("CHPA", "PA"), ("CHESTPA14X17", "PA"), ("ChestAPPortable", "AP")],
        *[("CHLAT", "LATERAL"), ("AdultChestLateral", "LATERAL"), ("Thorax side", "LATERAL"), ("Chest L-R", "LATERAL")],
        *[("Thorax linksanliegend", "LATERAL"), ("LLD", "DECUBITUS"), ("Apices AP", "LORDOTIC")],
        *[("AP lordotic", "LORDOTIC"), ("Torax decubito supino AP", "AP")],
    ],
)  # fmt: skip
def test_words_of_many_languages_name_a_view(text: str, view: str) -> None:
    assert named_view(text) == view


@pytest.mark.parametrize(
    "text",
    [
        *["2 views PA and lateral", "Chest 2 views", "Chest PA 2 Views", "PA/LAT", "PALAT", "Thorax p.a. + seitl."],
        *["Thorax front og side", "Lungor front och sida"],
        *["Thorax in 2 Ebenen", "Torax PA y lateral", "胸部正侧位", "ОГК прямая и боковая", "face et profil"],
        *["", "Chest X-ray", "bilateral", "laterality", "Latex", "SMITH^JOHN", "Pathology", "map", "Thorax", "Palate"],
    ],
)
def test_an_examination_of_two_views_or_another_word_names_none(text: str) -> None:
    assert named_view(text) == ""


@pytest.mark.parametrize(
    ("text", "encoding"), [("胸部侧位", "gb18030"), ("ОГК боковая", "cp1251"), ("胸部侧位", "utf-8")]
)
def test_bytes_of_an_undeclared_character_set_are_read(text: str, encoding: str) -> None:
    assert named_view(text.encode(encoding).decode("latin-1")) == "LATERAL"
