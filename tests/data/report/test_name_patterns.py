from __future__ import annotations

import pytest

from fedaid.data.report.scrub import scrub


@pytest.mark.parametrize(
    ("before", "canary", "after"),
    [
        ("Discussed with Dr. ", "Smith", " by phone"),
        ("Discussed with Dr ", "Smith", ". No effusion"),
        ("by Dr.\n", "Smith", " today"),
        ("by Dr. ", "J. R. Smith", " today"),
        ("by Dr. ", "John van der Berg", "."),
        ("by Dr. ", "O'Connor-Lee", "."),
        ("by DR. ", "SMITH", "."),
        ("DISCUSSED WITH DR ", "SMITH", "."),
        ("DICTATED BY: DR ", "JOHN SMITH", ""),
        ("REFERRING PHYSICIAN: DR ", "A O'NEIL-SMITH", ""),
        ("MRS ", "JONES", " HAS PAIN"),
        ("seen by Dr.", "Smith", " today"),
        ("SEEN BY DR.", "SMITH", ". CLEAR"),
        ("Drs. ", "Smith and Jones", " agree"),
        ("seen by Dr. ", "Small", ". Clear"),
        ("seen by Dr. ", "He", " on call"),
        ("Prof. ", "Müller", " bittet"),
        ("Mrs. ", "Jane Doe", " has pain"),
        ("Mr ", "Doe", " is well"),
        ("Frau ", "Müller", " klagt"),
        ("Sra. ", "García", " refiere"),
        ("Dictated by: ", "SMITH, JOHN A.", "\nNo effusion"),
        ("Signed by ", "John Smith", ", MD"),
        ("electronically signed by:\n", "John A. Smith", "\nClear"),
        ("Interpreted by ", "John Smith", " today"),
        ("Diktiert von ", "Hans Maier", "."),
        ("Validé par Dr ", "Dupont", ""),
        ("Patient: ", "John Smith", ", 54 year old"),
        ("PATIENT NAME: ", "DOE, JANE Q", ""),
        ("Patient's name: ", "jane doe", ", 54"),
        ("Name: ", "jane doe", "\nfindings: clear"),
        ("Nombre: ", "María López", ""),
        ("Referring physician: ", "A. Smith", "\n"),
        ("Attending: Dr. ", "Smith", "\n"),
        ("cc: ", "John Smith", "\n"),
        ("Technologist: ", "Mary Jones", ""),
        ("Next of kin: ", "Mary Jones", ""),
        ("discussed with ", "John Smith", " at the bedside"),
        ("communicated by telephone to ", "Mary Jones", " on call"),
        ("was notified; informed ", "Mary Jones", " of it"),
        ("", "Mary Jones", ", RN took the call"),
        ("", "JOHN SMITH", ", M.D."),
        ("", "John Smith", " MD"),
        ("Patient ", "John Smith", " presents with"),
        ("", "DOE^JANE^Q", ""),
        ("", "Doe^Jane", " chest"),
        ("/s/ ", "John Smith", ""),
        ("called to the ICU by ", "K. Nguyen", "."),
        ("relayed to nurse ", "Karen Hill", " at the bedside"),
        ("I, ", "Peter Wong", ", have reviewed the images"),
        ("Signed, ", "Harold Finch", ""),
        ("", "WILLIAMS, ROBERT M", " 55Y"),
    ],
)
def test_a_name_is_found_by_its_cue_and_nothing_around_it_is_lost(before: str, canary: str, after: str) -> None:
    found = scrub(f"{before}{canary}{after}")
    assert (found.text, found.counts) == (f"{before}[NAME]{after}", {"NAME": 1})


@pytest.mark.parametrize(
    "canary",
    [
        "Massachusetts General Hospital", "St. Mary's Hospital", "Mayo Clinic", "Mount Sinai Medical Center",
        "Johns Hopkins University", "University of Michigan", "Hospital of Pennsylvania", "ST. MARY GENERAL HOSPITAL",
        "Universitätsklinikum Heidelberg", "Hôpital Lariboisière", "Hospital Universitario La Paz",
        "Klinikum Stuttgart",
        "Oak Hill Nursing Home", "Bay Imaging Associates", "Beth Israel Deaconess Medical Center",
    ],
)  # fmt: skip
def test_an_institution_is_found(canary: str) -> None:
    found = scrub(f"Transferred from {canary}, stable")
    assert (found.text, found.counts) == ("Transferred from [INSTITUTION], stable", {"INSTITUTION": 1})


def test_a_saint_after_a_preposition_is_an_institution() -> None:
    assert scrub("seen at St. Luke's today").text == "seen at [INSTITUTION] today"


def test_an_institution_is_found_by_its_label() -> None:
    assert scrub("Facility: Oakhill\nClear").text == "Facility: [INSTITUTION]\nClear"


@pytest.mark.parametrize(
    "text",
    [
        "Kerley B lines", "Swan-Ganz catheter", "Port-A-Cath", "Ghon complex", "Hampton hump", "Patient: rotated",
        "Patient rotated", "Discussed with Emergency Department", "read by Radiology", "reported to the ICU team",
        "Compared with MR. LUNGS ARE CLEAR", "MR Angiography", "DR Chest", "DR CHEST PA", "DR SYSTEM", "Patient: Male",
        "discussed with the patient",
        "so-called Hampton hump", "Outside Hospital films", "the Hospital", "IN THE HOSPITAL", "Heart, MD criteria 2",
        "cc of fluid: 20", "Reviewed with CT", "name of the lesion", "Pulmonary Clinic", "Technologist: none",
        "Effusion. Hospital course", "0.7X10^3/mm^3, normal", "Dr. Findings: clear", "signed by:\nFINDINGS: Clear",
        "HEART AND LUNGS NORMAL", "patient, Right lung clear", "told of results", "notified. Lungs clear",
    ],
)  # fmt: skip
def test_eponyms_roles_and_findings_stay(text: str) -> None:
    assert scrub(text).text == text


def test_a_finding_after_a_name_stays() -> None:
    text = scrub("Per Dr. Smith Right lower lobe pneumonia. Dr. Jones. Lungs clear. Dr. Brown FINDINGS: none").text
    assert text == "Per Dr. [NAME] Right lower lobe pneumonia. Dr. [NAME]. Lungs clear. Dr. [NAME] FINDINGS: none"
