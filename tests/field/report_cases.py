"""Reports that say something else than their headings, come as messages, or come in several versions."""

from __future__ import annotations

import base64
import csv
import json
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from tests.field.export import accession, report, study_uid, write_films, write_reports
from tests.field.field_case import FieldCase, Run

PLAIN = range(1, 9)
"""Films with a plain report in every case. The films above have the reports of the case."""
EMPTY = frozenset({"report-empty", "report-short"})
FOREIGN = frozenset({"report-not-text", "report-message", "report-several", "report-withdrawn", "pair-ambiguous"})
QUICK = ("--letters", "off", "--max-bad-share", "0.7")

Answers = Mapping[int, tuple[str, str] | str]
"""Film → its findings and impression, or the code under which it is left out."""


def written(findings: str, impression: str) -> str:
    """A report as ``prepare`` writes it."""
    parts = (("FINDINGS", findings), ("IMPRESSION", impression))
    return "\n\n".join(f"{name}: {text}" for name, text in parts if text) + "\n"


def checker(answers: Answers, **counts: int) -> Callable[[Run], Sequence[str]]:
    """The faults of a run with these answers, and with these counts in its result."""

    def faults(run: Run) -> Sequence[str]:
        wrong = [f"film {number} is lost" for number in PLAIN if f"Pattern {number}." not in run.text(number)]
        codes = run.result.get("quarantined", {})
        for number, answer in answers.items():
            if isinstance(answer, str):
                refused = answer in codes and run.study(number) is None
                wrong += [] if refused else [f"film {number} is not left out as {answer}"]
            elif run.text(number) != written(*answer):
                wrong.append(f"film {number} reads {run.text(number)!r}")
        return wrong + [
            f"{name} is {run.result.get(name)}" for name, count in counts.items() if run.result.get(name) != count
        ]

    return faults


def texts_case(
    name: str, texts: Mapping[int, str], answers: Answers, named_by: frozenset[str] = EMPTY, **counts: int
) -> FieldCase:
    """A case of reports in a table."""

    def write(folder: Path) -> None:
        write_films(folder, [*PLAIN, *texts])
        write_reports(folder, [*((number, report(number)) for number in PLAIN), *texts.items()])

    return FieldCase(name, write, checker(answers, **counts), arguments=QUICK, named_by=named_by)


def rows_case(
    name: str, header: Sequence[str], rows: Sequence[Sequence[str]], answers: Answers, **counts: int
) -> FieldCase:
    """A case of rows with more columns than the number and the text; the plain rows are final."""

    def write(folder: Path) -> None:
        write_films(folder, [*PLAIN, *answers])
        with (folder / "reports.csv").open("w", encoding="utf-8", newline="") as file:
            table = csv.writer(file)
            table.writerow(header)
            table.writerows([accession(number), report(number), "final", ""][: len(header)] for number in PLAIN)
            table.writerows(rows)

    return FieldCase(name, write, checker(answers, **counts), arguments=QUICK, named_by=FOREIGN)


def files_case(
    name: str, files: Callable[[int], tuple[str, bytes]], extra: Mapping[str, bytes], answers: Answers
) -> FieldCase:
    """A case of a folder of files."""

    def write(folder: Path) -> None:
        write_films(folder, [*PLAIN, *answers])
        (folder / "reports").mkdir()
        for file, data in (*map(files, PLAIN), *extra.items()):
            (folder / "reports" / file).write_bytes(data)

    return FieldCase(name, write, checker(answers), reports="reports", arguments=QUICK, named_by=FOREIGN)


CLEAR, NORMAL, LATER = "No pneumothorax is seen.", "Normal film.", "Seen again, a narrow apical pneumothorax is there."
PAIR = f"FINDINGS: {CLEAR}\nIMPRESSION: {NORMAL}\n"
ADDED = (CLEAR, f"{NORMAL} {LATER}")
ADDENDA = {
    11: f"{PAIR}\nADDENDUM: {LATER}\n",
    12: f"ADDENDUM: {LATER}\n\n{PAIR}",
    13: f"      FINAL ADDENDUM\n {LATER}\n____________________\n      FINAL REPORT\n {PAIR}",
    14: f"EXAMINATION: Film of the chest.\nREASON FOR EXAM: Pain.\n\nADDENDUM:\n{LATER}\n",
    15: f"{PAIR}\nNachtrag vom 3. Mai: {LATER}\n",
    16: f"{PAIR}\n**** ADDENDUM 1 ****\n{LATER}\n\n**** ADDENDUM 2 ****\nThe ward knows.\n",
    17: f"{CLEAR} The heart is normal.\n\nAddendum: {LATER}\n",
    18: f"{PAIR}\nCOMPLÉMENT : {LATER}\n",
    19: f"{PAIR}\nAdenda: {LATER}\n",
    20: f"{PAIR}\nAANVULLING\n{LATER}\n",
}
ADDED_ANSWERS: Answers = dict.fromkeys(ADDENDA, ADDED) | {
    14: ("", LATER),
    16: (CLEAR, f"{NORMAL} {LATER} The ward knows."),
    17: (f"{CLEAR} The heart is normal.", LATER),
}

EXAMINATIONS = {
    11: f"INDICATION: Pain.\n\nCHEST, TWO VIEWS: {CLEAR}\n\nIMPRESSION: {NORMAL}\n",
    12: f"HISTORY: Pain.\nCOMPARISON: Film of May.\nBEDSIDE AP CHEST: {CLEAR}\n",
    13: f"REASON FOR EXAM: tube\n\nFILM OF THE CHEST. {CLEAR}\n\n{NORMAL}\n",
    14: f"HISTORY: Pain.\nTECHNIQUE: One view.\nRESULT: {CLEAR}\nCONCLUSION: {NORMAL}\n",
    15: f"IMPRESION: {NORMAL}\nFNDINGS: {CLEAR}\n",
    16: f"INDICATON: Pain?\nFINDINGS: {CLEAR}\nIMPRESSION: {NORMAL}\n",
    17: f"COMPARISON: ___.\n\nFINDINGS:\n\n{CLEAR}\n",
    18: f"FINDINGS {CLEAR} IMPRESSION {NORMAL}",
    19: f"INDICATION: Pain.\n\nCOMPARISON: None.\n\n{CLEAR}\n\nIMPRESSION: {NORMAL}\n",
    20: f"INDICATION: Pain.FINDINGS:{CLEAR}IMPRESSION:{NORMAL}",
    21: f"XR CHEST 2 VIEWS\n\n{CLEAR}\n\nIMPRESSION: {NORMAL}\n",
}
EXAMINED: Answers = dict.fromkeys(EXAMINATIONS, (CLEAR, NORMAL)) | {
    12: (CLEAR, ""),
    13: (f"{CLEAR} {NORMAL}", ""),
    17: (CLEAR, ""),
}


def _table_of_nothing(folder: Path) -> None:
    write_films(folder, [*PLAIN, *NOTHING])
    rows: list[Mapping[str, object]] = [{"accession": accession(n), "findings": f"Pattern {n}."} for n in PLAIN]
    rows += [
        {"accession": accession(n), "findings": findings, "impression": impression}
        for n, (findings, impression) in NOTHING.items()
    ]
    (folder / "reports.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")


NOTHING: Mapping[int, tuple[object, object]] = {
    11: (float("nan"), NORMAL),
    12: ("nan", "NaN"),
    13: ("NULL", None),
    14: ("None.", NORMAL),
    15: ("N/A", "."),
    16: ("See report", ""),
    17: ("[]", "nicht beurteilt"),
    18: (CLEAR, "Siehe Befund"),
    19: ("non renseigné", "-"),
    20: ("Ver informe.", "n.v.t."),
}
NOTHING_ANSWERS: Answers = dict.fromkeys(NOTHING, "report-empty") | {
    11: ("", NORMAL),
    14: ("", NORMAL),
    18: (CLEAR, ""),
}


def result(number: int, text: str, *, status: str = "F", order: str = "", at: str = "20230504", more: str = "") -> str:
    """An HL7 result of a film, with names that must not stay."""
    lines = [
        f"MSH|^~\\&|RIS|TANNHAUS|ENGINE|PACS|{at}101500||ORU^R01|M{number}|P|2.5",
        f"PID|1||88{number}^^^TANNHAUS||MERGELSTEIN^ODA^^^^^L||19440611|F|||7 FEN ROW^^ELMSWICK",
        f"OBR|1|PL{number}|{order or accession(number)}|CXR^CHEST|||||||||||||||||||||{status}||||||&TROSKA&IVO",
        *(f"OBX|{n}|TX|CXR^CHEST||{line}||||||{status}" for n, line in enumerate(text.splitlines(), start=1)),
    ]
    return "\r".join([*lines, *([more] if more else [])]) + "\r"


def as_result(number: int) -> tuple[str, bytes]:
    return f"{accession(number)}.hl7", result(number, report(number)).encode()


def as_text(number: int) -> tuple[str, bytes]:
    return f"{accession(number)}.txt", report(number).encode()


OTHER_SIGNS = str.maketrans("|^~\\&", "#*@!+")
CODE = base64.encodebytes(PAIR.encode() * 3)
MESSAGES = {
    "batch.hl7": (
        "BHS|^~\\&|RIS\r" + result(11, PAIR) + result(12, PAIR.replace("\n", "\\.br\\")) + "BTS|2\r"
    ).encode(),
    "signs.hl7": result(13, PAIR).translate(OTHER_SIGNS).encode(),
    "uid.txt": result(14, PAIR, order="OTHER", more=f"ZDS|{study_uid(14)}^^Application^DICOM").encode(),
    "early.hl7": result(15, "FINDINGS: Not read yet.", status="P").encode(),
    "late.hl7": result(15, PAIR, status="C", at="20230505").encode(),
    f"{accession(16)}.txt": b"Sent by the engine\r" + result(16, PAIR).encode(),
    "lines.hl7": result(17, PAIR).replace("\r", "\n").encode(),
}
MESSAGE_ANSWERS: Answers = dict.fromkeys(range(11, 18), (CLEAR, NORMAL)) | {16: "report-message"}
FOREIGN_FILES = {
    11: b"Exported in May\n<html><body><p>FINDINGS: Clear.</p></body></html>",
    12: b'<ClinicalDocument xmlns="urn:hl7-org:v3"><title>Report</title></ClinicalDocument>',
    13: rb"Report {\rtf1\ansi FINDINGS: Clear.\par}",
    14: b"Attachment\n" + CODE,
    15: b'{"resourceType": "DiagnosticReport", "conclusion": "Clear."}',
    16: b"<report><findings>Clear.</findings></report>",
    17: b"Copy\n%PDF-1.4\n1 0 obj\n",
}
VERSIONS = (
    (accession(11), "FINDINGS: Not read yet.", "preliminary"),
    (accession(11), PAIR, "final"),
    (accession(12), PAIR, "Final"),
    (accession(12), f"FINDINGS: {CLEAR}\nIMPRESSION: {LATER}", "Amended"),
    (accession(13), "FINDINGS: The heart is large.", "final"),
    (accession(13), "Congestion.", "final"),
    (accession(13), "IMPRESSION: Failure.", "final"),
    (accession(14), PAIR, "final"),
    (accession(14), "FINDINGS: Another one.", "final"),
    (accession(15), PAIR, "final"),
    (accession(15), LATER, "addendum"),
    (accession(16), PAIR, "entered in error"),
)
VERSION_ANSWERS: Answers = {
    11: (CLEAR, NORMAL),
    12: (CLEAR, LATER),
    13: ("The heart is large. Congestion.", "Failure."),
    14: "pair-ambiguous",
    15: ADDED,
    16: "report-withdrawn",
}
CELLS = {11: result(11, PAIR), 12: result(12, PAIR) + result(13, PAIR), 13: f"Sent\n{result(13, PAIR)}"}

CASES = (
    texts_case("rep01_addendum_reverses", ADDENDA, ADDED_ANSWERS, addenda=11),
    files_case("rep02_hl7_messages", as_result, MESSAGES, MESSAGE_ANSWERS),
    texts_case("hl7_in_cells", CELLS, {11: (CLEAR, NORMAL), 12: "report-several", 13: "report-message"}, FOREIGN),
    files_case(
        "what_is_no_report",
        as_text,
        {f"{accession(number)}.txt": data for number, data in FOREIGN_FILES.items()},
        dict.fromkeys(FOREIGN_FILES, "report-not-text"),
    ),
    FieldCase("rep12_nan_words", _table_of_nothing, checker(NOTHING_ANSWERS), "reports.jsonl", QUICK, EMPTY),
    texts_case("rep13_exam_as_heading", EXAMINATIONS, EXAMINED),
    rows_case(
        "versions_of_a_report",
        ("accession", "report", "status"),
        VERSIONS,
        VERSION_ANSWERS,
        reports_superseded=3,
        rows_joined=2,
    ),
)  # fmt: skip
