"""The names that a radiology system gives to its columns, in five languages.

Names are compared without case, accents, blanks and signs: "Accession No." is "accessionno".
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping
from types import MappingProxyType

KEYS = ("accession", "study", "image")
"""Roles that can find an image."""
WORDED = ("report", "findings", "impression", "path")
"""Roles that hold a report."""
ROLES = (*KEYS, "patient", *WORDED, "sex", "age", "labels", "split", "status", "written", "line")
"""What a column can be. ``split`` is used only if the command line names its column."""

NAMES: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {
        "accession": (
            "accession", "accessionnumber", "accessionno", "accessionnr", "accessionnum", "accessionid", "accno",
            "accnr", "accnum", "accnumber", "acc", "acn", "acsn", "accessionsnummer", "zugangsnummer",
            "numeroaccession", "numerodaccession", "numerodeaccession", "noaccession", "nodaccession", "nacces",
            "accesion", "numeroaccesion", "numerodeaccesion", "numeroacceso", "numerodeacceso", "nacceso",
            "accessienummer", "accessionnummer", "00080050",
        ),
        "study": ("studyuid", "studyinstanceuid", "studyiuid", "suid", "siuid", "uidestudio", "uidetude", "studienuid",
                  "0020000d"),
        "image": (
            "image", "imagepath", "file", "filename", "filepath", "path", "stem", "dicomid", "dicomfile", "dicompath",
            "imagefile", "imagename", "datei", "dateiname", "dateipfad", "bild", "bilddatei", "fichier", "nomfichier",
            "nomdufichier", "archivo", "nombrearchivo", "imagen", "bestand", "bestandsnaam", "afbeelding",
        ),
        "patient": (
            "patientid", "patient", "subjectid", "subject", "mrn", "patid", "patientno", "patientnr", "patientnumber",
            "patientennummer", "patientennr", "patientenid", "patnr", "patno", "pid", "piz", "hospitalnumber",
            "medicalrecordnumber", "medicalrecordno", "ipp", "nip", "numeropatient", "nopatient", "idpatient", "nhc",
            "numerohistoria", "numerodehistoria", "numerohistoriaclinica", "historiaclinica", "idpaciente", "paciente",
            "numeropaciente", "patientnummer", "idpaziente", "00100020",
        ),
        "report": (
            "report", "text", "reporttext", "title", "caption", "reporttxt", "rpttext", "rpttxt", "reportbody",
            "radiologyreport", "narrative", "befundtext", "befundbericht", "bericht", "berichttext", "compterendu",
            "textecompterendu", "textecr", "cr", "texte", "rapport", "informe", "textoinforme", "informeradiologico",
            "texto", "verslag", "verslagtekst", "onderzoeksverslag", "referto", "testoreferto", "testo",
        ),
        "findings": (
            "findings", "finding", "befunde", "bevindingen", "bevinding", "hallazgos", "constatations", "reperti",
        ),
        "impression": (
            "impression", "impressions", "beurteilung", "zusammenfassung", "conclusion", "conclusions", "conclusie",
            "impresion", "impresiondiagnostica", "conclusiones", "conclusioni",
        ),
        "path": ("reportpath", "reportfile", "reportfilename", "textfile", "befunddatei", "berichtdatei"),
        "sex": ("sex", "patientsex", "gender", "geschlecht", "sexe", "sexo", "geslacht", "sesso"),
        "age": ("age", "patientage", "ageyears", "alter", "patientenalter", "edad", "leeftijd", "eta"),
        "labels": ("labels",),
        "status": (
            "reportstatus", "resultstatus", "status", "befundstatus", "berichtstatus", "statut", "statutcr",
            "statutcompterendu", "estado", "estadoinforme", "verslagstatus", "obr25", "obx11", "examstatus",
            "state", "reportstate", "documentstatus", "reporttype", "versiontype", "etat", "etatcompterendu",
            "tipoinforme",
        ),
        "written": (
            "reportdatetime", "reporttimestamp", "reporttime", "reportdate", "signeddatetime", "signedat", "signed",
            "verifieddatetime", "verifiedat", "verifieddate", "finalizedat", "finaldate", "resultdate",
            "reportversion", "version", "versionno", "versionnumber", "revision", "timestamp", "updatedat",
            "modifiedat", "lastmodified",
            "createdat", "befundzeit", "befunddatum",
            "befundversion", "datecompterendu", "dateducompterendu", "datecr", "fechainforme", "fechadelinforme",
            "verslagdatum", "verslagversie",
        ),
        "line": (
            "line", "lineno", "linenumber", "linenr", "reportline", "seq", "seqno", "sequence", "setid",
            "zeile", "zeilennummer", "zeilennr", "ligne", "numeroligne", "linea", "numerolinea", "regel", "regelnummer",
        ),
    }
)  # fmt: skip
"""Role → names, the preferred one first."""

_NUMBER = re.compile(r"\bn[°º]")
_REMARK = re.compile(r"\s*[(\[].*")

ORDERS = (
    "ordernumber", "orderno", "ordernr", "orderid", "fillerordernumber", "placerordernumber", "examnumber", "examno",
    "examid", "requestnumber", "requestno", "risnumber", "anforderungsnummer", "anforderungsnr", "auftragsnummer",
    "auftragsnr", "untersuchungsnummer", "untersuchungsnr", "numeroexamen", "numerodexamen", "numerodemande",
    "numerodedemande", "numeropeticion", "numerodepeticion", "numeroestudio", "numerodeestudio", "onderzoeksnummer",
    "onderzoeknummer", "aanvraagnummer", "numerorichiesta", "numeroesame",
)  # fmt: skip
"""Names of an accession number, if no column has a name of ``NAMES["accession"]``."""
HALF = (
    "befund",
    "result",
    "results",
    "resultat",
    "resultats",
    "resultado",
    "resultados",
    "description",
    "beschreibung",
)
"""Names of the findings beside an impression; without an impression they hold the whole report."""


def squeezed(name: str) -> str:
    """Return a column's name for comparison: letters and digits only, in lower case. "N°" is "numero"."""
    head = _REMARK.sub("", name.casefold()) or name.casefold()
    plain = unicodedata.normalize("NFKD", _NUMBER.sub("numero", head))
    return "".join(letter for letter in plain if letter.isalnum())
