from __future__ import annotations

import pytest

from admin.site.prepare.tables.column_names import HALF, NAMES, ORDERS, ROLES, squeezed
from admin.site.prepare.tables.column_roles import column_faults, named_columns, roles_of
from fedaid.data.tables.table_fault import refusal
from fedaid.errors import InputError


def test_every_name_is_squeezed_and_has_one_role() -> None:
    names = [name for of_role in NAMES.values() for name in of_role] + [*ORDERS, *HALF]
    assert [name for name in names if name != squeezed(name)] == []
    assert len(set(names)) == len(names)
    assert set(NAMES) == set(ROLES) - {"split"}


@pytest.mark.parametrize(
    ("header", "roles"),
    [
        ("ACC_NO,MRN,REPORT_TXT", "accession,patient,report"),
        ("Accession No.;PatientID;Report Text", "accession,patient,report"),
        ("Anforderungs-Nr.;Patientennummer;Befund;Geschlecht;Alter", "accession,patient,report,sex,age"),
        ("Zugangsnummer;Befund;Beurteilung", "accession,findings,impression"),
        ("Numéro d’accession;IPP;Compte-rendu;Sexe;Âge", "accession,patient,report,sex,age"),
        ("No accession;Résultats;Conclusion", "accession,findings,impression"),
        ("Número de acceso;NHC;Informe;Sexo;Edad", "accession,patient,report,sex,age"),
        ("nº de petición;Hallazgos;Impresión diagnóstica", "accession,findings,impression"),
        ("Onderzoeksnummer;Patiëntnummer;Verslag;Geslacht;Leeftijd", "accession,patient,report,sex,age"),
        ("StudyInstanceUID;Bevindingen;Conclusie", "study,findings,impression"),
        ("Dateiname;Bericht", "image,report"),
        ("Accession # (0008,0050);Patient ID [0010,0020];Text", "accession,patient,report"),
        ("(0008,0050);Informe", "accession,report"),
    ],
)
def test_columns_of_five_languages_are_known(header: str, roles: str) -> None:
    columns = header.split(";") if ";" in header else header.split(",")
    found = {names[0]: role for role, names in roles_of(columns, {}).items()}
    assert [found.get(column, "?") for column in columns] == roles.split(",")


def test_an_order_number_gives_way_to_an_accession_number() -> None:
    assert roles_of(["Order No", "Accession"], {})["accession"] == ("Accession",)
    assert roles_of(["Order No", "Exam ID"], {})["accession"] == ("Order No",)


def test_a_column_named_by_hand_wins_and_has_no_other_role() -> None:
    roles = roles_of(["Accession", "Lab No.", "Text"], {"accession": "LAB NO", "patient": "text"})
    assert roles == {"accession": ("Lab No.",), "patient": ("Text",)}


@pytest.mark.parametrize(
    ("given", "says"),
    [(["accesion=A"], "Did you mean accession"), (["A"], "ROLE=NAME"), (["study= "], "ROLE=NAME"),
     (["age=A", "age=B"], "once a role")],
)  # fmt: skip
def test_a_wrong_argument_is_named(given: list[str], says: str) -> None:
    with pytest.raises(InputError, match=says):
        named_columns(given)


def message(*columns: str, **named: str) -> str:
    faults = column_faults(columns, named, read_as="UTF-8, separated by tabs")
    return str(refusal("r.csv", faults)) if faults else ""


def test_all_that_is_unknown_is_one_message_with_the_columns_found() -> None:
    text = message("Fallnr", "Wortlaut", accession="Lab")
    assert "have the column 'Lab' that --column names and have a column with a key and have a column with" in text
    assert "got the columns 'Fallnr', 'Wortlaut', read as UTF-8, separated by tabs: r.csv, header." in text
    assert '--column accession="Name of the column" --column report="Name of the column"' in text
    assert "accession: accession, accessionnumber" in text


@pytest.mark.parametrize("cell", ["SECRET 00123", "SECRET\nx", "SECRET" * 9, "01.02.2021 SECRET"])
def test_a_first_row_of_data_is_not_quoted(cell: str) -> None:
    text = message("Müller", cell)
    assert "a first row of 2 cells that looks like data" in text
    assert "SECRET" not in text
    assert "Müller" not in text


def test_rows_in_quotes_are_named() -> None:
    assert "whole rows in quotes" in message("accession,report")


def test_a_sound_header_has_no_fault() -> None:
    assert message("Accession", "Report") == ""
