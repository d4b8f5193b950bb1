"""Tables of reports as spreadsheets and radiology systems write them: read, or refused with every reason at once."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from tests.field.export import accession, film, report, save, write_films, write_table
from tests.field.field_case import FieldCase, Run

SIX = range(1, 7)
ALL = frozenset(SIX)
NONE: frozenset[int] = frozenset()
Rows = Sequence[Sequence[str]]
Change = Callable[[bytes], bytes]


@dataclass(frozen=True)
class Told:
    """The right answer: which films get their own report, what is said, and what is never said."""

    paired: frozenset[int] = ALL
    says: tuple[str, ...] = ()
    silent_on: tuple[str, ...] = ()

    def faults(self, run: Run) -> list[str]:
        """What is wrong with a run."""
        paired = {number for number in range(1, 20) if run.study(number) is not None}
        wrong = [f"film {n} has another report" for n in paired if f"Pattern {n}." not in run.text(n)]
        said = run.messages + str(run.result)
        silent = [f"not said: {phrase}" for phrase in self.says if phrase not in said]
        told = [f"said: {phrase}" for phrase in self.silent_on if phrase in said]
        code = [] if (run.code == 0) == bool(self.paired) else [f"exit code {run.code}"]
        return wrong + silent + told + code + ([] if paired == self.paired else [f"paired: {sorted(paired)}"])


@dataclass(frozen=True)
class Export:
    """Films and one table. The table's bytes can be changed after it is written.

    Attributes:
        rows: below the header.
        header: names of the columns.
        delimiter: between cells.
        encoding: of the table.
        tags: number of a film → tags that differ from those of a plain film.
        name: of the table.
        change: of its bytes.
    """

    rows: Rows
    header: Sequence[str] = ("accession", "report")
    delimiter: str = ","
    encoding: str = "utf-8"
    tags: Mapping[int, Mapping[str, str]] = field(default_factory=dict)
    name: str = "reports.csv"
    change: Change = bytes

    def write(self, folder: Path) -> None:
        """Write the films and the table."""
        write_films(folder, set(SIX) - set(self.tags))
        for number, tags in self.tags.items():
            save(film(number, **tags), folder / "images" / f"{number}.dcm")
        path = folder / self.name
        write_table(path, self.header, self.rows, delimiter=self.delimiter, encoding=self.encoding)
        path.write_bytes(self.change(path.read_bytes()))


def case(name: str, export: Export, told: Told, *arguments: str) -> FieldCase:
    """Return the case of an export and its right answer."""
    return FieldCase(name, export.write, told.faults, reports=export.name, arguments=arguments)


def plain_rows(more: str = "") -> Rows:
    return [(accession(number), report(number) + more) for number in SIX]


def padded(number: int) -> str:
    """A number of digits with leading zeros, as the films have it."""
    return f"{number + 40:07d}"


def numbered(spelt: Callable[[int], str]) -> Rows:
    return [(spelt(number), report(number)) for number in SIX]


WITH_ZEROS = {number: {"AccessionNumber": padded(number)} for number in SIX}
PATIENTS = {number: {"PatientID": padded(number)} for number in SIX}
LONG = {number: {"AccessionNumber": f"2019{number:012d}"} for number in SIX}
ORDERS = {number: {"AccessionNumber": f"{number + 40:07d}"} for number in SIX}
PATIENT_HEADER = ("accession", "patient_id", "report")
LETTERS = " Größe und Höhe üblich – Zwerchfell glatt, Gefäße früher schmäler."
PATIENT_ROWS = [(accession(number), str(number + 40), report(number)) for number in SIX]
FORMS = (
    case(
        "rep04_excel_semicolon_cp1252",
        Export(plain_rows(LETTERS), ("Accession Number", "Befund"), ";", "cp1252"),
        Told(says=("Windows-1252, separated by semicolons",)),
    ),
    case("rep05_excel_semicolon_utf8", Export(plain_rows(), delimiter=";", encoding="utf-8-sig"), Told()),
    case("rep06_excel_sep_line", Export(plain_rows(), change=lambda data: b"sep=,\r\n" + data), Told()),
    case("table_sep_line_of_tabs", Export(plain_rows(), delimiter="\t", change=lambda d: b"sep=\t\r\n" + d), Told()),
    case("rep07_excel_unicode_text", Export(plain_rows(), delimiter="\t", encoding="utf-16", name="r.txt"), Told()),
    case("table_utf16_without_mark", Export(plain_rows(LETTERS), delimiter="\t", encoding="utf-16-le"), Told()),
    case("table_of_bars", Export(plain_rows(), delimiter="|"), Told(says=("separated by bars",))),
    case("table_of_a_mac", Export(plain_rows(LETTERS), delimiter=";", encoding="mac_roman"), Told(says=("Mac Roman",))),
    case("table_of_dos", Export(plain_rows(LETTERS.replace("–", "-")), encoding="cp850"), Told(says=("DOS 850",))),
    case("table_in_cyrillic", Export(plain_rows(" Сердце не увеличено, очагов нет."), encoding="cp1251"),
         Told(says=("Windows-1251",))),
    case("table_in_japanese_is_refused", Export(plain_rows("心拡大を認めない。肺野は清明。"), encoding="cp932"),
         Told(NONE, ("--encoding",))),
    case("table_in_japanese_by_name", Export(plain_rows("心拡大を認めない。肺野は清明。"), encoding="cp932"), Told(),
         "--encoding", "cp932"),
    case("table_of_two_encodings", Export(plain_rows(LETTERS), change=lambda d: d + "A,ä".encode("cp1252")),
         Told(NONE, ("UTF-8 and another encoding in one file",))),
    case("table_with_empty_columns", Export([(*row, "", "") for row in plain_rows()], ("accession", "report", "", "")),
         Told()),
    case("table_with_a_quote_without_end", Export(plain_rows(), change=lambda d: d + b'AC0001,"open\r\n'),
         Told(NONE, ("close each quote",))),
    case("table_with_bare_separators", Export(plain_rows(), change=lambda d: d + b"AC0009,Clear, normal, old\r\n"),
         Told(NONE, ("have at most 2 cells in a row", "Quote cells with commas"))),
    case("rep17_xlsx", Export(plain_rows(), name="reports.xlsx", change=lambda data: b"PK\3\4" + data),
         Told(NONE, ("a workbook", "CSV UTF-8"))),
    case("table_that_is_an_old_workbook", Export(plain_rows(), change=lambda data: b"\xd0\xcf\x11\xe0" + data),
         Told(NONE, ("an old workbook",))),
    case("table_that_is_a_web_page", Export(plain_rows(), name="reports.xls", change=lambda d: b"<html><table>" + d),
         Told(NONE, ("a web page",))),
)  # fmt: skip
COLUMNS = (
    case("rep16_header_names", Export([(a, "P1", r) for a, r in plain_rows()], ("ACC_NO", "Ward", "REPORT_TXT")),
         Told(says=("REPORT_TXT",))),
    case("table_of_french_columns", Export(plain_rows(), ("N° d’accession", "Compte-rendu"), ";", "utf-8-sig"), Told()),
    case("table_of_dutch_columns", Export(plain_rows(), ("Onderzoeksnummer", "Verslag"), ";"), Told()),
    case("table_of_unknown_columns", Export(plain_rows(), ("Vorgang", "Wortlaut"), ";", "utf-8-sig"),
         Told(NONE, ("'Vorgang', 'Wortlaut'", "separated by semicolons", "--column accession=",
                     "have a column with a key and have a column with the report"))),
    case("table_of_named_columns", Export(plain_rows(), ("Vorgang", "Wortlaut"), ";"), Told(),
         "--column", "accession=vorgang", "--column", "report=Wortlaut"),
    case("table_of_a_misnamed_column", Export(plain_rows(), ("Vorgang", "Wortlaut"), ";"),
         Told(NONE, ("have the column 'Vorgangs' that --column names", "'Vorgang', 'Wortlaut'")),
         "--column", "accession=Vorgangs", "--column", "report=Wortlaut"),
    case("table_without_a_header", Export(plain_rows()[1:], plain_rows()[0]),
         Told(NONE, ("looks like data",), silent_on=(accession(1), "Pattern"))),
    case("table_below_a_title",
         Export([("accession", "report"), *plain_rows()], ("Radiology export", ""), ";"),
         Told(NONE, ("begin with its header, got a header in row 2", "Remove the rows above it"))),
    case("table_with_all_faults_at_once",
         Export(plain_rows(LETTERS), ("Vorgang", "Wortlaut"), ";", change=lambda d: d + "A;B;ä".encode("cp1252")),
         Told(NONE, ("be UTF-8 and have a column with a key and have a column with the report and have at most 2 cells",
                     "separated by semicolons"))),
)  # fmt: skip
NUMBERS = (
    case("rep08_leading_zeros", Export(numbered(lambda n: str(n + 40)), tags=WITH_ZEROS),
         Told(NONE, ("6 of 6 accession numbers match without leading zeros", "--match-without-leading-zeros"))),
    case("table_matched_without_zeros", Export(numbered(lambda n: str(n + 40)), tags=WITH_ZEROS), Told(),
         "--match-without-leading-zeros"),
    case("table_of_numbers_that_become_equal",
         Export(numbered(lambda n: str(n + 40)), tags=WITH_ZEROS | {2: {"AccessionNumber": "041"}}),
         Told(NONE, ("not make two numbers equal, got 1 accession numbers",)), "--match-without-leading-zeros"),
    case("rep09_leading_zeros_patient_only", Export(PATIENT_ROWS, PATIENT_HEADER, tags=PATIENTS),
         Told(NONE, ("6 of 6 patients match without leading zeros", "patient-conflict"))),
    case("table_of_patients_without_zeros", Export(PATIENT_ROWS, PATIENT_HEADER, tags=PATIENTS), Told(),
         "--match-without-leading-zeros"),
    case("rep10_scientific_notation", Export(numbered(lambda n: f"{2019 * 10**12 + n:.5E}"), tags=LONG),
         Told(NONE, ("6 accession numbers have lost digits, such as 2.02E+15",), silent_on=("2.01900E+15",))),
    case("table_of_scientific_patients",
         Export([(accession(n), "4,0004E+15", report(n)) for n in SIX], PATIENT_HEADER),
         Told(says=("6 patients have lost",))),
    case("table_of_rounded_numbers", Export(numbered(lambda n: f"2019{n:011d}0"),
         tags=LONG | {1: {"AccessionNumber": "2019000000000020"}}),
         Told(NONE, ("6 accession numbers have lost digits",))),
    case("table_of_fractions", Export(numbered(lambda n: f"{n + 4000}.0"),
         tags={n: {"AccessionNumber": f"{n + 4000}"} for n in SIX}),
         Told(NONE, ("6 of 6 accession numbers match without the ending '.0'",))),
    case("table_without_dashes", Export(numbered(lambda n: f"RX20{n}"),
         tags={n: {"AccessionNumber": f"RX-20-{n}"} for n in SIX}), Told(NONE, ("match without dashes",))),
    case("table_of_protected_numbers", Export(numbered(lambda n: f'="{padded(n)}"'), tags=WITH_ZEROS), Told()),
    case("table_in_small_letters", Export(numbered(lambda n: f" {accession(n).lower()} ")), Told()),
)  # fmt: skip


def several(cell: str, *more: tuple[int, int]) -> Export:
    """An export whose films 5 and 6 share a report. They carry each other's text, so both texts are in it."""
    both = f"FINDINGS: Pattern 5. Pattern 6. {report(5)}"
    return Export([*plain_rows()[:4], (cell, both), *((accession(a), report(b)) for a, b in more)])


SEVERAL = (
    *(
        case(name, several(f"{accession(5)}{sign}{accession(6)}"), Told(says=("'reports_of_several': 1",)))
        for name, sign in (
            ("rep15_several_accessions", ", "), ("several_with_semicolon", ";"), ("several_with_backslash", "\\"),
            ("several_with_slash", " / "), ("several_with_ampersand", "&"), ("several_with_line_end", "\n"),
            ("several_with_plus", "+"), ("several_with_a_word", " und "),
        )
    ),
    case("several_of_which_one_has_no_film", several("AC0005; AC0006; AC0016"), Told(says=("'pair-no-image': 1",))),
    case("several_as_a_range", several("AC0005-AC0006"), Told(ALL - {5, 6}, ("number-list",)), "--max-bad-share", "1"),
    case("several_abbreviated", several("AC0005/06"), Told(ALL - {5, 6}, ("number-list",)), "--max-bad-share", "1"),
    case("several_beside_one_of_its_own", several("AC0005, AC0006", (6, 6)), Told(ALL - {6}, ("pair-ambiguous",)),
         "--max-bad-share", "1"),
)  # fmt: skip
DOUBLED = (
    case("rep14_duplicate_rows", Export([*plain_rows(), *plain_rows()[2:5]]), Told(says=("'rows_doubled': 3",))),
    case("rows_doubled_by_a_join", Export([(*row, str(n)) for row in plain_rows() for n in range(3)],
         ("accession", "report", "series")), Told(says=("'rows_doubled': 12",))),
)  # fmt: skip


def one_side(run: Run) -> list[str]:
    """Faults of an export with three spellings of two patients."""
    splits = [{row.cell("split") for n in group if (row := run.study(n))} for group in ((1, 2, 3), (4, 5, 6))]
    counted = "'patients_spelt_twice': 6" in str(run.result)
    return Told().faults(run) + [f"splits {s}" for s in splits if len(s) != 1] + ([] if counted else ["not counted"])


RESPELT = {
    n: {"PatientID": name} for n, name in zip(SIX, ("812", "812.0", "00812", "ka-9", "KA 9", "ka_09"), strict=True)
}
CASES = (
    *(*FORMS, *COLUMNS, *NUMBERS, *SEVERAL, *DOUBLED),
    FieldCase("patients_spelt_in_three_ways", Export(plain_rows(), tags=RESPELT).write, one_side),
)
