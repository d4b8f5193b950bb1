"""Names of hospitals, practices and homes in the text of a report."""

from __future__ import annotations

from fedaid.data.report.identifiers.name_parts import WORD
from fedaid.data.report.identifiers.name_words import NO_PLACE
from fedaid.data.report.identifiers.rule import CAPITAL, rules

_NO_PLACE = (
    "the|this|that|in|at|from|to|of|our|an?|and|or|outside|outpatient|inpatient|local|referring|other|another|prior"
    "|previous|pulmonary|oncology|cardiology|surgery|surgical|chest|pain|cancer|follow-?up|dental|eye|primary|care"
    "|her|his|admitted|patient|no|day|emergency|if|for|when|since|during"
)
_PLACE = rf"(?:(?!(?i:{_NO_PLACE})\b)(?:St\.|Mt\.|Ste\.|{CAPITAL}[\w'’&-]{{1,25}}) (?:of |the |and |& |for )?)"
_HEAD = (
    "Hospitals?|Medical (?:Center|Centre|Group|School|Associates)|Clinic|Infirmary|University|Healthcare"
    "|Health (?:System|Center|Centre|Network|Services|Sciences)|Hospice|Nursing (?:Home|Facility)|Sanatorium"
    "|Rehabilitation Center|Imaging (?:Center|Centre|Associates)|Radiology (?:Associates|Group|Partners)"
    "|Cancer (?:Center|Centre|Institute)|Care Home|Residential Home|Assisted Living|Retirement Home|Medical Practice"
    "|(?:NHS|Foundation) Trust|Prison|Correctional Facility|Penitentiary|Jail"
    "|Klinikum|Klinik(?:en)?|Krankenhaus|Spital|Praxis|Hospiz|Pflegeheim|Seniorenheim|Ziekenhuis|Kliniek"
    "|Verpleeghuis|Verzorgingshuis"
)
_OF = r"(?: (?:of|at|for|für|am|im) (?:the )?[A-ZÄÖÜ][\w'’-]{1,25}(?: [A-ZÄÖÜ][\w'’-]{1,25}){0,2})?"
_CAPS_HEAD = (
    r"(?:GENERAL|MEMORIAL|UNIVERSITY|COMMUNITY|REGIONAL|COUNTY|CHILDREN['’]?S|VETERANS|MERCY) HOSPITAL"
    r"|MEDICAL CENT(?:ER|RE)"
)
_FOREIGN = (
    "(?:Universit(?:äts|aets)(?:klinikum|klinik|spital|medizin)|Uniklinik|Klinikum|Krankenhaus|Klinik"
    "|Kreiskrankenhaus|Kantonsspital|MVZ"
    "|Gemeinschaftspraxis|Praxis|Seniorenresidenz|Pflegeheim|Seniorenheim|Altenheim|Haus|Hôpital|Hopital"
    "|H[ôo]pitaux|Clinique|Polyclinique"
    "|CHRU?|CHU|C\\.H\\.U\\.|EHPAD|Cabinet|Résidence|Maison de retraite|Institut"
    "|Centre [Hh]ospitalier(?: [Uu]niversitaire| [Rr]égional)?|Hospital (?:Universitario|Clínico|General"
    "|Comarcal|San|Santa|Sant|de|del|la|Virgen)"
    "|Clínica|Policlínica|Sanatorio|Residencia|Centro de [Ss]alud|Ambulatorio|Ziekenhuis|Kliniek|Verpleeghuis"
    "|Verzorgingshuis"
    "|Medisch [Cc]entrum|Zorgcentrum|Hospice|Hospital of|University of|Institute of)"
)
_COMPOUND = (
    r"\b(?!(?i:universitäts|poli|frauen|haut|augen|kinder|reha|tages|uni|kranken|pflege|senioren|alten"
    r"|heim)(?:klinik|klinikum|haus|heim)\b)"
    rf"(?:(?:St|Sankt)\.?[- ]?)?{CAPITAL}[\w.’'-]{{2,30}}(?:klinikum|klinik|kliniken|krankenhaus|hospital|spital"
    rf"|hospiz|ziekenhuis"
    r"|kliniek|gasthuis|stift)\b"
)
_LOWER_HEAD = (
    r"(?:clinique|polyclinique|hôpital|hopital|cabinet|clínica|policlínica|hospital|ziekenhuis|kliniek|ver"
    r"(?:zorgings|pleeg)huis|residencia|résidence)"
)
_NAMED = rf"(?!(?i:{NO_PLACE})\b)(?:St\.|[A-ZÀ-Ö][\w'’-]{{1,25}})"

INSTITUTIONS = (
    *rules(
        "INSTITUTION",
        rf"\b(?:(?:St|Sankt)\.? )?{CAPITAL}[\w.’'-]{{2,30}}-(?:Krankenhaus|Klinikum|Klinik|Hospital|Spital|Stift"
        rf"|Ziekenhuis)\b(?: {_NAMED})?",
        hints="kranken|klini|hospital|spital|stift|ziekenhuis",
    ),
    *rules(
        "INSTITUTION",
        rf"\b{_PLACE}{{1,5}}(?:{_HEAD})\b{_OF}",
        hints="hospi|medical|clinic|infirm|univers|health|nursing|sanat|rehab|imaging|radiology|cancer|home"
        "|living|trust|prison|facility"
        "|penit|jail|klini|krank|spital|praxis|heim|ziekenhuis|huis",
    ),
    *rules("INSTITUTION", rf"\b(?:{CAPITAL}[\w'’&.-]{{1,25}} ){{0,3}}(?:{_CAPS_HEAD})\b", hints="hospital|medical"),
    *rules(
        "INSTITUTION",
        rf"\b{_FOREIGN}(?: (?:de la |de los |de |del |du |des |la |le |für |am |an der |im |in |Dr\. |d['’]|La "
        rf"|Las |El |Los |Le |Les |les )?{_NAMED}){{1,3}}",
        hints="uni|klini|krank|spital|mvz|praxis|heim|haus|hôp|hop|clini|clíni|poli|chr|chu|c.h.u|centre|cabinet"
        "|rés|maison|sanat|resid|centro"
        "|ambul|zieken|medisch|zorg|instit|ehpad",
    ),
    *rules(
        "INSTITUTION",
        rf"\b(?:de la|la|le|les|du|au|de l['’]|l['’]|el|del|al|het|een|in|uit|naar) ?{_LOWER_HEAD} (?P<x>(?:De "
        rf"|Los |Las |Les |La |Le |les |los |de la |de |du "
        rf"|del |la )?{_NAMED}"
        rf"(?: {_NAMED}){{0,2}})",
        hints="clini|clíni|hôp|hop|cabinet|hospi|zieken|huis|resid|résid|klini|kranken|spital|stift",
    ),
    *rules("INSTITUTION", _COMPOUND, hints="klini|kranken|hospi|spital|zieken|gasthuis|stift"),
    *rules(
        "INSTITUTION",
        rf"\b(?:at|from|to|im|am|vom|à|au|de|en|del|in|van|het|naar|aan|zum) (?P<x>(?:St\.?|Saint|Sainte|Sankt"
        rf"|Sint|San|Santa|Mt\.?|Mount)"
        rf"(?: |-)(?!(?i:[a-z]{{0,3}}\.? ?\d)){CAPITAL}[\w'’]{{1,25}})",
        hints="st|saint|sankt|sint|san|mt|mount",
    ),
    *rules(
        "INSTITUTION",
        rf"(?i:\b(?:facility|institution|hospital|clinic|site|klinik|einrichtung|krankenhaus|établissement"
        rf"|hôpital|centro|ziekenhuis|location)"
        rf"(?: name)?\s?[:=]\s{{0,3}})(?P<x>(?:{_PLACE}){{0,4}}{WORD})",
        labelled=True,
    ),
    *rules(
        "INSTITUTION",
        r"(?i:\b(?:transferred|admitted|referred|discharged|resident|inmate|back|arrived|brought in|seen|imaged"
        r"|films?|ct|outside (?:films?|study)) "
        rf"(?:to|from|at|of|by) )(?P<x>(?:{_NAMED} ){{0,2}}(?!(?i:{NO_PLACE})\b)[A-Z][\w'’-]{{1,25}} "
        r"(?:Grove|Lodge|Manor|House|Court|Hall|Park|View|Gardens|Infirmary|General|Royal|Memorial|Mercy))\b",
        starts="transf|admitt|referr|discha|reside|inmate|back|arrive|brough|seen|imaged|film|ct|outsid",
    ),
)
"""The rules of institutions."""
