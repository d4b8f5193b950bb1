from __future__ import annotations

import pytest

from fedaid.data.messages.report_status import Standing, moment_of, standing_in, standing_of


@pytest.mark.parametrize(
    ("words", "standing"),
    [
        ("P prelim Preliminary draft unsigned vorläufig provisoire preliminar voorlopig", Standing.PRELIMINARY),
        ("F Final FINALIZED verified Endbefund freigegeben définitif validé firmado definitief", Standing.FINAL),
        ("C amended Corrected revised korrigiert rectifié corregido gecorrigeerd", Standing.AMENDED),
        ("addendum Nachtrag complément adenda aanvulling", Standing.ADDENDUM),
        ("X cancelled deleted storniert annulé anulado geannuleerd", Standing.WITHDRAWN),
    ],
)
def test_a_status_is_known_in_five_languages(words: str, standing: Standing) -> None:
    assert {word: standing_of(word) for word in words.split()} == dict.fromkeys(words.split(), standing)


@pytest.mark.parametrize(
    ("status", "standing"),
    [
        ("Final report", Standing.FINAL), ("Status: final", Standing.FINAL), ("entered-in-error", Standing.WITHDRAWN),
        ("Compte rendu définitif", Standing.FINAL), ("*** AMENDED REPORT ***", Standing.AMENDED),
        ("A", None), ("", None), ("inpatient", None), ("final answer", None),
    ],
)  # fmt: skip
def test_words_around_a_status_count_and_others_do_not(status: str, standing: Standing | None) -> None:
    assert standing_of(status) is standing


def test_a_banner_in_the_report_is_a_status() -> None:
    assert standing_in("\n   PRELIMINARY REPORT\n\nFINDINGS: Clear.") is Standing.PRELIMINARY
    assert standing_in("VORLÄUFIGER BEFUND\nBefund: Klar.") is Standing.PRELIMINARY
    assert standing_in("FINDINGS: A preliminary report was given.\nFinal.\n" + "\n" * 9) is Standing.FINAL
    assert standing_in("FINDINGS: Clear.") is None


@pytest.mark.parametrize(
    ("earlier", "later"),
    [("20230102", "20230103"), ("20230102093000", "20230102101500+0100"), ("2023-01-02", "2023-01-02 08:00:00"),
     ("2.1.2023", "01.02.2023"), ("01.02.2023 08:00", "01.02.2023 08:01:30"), ("1", "v2"),
     ("2023/01/02", "2023/01/03"), ("01/02/2023 09:30 AM", "01/02/2023 1:15 PM")],
)  # fmt: skip
def test_moments_are_compared(earlier: str, later: str) -> None:
    first, second = moment_of(earlier), moment_of(later)
    assert first is not None
    assert second is not None
    assert first < second


@pytest.mark.parametrize("written", ["", "01/02/2023", "yesterday"])
def test_an_unclear_date_is_none(written: str) -> None:
    assert moment_of(written) is None


def test_times_of_two_unclear_dates_are_of_two_kinds() -> None:
    first, second = moment_of("01/02/2023 10:00"), moment_of("02/01/2023 10:00")
    assert first is not None
    assert second is not None
    assert first[0] != second[0]
