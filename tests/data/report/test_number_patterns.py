from __future__ import annotations

import pytest

from fedaid.data.report.scrub import scrub


@pytest.mark.parametrize(
    ("kind", "canary"),
    [
        ("EMAIL", "jane.doe+x@mail.hospital.org"),
        ("EMAIL", "J_Doe@nhs.net"),
        ("URL", "https://pacs.local:8080/view?id=7"),
        ("URL", "www.example.de/a"),
        ("URL", "portal.hospital.org"),
        ("IP", "192.168.1.20"),
        ("IP", "fe80::1ff:fe23:4567:890a"),
        ("IP", "2001:db8:0:0:8:800:200c:417a"),
        ("SSN", "123-45-6789"),
        ("PHONE", "617-555-1234"),
        ("PHONE", "(617) 555-1234"),
        ("PHONE", "617.555.1234"),
        ("PHONE", "+1 617 555 1234"),
        ("PHONE", "1-617-555-1234 x123"),
        ("PHONE", "617-555-1234 ext. 99"),
        ("PHONE", "+49 6221 56 6410"),
        ("PHONE", "+33 1 42 34 56 78"),
        ("PHONE", "0049 (6221) 566410"),
        ("PHONE", "555-1234"),
        ("PHONE", "x5-1234"),
        ("ID", "12345678"),
        ("ID", "123456"),
        ("ID", "A1234567"),
        ("ID", "MR0001234567X"),
        ("ID", "S12-34567"),
        ("ID", "AB12345"),
        ("ID", "1.2.840.113619.2.55.3"),
        ("ID", "1HGCM82633A004352"),
        ("ID", "12-34-56-78"),
        ("ZIP", "02115-1234"),
        ("ADDRESS", "12 Oak Hill Road"),
        ("ADDRESS", "1234 N. Main St., Apt. 5B, Boston, MA 02115"),
        ("ADDRESS", "P.O. Box 123, Springfield, IL 62701"),
        ("ADDRESS", "Hauptstraße 12, 69115 Heidelberg"),
        ("ADDRESS", "12 rue de Rivoli, 75001 Paris"),
        ("ADDRESS", "Calle Mayor, 12"),
    ],
)
@pytest.mark.parametrize("frame", ["Sent to {}.", "({})", "{}", "stable, {}, no effusion"])
def test_an_identifier_is_found_without_a_cue(kind: str, canary: str, frame: str) -> None:
    found = scrub(frame.format(canary))
    assert (found.text, found.counts) == (frame.format(f"[{kind}]"), {kind: 1})


@pytest.mark.parametrize(
    ("kind", "cue", "canary"),
    [
        ("ID", "MRN: ", "12345"),
        ("ID", "MRN ", "A-123"),
        ("ID", "mrn#", "99 88 77"),
        ("ID", "Medical record number ", "55-12"),
        ("ID", "Accession No. ", "CR-20-117"),
        ("ID", "accession: ", "4471"),
        ("ID", "Acc# ", "4471"),
        ("ID", "Account number: ", "77120"),
        ("ID", "Patient ID: ", "P0017"),
        ("ID", "Visit #", "8812"),
        ("ID", "Policy number ", "XX77"),
        ("ID", "License no. ", "D123-44"),
        ("ID", "Order # ", "5512"),
        ("ID", "Fallnummer: ", "44512"),
        ("ID", "NHS number ", "943 476 5919"),
        ("ID", "VIN: ", "1HG44"),
        ("SSN", "SSN: ", "6789"),
        ("SSN", "SSN ", "123 45 6789"),
        ("DEVICE", "serial number ", "PJN884H"),
        ("DEVICE", "Serial #: ", "7781"),
        ("DEVICE", "S/N ", "AX-778"),
        ("DEVICE", "Lot no. ", "L77"),
        ("DEVICE", "model number ", "W1DR01"),
        ("PHONE", "pager ", "34512"),
        ("PHONE", "Fax: ", "555 12 34"),
        ("PHONE", "Tel. ", "06221/56641"),
        ("PHONE", "phone number: ", "5551234"),
        ("PHONE", "ext. ", "4512"),
        ("ZIP", "MA ", "02115"),
        ("ZIP", "ZIP code ", "02115"),
        ("ADDRESS", "lives in ", "Springfield"),
        ("ADDRESS", "resident of ", "New Haven"),
    ],
)
def test_an_identifier_is_found_by_its_cue_which_stays(kind: str, cue: str, canary: str) -> None:
    found = scrub(f"{cue}{canary}, no effusion")
    assert (found.text, found.counts) == (f"{cue}[{kind}], no effusion", {kind: 1})


@pytest.mark.parametrize(
    "text",
    [
        "Ferritin 531-489-443 ng/mL", "case 2 of 3",
         "order of magnitude", "window 350-1500 HU", "12345 units", "report: 3 nodules", "1.2.3 outline",
        "exam 2", "phone call", "lot of fluid", "model of care", "5 Large Lymph nodes", "CT 120 kVp", "512 x 512",
        "99213",
        "rows 1024, columns 2048", "document 3 nodules", "No. 3 of the set", "EKG: normal", "unit 4",
    ],
)  # fmt: skip
def test_what_only_looks_like_an_identifier_stays(text: str) -> None:
    assert scrub(text).text == text
