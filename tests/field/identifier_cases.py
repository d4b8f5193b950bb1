"""Reports with identifiers: forms in five languages, signatures below an empty line, letters without a grammar."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from tests.field.export import write_films, write_reports
from tests.field.field_case import FieldCase, Run
from tests.field.identifier_forms import FORMS

FLAG = frozenset({"identifiers-in-report"})
NO_LOOK = ("--letters", "off")
ENGLISH = FORMS[:21]
OTHER = FORMS[21:]
SIGNER = "Orlinda|ORLINDA|Fensterwald|FENSTERWALD|Kwisthout"
SIGNATURES = (
    "Electronically signed by:\n\nOrlinda Fensterwald",
    "Dictated by:\n\nORLINDA FENSTERWALD\nSTAFF RADIOLOGIST",
    "Signed:\n\n\nOrlinda Fensterwald, Consultant",
    "Electronically signed by: Orlinda Fensterwald",
    "Approved by\n\nFensterwald, Orlinda",
    "Kind regards,\n\nOrlinda Fensterwald",
    "Transcribed by: OF\n\nCC: Orlinda Kwisthout",
    "End of report\n\nOrlinda Fensterwald",
)
LETTERS = {
    "german": (
        "Klinik am Oldmere\nChefarzt Prof. Dr. Ludolf Fensterwald\n\n"
        "Frau Orlinda Kwisthout\nGartenweg 8\n99084 Erfurt\n\n"
        "Sehr geehrter Herr Kollege Kwisthout,\n\n"
        "Befund: Kein Erguss, Muster {}.\n\nBeurteilung: Unverändert.\n\n"
        "Mit freundlichen Grüßen\n\nOrlinda Fensterwald\nOberärztin"
    ),
    "french": (
        "Clinique Oldmere\nDr Orlinda Fensterwald\n\nCher confrère Kwisthout,\n\n"
        "Résultat : Pas d'épanchement, motif {}.\n\n"
        "Au total : Examen stable.\n\nBien confraternellement,\n\nOrlinda Fensterwald"
    ),
    "spanish": (
        "Clínica Oldmere\nDra. Orlinda Fensterwald\n\nEstimado Dr. Kwisthout:\n\nHallazgos: Sin derrame, patrón {}.\n\n"
        "Impresión: Estable.\n\nAtentamente,\n\nOrlinda Fensterwald"
    ),
    "dutch": (
        "Ziekenhuis Oldmere\nDr. Orlinda Fensterwald\n\nGeachte collega Kwisthout,\n\n"
        "Bevindingen: Geen vocht, patroon {}.\n\n"
        "Besluit: Stabiel.\n\nMet vriendelijke groet,\n\nOrlinda Fensterwald"
    ),
}


def written(texts: Sequence[str]) -> Callable[[Path], None]:
    """Return what writes a film and a report for each text, from number 1 on."""

    def write(folder: Path) -> None:
        numbers = range(1, len(texts) + 1)
        write_films(folder, numbers)
        write_reports(folder, list(zip(numbers, texts, strict=True)))

    return write


def left(run: Run, gone: Mapping[int, str]) -> list[str]:
    """The films whose report is lost, or has a word that must be gone."""
    lost = [f"film {number} is lost" for number in gone if not run.text(number)]
    return lost + [
        f"film {number} keeps an identifier" for number, words in gone.items() if _has(run.text(number), words)
    ]


def _has(text: str, words: str) -> bool:
    return re.search(words, text) is not None


def of_forms(name: str, forms: Sequence[tuple[str, str]]) -> FieldCase:
    texts = [f"FINDINGS: Clear lungs. {form} Pattern {n}.\nIMPRESSION: Stable." for n, (form, _) in enumerate(forms, 1)]
    gone = {number: words for number, (_, words) in enumerate(forms, 1)}
    return FieldCase(name, written(texts), lambda run: left(run, gone), arguments=NO_LOOK, named_by=FLAG)


def of_signatures() -> FieldCase:
    texts = [f"FINDINGS: Clear lungs.\n\nIMPRESSION: Pattern {n}.\n\n{foot}\n" for n, foot in enumerate(SIGNATURES, 1)]
    gone = dict.fromkeys(range(1, len(SIGNATURES) + 1), SIGNER)

    def faults(run: Run) -> list[str]:
        ended = [f"film {n} keeps more" for n in gone if not run.text(n).endswith(f"Pattern {n}.\n")]
        return left(run, gone) + ended

    return FieldCase("dei03_signature_below_a_blank_line", written(texts), faults, arguments=NO_LOOK, named_by=FLAG)


def of_letters(name: str, language: str) -> FieldCase:
    """Eight letters in one language, and no grammar: no name stays, and prepare names the grammar to start from."""
    texts = [LETTERS[language].format(number) for number in range(1, 9)]
    gone = dict.fromkeys(range(1, 9), f"{SIGNER}|Oldmere|Ludolf|Gartenweg|Erfurt")

    def faults(run: Run) -> list[str]:
        said = "no report has a heading that I know" in run.messages and f"{language}.yml" in run.messages
        return left(run, gone) + ([] if said else ["no warning that names the grammar"])

    named = frozenset({"reports_without_headings"})
    return FieldCase(name, written(texts), faults, arguments=NO_LOOK, named_by=named)


def write_denied(folder: Path) -> None:
    """Three reports with a name that no cue announces, and the list with which a person confirmed it."""
    texts = [f"FINDINGS: Clear lungs, as zwalùwenburgh says. Pattern {n}.\nIMPRESSION: Stable." for n in range(1, 4)]
    written(texts)(folder)
    (folder / "site" / "private").mkdir(parents=True)
    (folder / "site" / "private" / "deny_list.txt").write_text("# confirmed\nZwaluwenburgh\n", encoding="utf-8")


DENIED = FieldCase(
    "confirmed_phrase_is_removed",
    write_denied,
    lambda run: left(run, dict.fromkeys(range(1, 4), "zwal")),
    arguments=NO_LOOK,
    named_by=FLAG,
)

CASES: tuple[FieldCase, ...] = (
    of_forms("dei01_identifiers_in_other_tongues", OTHER),
    of_forms("dei02_identifiers_in_english", ENGLISH),
    of_signatures(),
    of_letters("rep18_german_letter_without_grammar", "german"),
    *(of_letters(f"{language}_letter_without_grammar", language) for language in ("french", "spanish", "dutch")),
    DENIED,
)
