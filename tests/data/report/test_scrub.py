from __future__ import annotations

import csv
import datetime
import re
import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fedaid.data.report.scrub import CLASSES, scrub
from tests.real_data import REAL_CXR, present

HARMLESS = """
The lungs are clear. Heart size is normal.
There is a 3.2 x 4.1 cm mass in the right upper lobe.
A 5 mm nodule is seen, previously 4 mm.
Compression deformity of T4 is unchanged.
Degenerative changes at L2-3 and C5/6.
Image 2 of 3 shows a small effusion.
Grade 3/4 heart failure with Kerley B lines.
About 1/2 of the left hemithorax is opacified.
Swan-Ganz catheter tip projects over the right pulmonary artery.
Port-A-Cath tip terminates in the SVC.
Hampton hump and Westermark sign are not seen.
Ghon focus and Ranke complex consistent with prior granulomatous disease.
The endotracheal tube ends 4.5 cm above the carina.
PA and lateral views of the chest were obtained.
AP portable view at 45 degrees.
Fractures of ribs 5-8 on the left.
Opacity in 2/3 of the right lung.
Dobhoff tube courses below the diaphragm.
Status post median sternotomy and CABG x 4.
Cardiothoracic ratio is 0.52 (normal below 0.50).
There may be 3 nodules; nodules 1 and 2 may represent granulomas.
Stable 12 x 9 x 7 mm nodule, series 4, image 112.
A 54-year-old man with cough.
89 year old woman with dyspnea.
Fever of 101 F and cough for 10 days.
Lytic lesion of T10-12, T12-L1 disc space narrowing.
Attenuation of 35 HU; window width 1500 HU.
Exposure 120 kVp, 2.5 mAs, 0.15 mGy.
Tube advanced by 2-3 cm.
No pneumothorax. Mild interstitial edema.
A-a gradient elevated; pO2 55 mmHg.
Compared with the prior MR. Lungs are clear.
Right IJ line tip in the mid SVC.
Findings suggest Pancoast tumor or Lambert-Eaton syndrome.
Mach band effect along the left heart border.
ET tube 22 French, 24 Fr chest tube.
Swyer-James syndrome is possible.
Bochdalek hernia, Morgagni hernia and Chilaiditi sign.
Patient rotated to the left.
Patient: 54 year old male.
1. Effusion. 2. No pneumothorax. 3. Edema.
COMPARISON: None.
FINDINGS: The cardiomediastinal silhouette is within normal limits.
IMPRESSION: 1. Right lower lobe pneumonia.
Since 2019 the nodule has doubled.
Scoliosis of 15 degrees, convex to the right.
Trachea deviated by 1.5 cm to the left.
Sarcoidosis stage II/IV, Scadding stage 2.
Lung-RADS 4A, BI-RADS 2, Fleischner criteria.
TNM: T2 N1 M0.
Mean of 10 +/- 2 mm, range 3-12 mm.
Double-J stent and Hickman catheter in place.
Bjork-Shiley valve and Starr-Edwards valve.
Left dec views were obtained.
May represent atelectasis. March fracture of the foot.
Discussed with the surgical team.
Results were called to the ICU.
Reviewed with CT. Heart is enlarged.
Signs of overinflation in 9 of 10 posterior ribs.
MR Chest without contrast; DR Chest two views.
Ratio 1:2, I:E ratio 1:20.
Nodule measures 1.2 cm (was 1.1 cm in 2018).
Flow 2 L, FEV1/FVC 65 %.
IVC filter; Greenfield filter at L2.
Ewing sarcoma, Hodgkin lymphoma, Kaposi sarcoma.
Osteophytes from C4/5 to C6/7.
Compared to prior, the 3/4 density is stable on 2/2 views.
Patient is status post Nissen fundoplication.
Heart Normal. Lungs Clear.
Seldinger technique. Tip at T6/7.
A 10 x 20 x 30 mm cavity (volume 6000 mm3).
Right-sided PICC, 2.0 x 1.5 cm thyroid nodule.
Zenker diverticulum; Monckeberg calcification.
Gram-negative pneumonia; E. coli and S. aureus.
The clinic notes mention hospital-acquired pneumonia.
Mild hospital acquired infiltrate. Cystic fibrosis.
LUNGS: Clear. HEART: Normal. BONES: Intact.
EXAM: CHEST 2 VIEWS
NO ACUTE CARDIOPULMONARY DISEASE.
PATIENT IS ROTATED. HEART SIZE, MEDIASTINUM NORMAL.
Herz normal groß, kein Erguss, Befund wie 2018.
Opacité du lobe supérieur droit de 3,5 cm.
Nódulo de 12 mm en el lóbulo inferior izquierdo.
""".strip().splitlines()


def test_there_are_many_harmless_sentences() -> None:
    assert len(HARMLESS) >= 60


@pytest.mark.parametrize("sentence", HARMLESS)
def test_a_sentence_without_identifiers_stays_byte_for_byte(sentence: str) -> None:
    assert scrub(sentence).text.encode() == sentence.encode()
    assert scrub(sentence).counts == {}


def test_a_whole_report_without_identifiers_stays() -> None:
    report = "\n".join(HARMLESS)
    assert scrub(report).text == report


def test_an_identifier_becomes_its_class_and_its_cue_stays() -> None:
    found = scrub("Discussed with Dr. Smith at 3:40 PM on 3/4. MRN: 1234567. Call 617-555-1234. Seen 01/02/2020.")
    assert found.text == "Discussed with Dr. [NAME] at [TIME] on [DATE]. MRN: [ID]. Call [PHONE]. Seen [DATE]."
    assert found.counts == {"DATE": 2, "ID": 1, "NAME": 1, "PHONE": 1, "TIME": 1}


def test_a_scrubbed_report_does_not_show_its_text() -> None:
    assert "lungs" not in repr(scrub("lungs clear on 01/02/2020"))


def test_tags_are_the_classes() -> None:
    assert set(CLASSES) == {
        "EMAIL", "URL", "IP", "DEVICE", "SSN", "ID", "PHONE", "DATE", "TIME", "AGE", "ADDRESS", "ZIP", "NAME",
        "INSTITUTION",
    }  # fmt: skip


FORMATS = (
    "%m/%d/%Y", "%d/%m/%Y", "%m/%d/%y", "%Y-%m-%d", "%Y/%m/%d", "%Y.%m.%d", "%d.%m.%Y", "%d.%m.%y",
    "%d-%m-%Y", "%m-%d-%y",
    "%Y%m%d", "%d-%b-%Y", "%d %b %Y", "%d%b%Y", "%d-%b-%y", "%B %d, %Y", "%b %d, %Y", "%b. %d, %Y", "%B %d", "%d %B %Y",
    "%d %B", "%B %Y", "%b %Y", "%m/%Y", "%d of %B, %Y", "%d. %B %Y", "%A, %B %d, %Y", "%Y-%m-%dT%H:%M:%S",
    "%Y%m%d%H%M%S",
    "%m/%d/%Y %H:%M", "%m / %d / %Y", "%B %dth, %Y", "%dth of %B %Y",
)  # fmt: skip
FRAMES = (
    "{}", "Compared to {}.", "on {}, unchanged", "({})", "Date: {}", "CT {}: clear", "chest x-ray from {} 3 cm mass",
    "Exam\n{}\nClear", "prior of {}; 2 views", '"{}"', "{} {}",
)  # fmt: skip


@given(
    st.dates(datetime.date(1900, 1, 1), datetime.date(2099, 12, 31)), st.sampled_from(FORMATS), st.sampled_from(FRAMES)
)
@settings(max_examples=1500, deadline=None)
def test_a_date_is_always_gone(day: datetime.date, form: str, frame: str) -> None:
    moment = datetime.datetime.combine(day, datetime.time(14, 30))
    written = moment.strftime(form)
    found = scrub(frame.format(written, written))
    assert written not in found.text
    assert not re.search(rf"\b(?:{day:%B}|{day:%b})\b", found.text)
    left = re.sub(r"3 cm|2 views", "", found.text)
    assert not re.search(r"\d{1,2}", left), found.text


PIECES = st.sampled_from(
    (
        "Dr. ", "Smith", "Jones ", "on ", "3/4", "12", "/", "-", ".", " ", "\n", "2020", "March ", "MRN: ", "A",
        "123456", "[DATE]",
        "[NAME]", ", MD", ":", "30", " pm", "St. ", "Hospital ", "Mary's ", "@", "x.com", "98", "-year-old", "cm",
        "Patient: ", "^",
        "discussed with ", "Oak Street", "555-1234", "(617) ", "serial # ", "T4", "name: ",
    )
)  # fmt: skip


@given(st.lists(PIECES, max_size=14).map("".join))
@settings(max_examples=300, deadline=None)
def test_scrubbing_twice_changes_nothing_more(text: str) -> None:
    once = scrub(text)
    again = scrub(once.text)
    assert (again.text, again.counts) == (once.text, {})


@given(st.text(max_size=80))
@settings(max_examples=400, deadline=None)
def test_any_text_can_be_scrubbed(text: str) -> None:
    once = scrub(text)
    assert scrub(once.text).text == once.text
    assert sum(once.counts.values()) >= (once.text != text)


@given(st.text(alphabet="0123456789 .,-/:()xcm", max_size=60))
@settings(max_examples=800, deadline=None)
def test_no_run_of_six_digits_stays(text: str) -> None:
    assert not re.search(r"\d{6}", scrub(text).text)


LETTER = """Mass General Hospital
Patient Name: DOE, JANE Q    MRN: 00123456   DOB: 04/05/1961
Accession No. A-2020-55812   Exam date: 2020-03-14 08:15

HISTORY: 93-year-old retired teacher of 12 Oak Hill Road, Boston, MA 02115, seen by Dr. John van der Berg.
COMPARISON: CT from 3/4, chest radiograph of January 5.
FINDINGS: The 3.2 x 4.1 cm mass in the right upper lobe is unchanged. Kerley B lines. C5/6 degeneration.
Pacemaker serial number PJN884512H. No pneumothorax.
IMPRESSION: Stable mass, grade 3/4.
Discussed with Mary O'Connor RN by phone at 14:45, pager 34512, jane.doe@hospital.org, https://pacs.example.org/v?id=9
Electronically signed by: Robert K. Brown, M.D. on 3/15/2020 at 9:02 AM
"""
CANARIES = (
    "General|DOE|JANE|00123456|04/05|1961|55812|03-14|08:15|93|Oak|Boston|02115|John|Berg|3/4,|January"
    "|884512|Mary|Connor"
    "|14:45|34512|jane|hospital\\.org|pacs|Robert|Brown|3/15|9:02"
)


def test_no_identifier_of_a_letter_stays() -> None:
    assert re.findall(CANARIES, scrub(LETTER).text) == []


def test_no_finding_of_a_letter_is_lost() -> None:
    text = scrub(LETTER).text
    for line in LETTER.splitlines():
        if line.startswith(("FINDINGS", "IMPRESSION")):
            assert line in text
    assert "No pneumothorax." in text


def test_a_long_run_of_any_piece_is_scrubbed_in_time() -> None:
    start = time.monotonic()
    pieces = (
        "a",
        " ",
        "\n",
        "1",
        "1.",
        "1-",
        "A",
        "Dr. ",
        "Smith ",
        "Smith, ",
        "on 3/4 ",
        "a@",
        "a.",
        "1:",
        "^",
        "A^",
        "Mary-",
    )
    for piece in (
        *pieces,
        "name: ",
        "St. Mary ",
        "1 Oak ",
        "discussed with ",
        "x1",
        "+1 ",
        "12 of ",
        "www.",
        "A. ",
        "de la ",
    ):
        scrub(piece * (5_000 // len(piece)))
    assert time.monotonic() - start < 20


@pytest.fixture(scope="module")
def real_texts() -> list[str]:
    with (present(REAL_CXR) / "pairs.csv").open(encoding="utf-8", newline="") as file:
        return [row["text"] for row in csv.DictReader(file)]


FINDING_WORDS = re.compile(
    r"\b(?:pneumonia|effusions?|pneumothorax|consolidations?|opacit(?:y|ies)|atelectasis|edema"
    r"|cardiomegaly|nodules?|mass(?:es)?"
    r"|fractures?|lungs?|lobes?|heart|pleural|infiltrates?|hernia|tube|catheter|right|left|upper|lower"
    r"|bilateral|normal|cm|mm)\b",
    re.IGNORECASE,
)


def test_real_texts_lose_no_word_of_a_finding_and_few_are_changed(real_texts: list[str]) -> None:
    assert len(real_texts) == 462
    scrubbed = [scrub(text) for text in real_texts]
    changed = sum(found.text != text for found, text in zip(scrubbed, real_texts, strict=True))
    assert 0 < changed / len(real_texts) < 0.3
    for found, text in zip(scrubbed, real_texts, strict=True):
        assert len(FINDING_WORDS.findall(found.text)) == len(FINDING_WORDS.findall(text))
