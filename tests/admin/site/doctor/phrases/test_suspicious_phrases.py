from __future__ import annotations

import pytest

from admin.site.doctor.phrases.suspicious_phrases import MOST, suspicion
from tests.data.report.test_scrub import HARMLESS

CLEAR = "The lungs are clear and there is no effusion. The heart is normal in size."


def fired(text: str) -> list[str]:
    reports = {1: f"{CLEAR} {text}", 2: CLEAR, 3: f"{CLEAR} No pneumothorax."}
    return [phrase.words for phrase in suspicion(reports).firing().get(1, ())]


@pytest.mark.parametrize(
    ("text", "phrase"),
    [
        ("Compared with films that Fensterwald had.", "Fensterwald"),
        ("The films of Orlinda Fensterwald agree.", "Orlinda Fensterwald"),
        ("Seen by [NAME] Achterberg.", "Achterberg"),
        ("Then told to barnaby again.", "barnaby"),
        ("Implanted near Harrogate.", "Harrogate"),
        ("ROE^JANE^Q agrees.", "ROE^JANE^Q"),
        ("See \\\\arch7\\films for it.", "\\\\arch7\\films"),
        ("File 88123 is old.", "88123"),
        ("Code QK8813 is old.", "QK8813"),
        ("Box 401 023 213 is old.", "401 023 213"),
        ("Film of 10/06 is old.", "10/06"),
        ("A film of December is old.", "December"),
        ("A man, ninety years.", "ninety"),
        ("JTK/mp typed it.", "JTK/mp"),
        ("Assistant: Winterbourne", "Winterbourne"),
    ],
)
def test_what_may_identify_a_person_fires(text: str, phrase: str) -> None:
    assert phrase in fired(text)


@pytest.mark.parametrize("sentence", [line for line in HARMLESS if "," in line or line[0] in "ACNPST"])
def test_most_harmless_sentences_do_not_fire(sentence: str) -> None:
    known_alarms = ("Bjork", "Ewing", "Seldinger", "Lambert", "Double-J", "Swyer", "Gram", "BI-RADS", "Hampton", "120")
    assert fired(sentence) == [] or any(word in sentence for word in known_alarms), fired(sentence)


def test_german_nouns_are_no_names_and_a_name_is() -> None:
    text = "Kein Pleuraerguss. Das Herz ist normal groß und die Lunge ohne Infiltrat. Der Zwerchfellrand ist glatt."
    reports = {n: text for n in range(4)} | {9: f"{text} Die Aufnahme ist von Ludolf Krähenbühl."}
    found = suspicion(reports).firing()
    assert set(found) == {9}
    assert "Ludolf Krähenbühl" in {phrase.words for phrase in found[9]}


def test_the_most_suspicious_are_at_most_fifty_with_their_numbers_of_reports() -> None:
    names = ["Quorl" + chr(97 + n % 26) + chr(97 + n // 26) for n in range(80)]
    reports = {n: f"{CLEAR} It is what {name} said." for n, name in enumerate(names)}
    reports |= {100 + n: f"{CLEAR} It is what Zwaluwenburgh said." for n in range(3)}
    most = suspicion(reports).most()
    assert len(most) == MOST
    assert suspicion({1: f"{CLEAR} What Zwaluwenburgh said.", 2: f"{CLEAR} What Zwaluwenburgh said."}).most() == [
        ("Zwaluwenburgh", 2)
    ]


def test_a_phrase_does_not_show_its_words() -> None:
    assert "Fensterwald" not in repr(suspicion({1: f"{CLEAR} What Fensterwald said."}))
