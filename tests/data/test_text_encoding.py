"""One sentence of each language in the encodings of its desks: read right, or refused."""

from __future__ import annotations

import pytest

from fedaid.data.tables.text_encoding import encoding_of, given_encoding

TEXTS = {
    "German": "Nr;Befund\r\nB1;Größe des Herzens üblich – keine Ergüsse, Zwerchfell glatt.\r\n",
    "French": "N°;Compte rendu\r\nB1;Silhouette cardiaque élargie, pas d’épanchement à droite.\r\n",
    "Spanish": "Nº;Informe\r\nB1;Índice cardiotorácico normal, pequeña opacidad en el lóbulo medio.\r\n",
    "Dutch": "Nr;Verslag\r\nB1;Eén haard links, geïsoleerd; ruïne, vóór, coördinatie; hart niet vergroot.\r\n",
    "Swedish": "Nr;Utlåtande\r\nB1;Hjärtat är förstorat. Ingen pleuravätska på vänster sida.\r\n",
    "Polish": "Nr;Opis\r\nB1;Płuca bez zmian, wnęki prawidłowe, serce niepowiększone. Żebra całe.\r\n",
    "Czech": "č.;Popis\r\nB1;Srdeční stín není zvětšený, plíce bez čerstvých ložiskových změn.\r\n",
    "Hungarian": "szám;lelet\r\nB1;A tüdők légtartóak, eltérő árnyék nincs, a szív nem nagyobb.\r\n",
    "Russian": "номер;описание\r\nB1;Сердце не увеличено, свежих очагов в лёгких нет.\r\n",
    "Greek": "αριθμός;έκθεση\r\nB1;Η καρδιά δεν είναι διογκωμένη, οι πνεύμονες είναι καθαροί.\r\n",
    "Turkish": "no;rapor\r\nB1;Akciğerler doğaldır, kalp büyük değil, şüpheli gölge yoktur.\r\n",
    "Japanese": "番号,報告\r\nB1,心拡大を認めない。肺野は清明。\r\n",
    "Chinese": "编号,报告\r\nB1,心影不大,两肺清晰。\r\n",
}
WESTERN = ("German", "French", "Spanish", "Dutch", "Swedish")
FOUND = [
    *((language, codec) for language in WESTERN for codec in ("cp1252", "mac_roman", "cp850")),
    *(("Polish", "cp1250"), ("Polish", "iso8859_2"), ("Czech", "cp1250")),
    *(("Russian", "cp1251"), ("Russian", "koi8_r"), ("Greek", "cp1253")),
]


@pytest.mark.parametrize(("language", "codec"), FOUND)
def test_a_desks_own_encoding_is_read_right_and_said(language: str, codec: str) -> None:
    data = TEXTS[language].encode(codec, errors="replace")
    found = encoding_of(data)
    assert found.found
    assert not found.fault
    assert data.decode(found.codec) == data.decode(codec)


@pytest.mark.parametrize("codec", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "utf-32"])
@pytest.mark.parametrize("language", ["German", "Russian"])
def test_unicode_is_certain(language: str, codec: str) -> None:
    data = TEXTS[language].encode(codec)
    found = encoding_of(data)
    assert not found.found
    assert data.decode(found.codec).removeprefix("\ufeff") == TEXTS[language]


@pytest.mark.parametrize(
    "data",
    [
        TEXTS["Japanese"].encode("cp932"),
        TEXTS["Chinese"].encode("gb18030"),
        TEXTS["Chinese"].encode("big5", errors="replace"),
        TEXTS["Polish"].encode("cp852"),
        TEXTS["Hungarian"].encode("cp1250"),
        TEXTS["Turkish"].encode("cp1254"),  # one sentence reads well as Windows-1250, too
        TEXTS["German"].encode() + TEXTS["German"].encode("cp1252"),
        b"a,b\r\n\x81\x8d\x8f\x90\x9d,1\r\n",
    ],
)
def test_what_is_not_certain_is_not_guessed(data: bytes) -> None:
    assert encoding_of(data).fault
    assert encoding_of(data).line >= 1


def test_a_named_encoding_must_fit() -> None:
    data = TEXTS["Japanese"].encode("cp932")
    assert given_encoding(data, "cp932").codec == "cp932"
    assert given_encoding(data, "utf-8").fault == "bytes that are not UTF-8"
    assert given_encoding(TEXTS["German"].encode(), "cp1252").fault == "UTF-8 and not Windows-1252"
    assert "unknown encoding 'klingon'" in given_encoding(data, "klingon").fault
