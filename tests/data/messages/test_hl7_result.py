from __future__ import annotations

import logging

import pytest

from fedaid.data.messages.hl7_result import reports_in
from fedaid.data.messages.hl7_text import begins_as_message, decoded
from fedaid.data.unusable import UnusableStudy

PERSON = "QUARTZ^IMKE^^^^|12 FEN ROAD^^ELMS"


def message(
    *texts: str,
    kind: str = "ORU^R01",
    order: str = "OBR|1|P1|F1^RIS|CXR^CHEST|||20230102|||||||||SECRET^DOC||A1||||20230103||| F",
    more: str = "",
    header: str = "",
) -> str:
    """A result with a text segment for each text, each with its own OBX-11."""
    order = order.replace(" F", "F")
    observed = [
        f"OBX|{n}|{text}" if text.count("|") > 1 else f"OBX|{n}|TX|CXR^CHEST||{text}||||||F"
        for n, text in enumerate(texts, start=1)
    ]
    start = f"MSH|^~\\&|RIS|HOUSE|ENGINE|PACS|20230103120000||{kind}|1|P|2.3{header}"
    return "\r".join([start, f"PID|1||77||{PERSON}", order, *observed, *([more] if more else [])]) + "\r"


PLAIN = message("FINDINGS: Clear.", "IMPRESSION: Normal.")


def text_of(message: str) -> str:
    (report,) = reports_in(message)
    assert report.fault == ""
    return report.text


def test_text_numbers_and_status_are_read_and_nothing_else() -> None:
    (report,) = reports_in(message("Clear.", more="ZDS|1.2.3^^Application^DICOM"))
    assert vars(report) == {
        "text": "Clear.", "accessions": ("A1",), "fillers": ("F1",), "studies": ("1.2.3",), "status": "F",
        "written": "20230103", "fault": "",
    }  # fmt: skip
    assert "Clear" not in repr(report)


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r", "\\r"])
def test_segments_may_end_in_any_way(end: str) -> None:
    assert text_of(PLAIN.replace("\r", end)) == "FINDINGS: Clear.\nIMPRESSION: Normal."


def test_frames_and_batches_are_taken_off() -> None:
    batch = "FHS|^~\\&|RIS\rBHS|^~\\&|RIS\r" + PLAIN + message("Second.") + "BTS|2\rFTS|1\r"
    assert [report.text for report in reports_in(f"\x0b{batch}\x1c\r")] == [text_of(PLAIN), "Second."]


def test_other_separators_are_those_of_the_header() -> None:
    other = message(r"Left \T\ right.\.br\5\S\6 \E\ \X0D\end").translate(str.maketrans("|^~\\&", "#*@!+"))
    assert text_of(other) == "Left + right.\n5*6 ! \nend"


@pytest.mark.parametrize(
    ("written", "read"),
    [
        (r"a\.br\b", "a\nb"), ("a~b", "a\nb"), (r"a\X0D0A\b", "a\nb"), (r"a\.sp2\b", "a\n\nb"), (r"\H\a\N\ b", "a b"),
        (r"C5\S\6 \T\ \F\ \R\ \E\ ", "C5^6 & | ~ \\ "), (r"no \ partner, effusion", r"no \ partner, effusion"),
        (r"gr\XC3B6\ße", "größe"), (r"gr\XF6\ße", "größe"), ("a & b ^ c", "a & b ^ c"), (r"\.in+4\a", "a"),
    ],
)  # fmt: skip
def test_escapes_are_replaced(written: str, read: str) -> None:
    assert text_of(message(written)) == read


def test_a_line_without_a_segment_continues_the_one_above() -> None:
    assert text_of(PLAIN.replace("Clear.", "Clear.\nNo effusion.")) == (
        "FINDINGS: Clear.\nNo effusion.\nIMPRESSION: Normal."
    )


def test_only_text_segments_that_are_valid_are_read() -> None:
    texts = (
        "ED|R||^^PDF^Base64^JVBERi0||||||F",
        "FT|X||a||||||F",
        "ST|X||b||||||F",
        "NM|X||7||||||F",
        "TX|X||c||||||D",
    )
    assert text_of(message(*texts)) == "a\nb"


@pytest.mark.parametrize("code", ["71046&IMP^CHEST", "19005-8^Impression^LN", "IMP^CHEST", "X1^Impression"])
def test_the_code_of_an_observation_is_its_heading(code: str) -> None:
    found = text_of(
        message("TX|71046&GDT^CHEST||Clear.||||||F", f"TX|{code}||Normal.||||||F", f"TX|{code}||Stable.||||||F")
    )
    assert found == "\nFINDINGS:\nClear.\n\nIMPRESSION:\nNormal.\nStable."


def test_each_order_with_text_is_a_report_and_orders_without_share_it() -> None:
    second = "OBR|2|P2|F2|X\rOBX|1|TX|X||Second.||||||P"
    assert [(one.text, one.fillers, one.status) for one in reports_in(message("First.", more=second))] == [
        ("First.", ("F1",), "F"), ("Second.", ("F2",), "P"),
    ]  # fmt: skip
    shared = message("One text.", order="OBR|1|P1|F1|X\rOBR|2|P2|F2|X")
    assert [one.fillers for one in reports_in(shared)] == [("F1", "F2")]


def test_one_corrected_segment_makes_a_corrected_report() -> None:
    (report,) = reports_in(message("a", "TX|X||b||||||C"))
    assert report.status == "C"


@pytest.mark.parametrize(
    "text",
    [
        message("a", kind="ADT^A01"), message("a", kind="ORM^O01"), message(), "MSH|", "MSH|^~\\&|RIS",
        "BHS|^~\\&|RIS\r",
        message("ED|R||^^PDF^Base64^JVBERi0||||||F"), message(r"\C2842\x"),
    ],
)  # fmt: skip
def test_a_message_without_a_report_has_a_code(text: str) -> None:
    assert [report.fault for report in reports_in(text)] == ["report-message"]


def test_the_character_set_is_that_of_the_header() -> None:
    latin = message("Größe normal.", header="||||||8859/1")
    assert text_of(decoded(latin.encode("latin-1"))) == "Größe normal."
    assert text_of(decoded(message("Größe normal.").encode("utf-8-sig"))) == "Größe normal."
    for data in (message("Größe.").encode("latin-1"), message("a", header="||||||NO SUCH SET").encode()):
        with pytest.raises(UnusableStudy, match="report-unreadable"):
            decoded(data)


def test_nothing_of_a_message_is_logged(caplog: pytest.LogCaptureFixture, capsys: pytest.CaptureFixture[str]) -> None:
    with caplog.at_level(logging.DEBUG):
        reports_in(message(r"SECRET \ and \Zx\ and \XZZ\ "))
    assert "SECRET" not in caplog.text + capsys.readouterr().err


@pytest.mark.parametrize(
    ("text", "begins"), [(" \x0bMSH|^~\\&|", True), ("BHS#*~!@#", True), ("MSH is", False), ("", False)]
)
def test_a_header_is_known_by_its_separators(text: str, begins: bool) -> None:
    assert begins_as_message(text) is begins
