from __future__ import annotations

from pathlib import Path

import pytest

from admin.site.doctor.phrases.heading_advice import heading_advice


def written(folder: Path, *texts: str) -> list[Path]:
    paths = [folder / f"{number}.txt" for number, _ in enumerate(texts)]
    for path, text in zip(paths, texts, strict=True):
        path.write_text(text, encoding="utf-8")
    return paths


@pytest.mark.parametrize(
    ("text", "grammar"),
    [
        ("Klinische Angaben: Husten. Befund: Kein Erguss. Beurteilung: Normal.", "german"),
        ("Résultat : Pas d'épanchement.", "french"),
        ("Hallazgos: Sin derrame.", "spanish"),
        ("Vraagstelling: hoest. Bevindingen: geen vocht.", "dutch"),
        ("Die Lunge ist ohne Infiltrat und das Herz ist normal.", "german"),
    ],
)
def test_the_advice_names_the_grammar_to_start_from(tmp_path: Path, text: str, grammar: str) -> None:
    advice = heading_advice(written(tmp_path, text, text))
    assert advice.startswith("no report has a heading that I know")
    assert f"docs/report-grammars/{grammar}.yml" in advice
    assert (Path(__file__).parents[5] / "docs" / "report-grammars" / f"{grammar}.yml").exists()


def test_one_report_with_a_heading_is_enough(tmp_path: Path) -> None:
    assert heading_advice(written(tmp_path, "Clear.", "IMPRESSION: Clear.")) == ""
    assert heading_advice([]) == ""


def test_reports_in_english_get_all_examples(tmp_path: Path) -> None:
    assert "one of the examples in docs/report-grammars" in heading_advice(written(tmp_path, "Clear."))
