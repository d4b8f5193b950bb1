from __future__ import annotations

from pathlib import Path

import pytest

from admin.site.prepare import site_reports
from admin.site.prepare.journal import Journal
from admin.site.prepare.records import Record
from admin.site.prepare.site_reports import SiteReports, Written, headed
from fedaid.data.pseudonym import Pseudonyms
from fedaid.data.report.grammar import ENGLISH
from fedaid.data.report.grammar_file import read_grammar
from fedaid.data.report.scrub import Scrubbed, scrub
from fedaid.data.report.sections import report_text, sections

NAMES = Pseudonyms(bytes(32))


def record(text: str) -> Record:
    return Record(keys=(), name="r", text=text)


def write(folder: Path, text: str) -> str | None:
    with Journal(folder / "j", Written) as journal:
        reports = SiteReports(folder, journal, names=NAMES)
        return reports.write("s1", record(text))


@pytest.fixture
def scrubs(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Texts that were scrubbed."""
    texts: list[str] = []

    def count(text: str) -> Scrubbed:
        texts.append(text)
        return scrub(text)

    monkeypatch.setattr(site_reports, "scrub", count)
    return texts


def test_a_report_is_cut_and_scrubbed_and_what_was_replaced_is_counted(tmp_path: Path) -> None:
    with Journal(tmp_path / "j", Written) as journal:
        reports = SiteReports(tmp_path, journal, names=NAMES)
        assert reports.write("s1", record("NAME: Roe\nFINDINGS: Clear, as on 12/03/2019.")) is None
    assert (tmp_path / "s1.txt").read_text().startswith("FINDINGS: Clear, as on ")
    assert "2019" not in (tmp_path / "s1.txt").read_text()
    assert reports.scrubbed == {"NAME": 1, "DATE": 1}
    assert b"2019" not in (tmp_path / "j").read_bytes()


def test_a_report_is_written_once_until_its_text_changes(tmp_path: Path, scrubs: list[str]) -> None:
    for text in ("Clear.", "Clear.", "Clear now.", "Clear now."):
        assert write(tmp_path, text) is None
    assert scrubs == ["Clear.", "Clear now."]
    assert (tmp_path / "s1.txt").read_text() == "Clear now.\n"


def test_a_report_with_an_identifier_is_scrubbed_again_after_it_was_cut(tmp_path: Path, scrubs: list[str]) -> None:
    write(tmp_path, "HISTORY: seen on 12/03/2019.\nFINDINGS: Clear.")
    assert scrubs[1:] == ["FINDINGS: Clear."]


def test_a_report_that_was_lost_is_written_again(tmp_path: Path) -> None:
    write(tmp_path, "Clear.")
    (tmp_path / "s1.txt").unlink()
    write(tmp_path, "Clear.")
    assert (tmp_path / "s1.txt").exists()


def test_a_report_without_words_is_empty_every_time(tmp_path: Path) -> None:
    assert [write(tmp_path, "HISTORY: cough.") for _ in range(2)] == ["report-empty"] * 2
    assert not (tmp_path / "s1.txt").exists()


@pytest.mark.parametrize(
    "report",
    ["FINDINGS: Clear.\nIMPRESSION: Normal.", "IMPRESSION: Normal.", "Clear lungs.\n\nNormal.",
     "HISTORY: a.\n\nAll well.", "PORTABLE CHEST: Clear lungs.\nIMPRESSION: Normal.\n\nADDENDUM: Small effusion.",
     "FINDINGS The lungs are clear. Impression. Normal chest."],
)  # fmt: skip
def test_what_is_kept_reads_as_the_whole_report_does(report: str) -> None:
    assert report_text(headed(sections(report, ENGLISH))) == report_text(report) != ""


def test_a_report_is_read_by_the_sites_grammar_and_again_when_that_changes(tmp_path: Path) -> None:
    german = read_grammar(Path(__file__).parents[4] / "docs" / "report-grammars" / "german.yml")
    text = "Klinische Angaben: Husten.\n\nBefund: Kein Erguss.\n\nBeurteilung: Unauffällig."
    for grammar, kept in ((ENGLISH, "Husten"), (german, "FINDINGS: Kein Erguss.\n\nIMPRESSION: Unauffällig.")):
        with Journal(tmp_path / "j", Written) as journal:
            assert SiteReports(tmp_path, journal, names=NAMES, grammar=grammar).write("s1", record(text)) is None
        assert kept in (tmp_path / "s1.txt").read_text()
    assert "Husten" not in (tmp_path / "s1.txt").read_text()


def test_other_patterns_of_the_scrubber_are_used_on_what_was_written(
    tmp_path: Path, scrubs: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    write(tmp_path, "Clear.")
    monkeypatch.setattr("admin.site.prepare.site_reports.RULES", "other")
    write(tmp_path, "Clear.")
    assert len(scrubs) == 2


def test_addenda_are_counted_whether_a_report_is_new_or_not(tmp_path: Path) -> None:
    text = "IMPRESSION: Normal.\n\nADDENDUM: Small effusion.\n\nADDENDUM 2: Unchanged."
    for _ in range(2):
        with Journal(tmp_path / "j", Written) as journal:
            reports = SiteReports(tmp_path, journal, names=NAMES)
            reports.write("s1", record(text))
            reports.write("s2", record("IMPRESSION: Normal."))
            assert reports.addenda == 2
    assert (tmp_path / "s1.txt").read_text() == "IMPRESSION: Normal. Small effusion. Unchanged.\n"
