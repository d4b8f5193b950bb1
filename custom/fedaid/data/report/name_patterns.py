"""Names of people and institutions in the text of a report, found by a cue such as a title.

A name without a cue ("Smith agrees") is not found: no list of names can tell Kerley B lines from Ms Kerley, and a
language model for names, such as presidio's, would have to be installed. A word of :data:`_NO_NAME` is never part of a
name. Directly after a title only the words of :data:`_NO_SURNAME` are excluded, because there is a Dr Small.
"""

from __future__ import annotations

_NO_SURNAME = (
    "the|this|these|there|that|no|not|none|and|with|in|on|at|by|for|from|of|a|is|was|are|were|has|she|it"
    "|we|i|findings?|impressions?|conclusions?|history|indication|comparison|technique|examination|exam|study|report"
    "|reports|recommendations?|addendum|clinical|date|time|dictated|signed|electronically|final|preliminary|mrn|dob"
    "|age|sex|accession|dr|drs|doctor|prof|mr|mrs|ms|miss"
)
_NO_NAME = _NO_SURNAME + (
    "|he|an|to|or|chest|lungs?|heart|cardiac|cardiomediastinal|mediastinal|mediastinum|pleural|pulmonary|right|left|bilateral"
    "|bilaterally|upper|lower|mild|mildly|moderate|severe|small|large|stable|normal|unchanged|interval|new|clear"
    "|patchy|increased|decreased|however|please|thank|thanks|patient|patients|pa|ap|lateral|portable|frontal|view"
    "|views|two|single|one|ct|mri?|xr|cxr|radiographs?|radiography|bones?|osseous|visualized|limited|rotated|male"
    "|female|unknown|supine|upright|intubated|tube|support|lines?|removed|opacity|effusions?|pneumonia|pneumothorax"
    "|edema|atelectasis|consolidation|nodules?|mass|emergency|department|medicine|surgery|surgical|team|teams"
    "|radiology|radiologists?|physicians?|practitioner|nurses?|nursing|icu|micu|sicu|nicu|ed|er|service|staff"
    "|attending|resident|fellow|referring|ordering|primary|care|oncology|cardiology|technologists?|technicians?"
    "|providers?|doctors?|clinicians?|intern|house|officer|on-call|trauma|critical|value|results?"
)
_NO_DOCTOR = _NO_NAME + (  # words after DR where it means digital radiography
    "|systems?|imag(?:es?|ing)|detectors?|plates?|cassettes?|panels?|exposures?|thorax|abdomen|pelvis|spine|ribs?|skull"
    "|shoulder|hand|foot|knee|hip|room"
)
_CAPITAL = "[A-ZÀ-ÖØ-ÞŁŚŠŽ]"
_MIXED = rf"(?!(?i:{_NO_NAME})\b){_CAPITAL}(?=[\w'’-]{{0,25}}[a-zß-öø-ÿ])[\w'’-]{{1,25}}"
_WORD = rf"(?!(?i:{_NO_NAME})\b){_CAPITAL}[\w'’-]{{1,25}}"
_UPPER = rf"(?!(?i:{_NO_DOCTOR})\b){_CAPITAL}(?:{_CAPITAL}|['’-](?={_CAPITAL})){{1,25}}(?!\w)"
_SURNAME = rf"(?!(?i:{_NO_SURNAME})\b){_CAPITAL}[\w'’-]{{1,25}}"
_INITIAL = rf"{_CAPITAL}(?:\.|(?= ))"
_PARTICLE = "(?:van der|van den|van de|van|von der|von|de la|de|der|den|la|le|du|da|di|del|al|el|bin|ten|ter|Mc|St\\.)"
_GAP = r"[^\S\n]{1,2}"


def _name(word: str, first: str = "") -> str:
    """The pattern of a name of up to three such words that no colon follows."""
    more = rf"(?:{_GAP}(?:{_INITIAL}{_GAP}|{_PARTICLE}{_GAP}){{0,2}}{word}){{0,2}}"
    return rf"(?:{_INITIAL}{_GAP}?|{_PARTICLE}{_GAP}){{0,2}}{first or word}{more}(?![\w'’-]|{_GAP}?:)"


_ANY_NAME, _MIXED_NAME, _TITLED_NAME, _UPPER_NAME = map(_name, (_WORD, _MIXED, _WORD, _UPPER), ("", "", _SURNAME, ""))
_LISTED = (
    rf"(?:{_WORD}(?:-{_WORD})?,{_GAP}{_ANY_NAME}(?:{_GAP}{_INITIAL})?|{_ANY_NAME}"
    rf"(?:{_GAP}{_INITIAL})?)"
)
_TITLE = r"(?:Drs?|Doctor|Prof|Professor|Mr|Mrs|Ms|Miss|[Nn]urse|Mme|Mlle|Herrn?|Frau|Sra?|Dra|Dhr|Mevr|Dr\. med)\.?"
_CREDENTIAL = (
    r"(?:M\.?D\.?|D\.O\.|R\.?N\.?|N\.?P\.?|PA-C|Ph\.?D\.?|FRCR|FRCPC|MBBS|RT\(R\)|CRNA|ARNP|APRN|MBChB"
    r"|LPN|DPM)(?![\w.-])"
)
_DONE = (
    "dictated|transcribed|signed|approved|verified|read|interpreted|reviewed|reported|authenticated|finali[sz]ed"
    "|performed|requested|ordered|referred|released|typed|edited|attested|supervised|authori[sz]ed|freigegeben"
    "|diktiert|validé|dicté|firmado|validado|dictado|ondertekend|geautoriseerd"
)
_ROLE = (
    r"(?:(?:attending|referring|ordering|reading|requesting|primary care|supervising|staff|family) )?"
    r"(?:physician|doctor|radiologist|provider|clinician|surgeon|resident|attending|technologist|fellow"
    r"|transcriptionist)"
)
_PERSON = (
    rf"patient|pt|{_ROLE}|requested by|cc|copy to|signed|signature|dictator|author|mother|father|spouse"
    rf"|wife|husband|son"
    "|daughter|next of kin|patientin|zuweiser|befunder|prescripteur|paciente|médico|aanvrager|arts"
)
_LABEL = (
    r"(?:(?:patient|pt)(?:['’]s)? |first |last |family |given |maiden |full )?(?:name|surname)|nom|prénom"
    r"|nombre|naam|nachname|vorname"
)
_TOLD = (
    r"(?:discussed|communicated|conveyed|reported|relayed|reviewed|called|telephoned|phoned|spoke|spoken"
    r"|texted|confirmed)"
    r"(?: (?:by|via|over) (?:the )?(?:tele)?phone| (?:in person|verbally|directly))?(?: with| to| by)"
    r"|notified|informed|told|paged|phoned"
)
_LOWER_NAME = (
    rf"[^\W\d_][\w'’-]{{1,25}}(?:,?{_GAP}(?!(?i:{_NO_NAME})\b)(?!\w{{1,20}}\s?:)[^\W\d_][\w'’.-]{{0,25}}){{0,3}}"
)

_NO_PLACE = (
    "the|this|that|in|at|from|to|of|our|an?|and|or|outside|outpatient|inpatient|local|referring|other|another|prior"
    "|previous|pulmonary|oncology|cardiology|surgery|surgical|chest|pain|cancer|follow-?up|dental|eye|primary|care"
    "|her|his|admitted|patient|no|day|emergency|if|for|when|since|during"
)
_PLACE = rf"(?:(?!(?i:{_NO_PLACE})\b)(?:St\.|Mt\.|Ste\.|{_CAPITAL}[\w'’&-]{{1,25}}) (?:of |the |and |& |for )?)"
_HEAD = (
    "Hospitals?|Medical (?:Center|Centre|Group|School|Associates)|Clinic|Infirmary|University|Healthcare"
    "|Health (?:System|Center|Centre|Network|Services|Sciences)|Hospice|Nursing (?:Home|Facility)|Sanatorium"
    "|Rehabilitation Center|Imaging (?:Center|Centre|Associates)|Radiology (?:Associates|Group|Partners)"
    "|Cancer (?:Center|Centre|Institute)|Klinikum|Krankenhaus|Spital|Ziekenhuis"
)
_OF = r"(?: (?:of|at|for) (?:the )?[A-Z][\w'’-]{1,25}(?: [A-Z][\w'’-]{1,25}){0,2})?"
_CAPS_HEAD = (
    r"(?:GENERAL|MEMORIAL|UNIVERSITY|COMMUNITY|REGIONAL|COUNTY|CHILDREN['’]?S|VETERANS|MERCY) HOSPITAL"
    r"|MEDICAL CENT(?:ER|RE)"
)
_FOREIGN = (
    "(?:Universit(?:äts|aets)klinikum|Uniklinik|Klinikum|Krankenhaus|Hôpital|Hopital|Clinique|CHU"
    "|Centre [Hh]ospitalier|Hospital (?:Universitario|Clínico|General|San|Santa|Sant|de|del)|Clínica|Ziekenhuis"
    "|Hospital of|University of|Institute of)"
)

NAMES = {
    "NAME": (
        r"(?<![\w^])[^\W\d_][\w'’-]{0,40}\^[^\W\d_](?:[^\W\d_]|['’^-](?=[^\W\d_])){0,60}(?!\w)",
        rf"\b{_TITLE}(?:\s{{1,3}}|(?<=\.))(?:{_TITLE}\s{{1,2}})?(?P<x>{_TITLED_NAME}(?:(?:{_GAP}(?:and|&)|,){_GAP}"
        rf"(?:Drs?\.? )?{_MIXED_NAME}){{0,2}})",
        rf"\bDR\.\s{{0,2}}(?P<x>{_TITLED_NAME})",
        rf"\b(?:DRS?|DOCTOR|PROF|MRS)\.?\s{{1,2}}(?P<x>{_UPPER_NAME})",
        rf"(?<![\w'’-])(?P<x>{_ANY_NAME}),{_GAP}?{_CREDENTIAL}",
        rf"(?<![\w'’-])(?P<x>{_MIXED_NAME}){_GAP}{_CREDENTIAL}",
        rf"(?i:\b(?:{_DONE})(?: and \w{{1,15}})?(?: electronically)?(?: by| durch| von| par| por"
        rf"| door)\s{{0,2}}:?\s{{0,3}})"
        rf"(?:{_TITLE}\s)?(?P<x>{_LISTED})",
        rf"(?i:\b(?:{_PERSON})(?:\(s\))?\s?[:=]\s{{0,3}})(?:{_TITLE}\s)?(?P<x>{_LISTED})",
        rf"(?i:\b(?:{_LABEL})\s?[:=]\s{{0,3}})(?!\[)(?P<x>{_LOWER_NAME})",
        rf"\b(?i:patient),? (?:named )?(?P<x>{_MIXED} {_MIXED}(?: {_MIXED})?)(?![\w'’-]|{_GAP}?:)",
        rf"(?i:\b(?:{_TOLD}))\s(?P<x>{_MIXED_NAME})",
        rf"\b(?:by|per|with) (?P<x>(?:{_CAPITAL}\. ?){{1,2}}{_MIXED})",
        rf"\bI, (?P<x>{_MIXED_NAME})(?=,)",
        rf"(?i:\bsigned,? )(?P<x>{_MIXED_NAME})",
        r"(?m:^)(?P<x>[A-Z]{2,25}, [A-Z]{2,25}(?: [A-Z])?)(?=,? {1,3}\(?\d{1,3} ?-?(?:Y|M|F|yo|y/o|yr))",
        rf"(?i:/s/|//signed//)\s{{0,3}}(?P<x>{_ANY_NAME})",
    ),
    "INSTITUTION": (
        rf"\b{_PLACE}{{1,5}}(?:{_HEAD})\b{_OF}",
        rf"\b(?:{_CAPITAL}[\w'’&.-]{{1,25}} ){{0,3}}(?:{_CAPS_HEAD})\b",
        rf"\b{_FOREIGN}(?: (?:de |de la |del |für |am )?[A-ZÀ-Ö][\w'’-]{{1,25}}){{1,3}}",
        rf"\b(?:at|from|to) (?P<x>(?:St\.?|Saint|Mt\.?|Mount) {_CAPITAL}[\w’']{{1,25}})",
        rf"(?i:\b(?:facility|institution|hospital)(?: name)?\s?[:=]\s{{0,3}})(?P<x>(?:{_PLACE}){{0,4}}{_WORD})",
    ),
}
"""Class → patterns. If a pattern has a group `x`, the group is the name and the rest of the match is its cue."""
