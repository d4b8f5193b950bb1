"""Names of people who dictated, signed, were told or were seen, and initials of typists."""

from __future__ import annotations

from fedaid.data.report.identifiers.name_parts import (
    ANY_NAME,
    LISTED,
    MIXED,
    MIXED_NAME,
    TITLE,
    TITLE_STARTS,
    UPPER_NAME,
)
from fedaid.data.report.identifiers.name_words import NO_DEPARTMENT, NO_NAME, no_name
from fedaid.data.report.identifiers.rule import CAPITAL, SMALLS, rules

_DONE = (
    "received|taken|read back|accepted|dictated|transcribed|signed|approved|verified|read|interpreted|reviewed"
    "|reported|authenticated|finali[sz]ed"
    "|performed|requested|ordered|referred|released|typed|edited|attested|supervised|authori[sz]ed|checked"
    "|prepared|seen|entered|confirmed"
    "|electronically signed|freigegeben|diktiert|befundet|signiert|validiert|vidiert|geschrieben|erstellt"
    "|gesehen|verfasst|angefordert|untersucht"
    "|durchgeführt|unterschrieben|unterzeichnet|zugewiesen|überwiesen|validée?|dictée?|signée?|rédigée?"
    "|interprétée?|lue?|relue?|saisie?|réalisée?"
    "|adressée?|demandée?|prescrite?|vérifiée?|firmado|validado|dictado|informado|realizad[oa]|revisado"
    "|solicitad[oa]|remitid[oa]|transcrito"
    "|verificado|elaborado|ondertekend|geautoriseerd|gedicteerd|verslagen|beoordeeld|gezien|aangevraagd"
    "|gefiatteerd|getypt|vrijgegeven|verslag"
)
_BY = (
    r"(?: and \w{1,15}| und \w{1,15}| et \w{1,15}| y \w{1,15}| en \w{1,15})?(?: electronically| elektronisch"
    r"| électroniquement"
    r"| electrónicamente| digitally| digital)?(?: by| durch| von| par| por| door)\s{0,2}:?\s{0,3}"
)
_TOLD = (
    r"(?:discussed|communicated|conveyed|reported|relayed|reviewed|called|telephoned|phoned|spoke|spoken|texted"
    r"|confirmed|given|handed|faxed"
    r"|results?|findings|report)"
    r"(?: (?:by|via|over) (?:the )?(?:tele)?phone| (?:in person|verbally|directly)| (?:the )?(?:results?"
    r"|findings|report))?(?: with| to| by)"
    r"|notified|informed|told|paged|phoned|contacted|alerted|cc|attn\.?|attention"
)
_TOLD_FOREIGN = (
    r"(?:besprochen|rücksprache|telefonat|telefoniert|abgesprochen|absprache|konsultiert|demonstriert"
    r"|demonstration|diskutiert|gesprochen"
    r"|besprechung|übergabe) (?:mit|an|bei)"
    r"|(?:mitgeteilt|übermittelt|gemeldet|weitergegeben|durchgegeben|mitteilung|meldung|information"
    r"|befundübermittlung|weiterleitung) an|verständigt:?"
    r"|(?:vue?|discutée?|revue?|relue?|évoquée?|accord|contact|échange|communiquée?|transmise?|appelée?"
    r"|téléphonée?|avis|signalée?|montrée?)"
    r"(?: téléphonique)? (?:avec|à|au|auprès de|par|de)(?: le| la| l['’]interne| l['’]infirmière)?"
    r"|(?:comentad[oa]|comenta|comunicad[oa]|comunica|discutid[oa]|consultad[oa]|consulta|hablad[oa]|contacta"
    r"|acuerdo|avisad[oa]|avisa|informad[oa]"
    r"|informa|notificad[oa])(?: telefónicamente)? (?:con|a|al)(?: el| la)?"
    r"|(?:besproken|overlegd|overleg|afgesproken|gesproken|doorgebeld|doorgegeven|gemeld|gebeld|medegedeeld"
    r"|doorgegeven|telefonisch) (?:met|aan|naar|door)"
    r"|à l['’]attention de|a la atención de|zu händen|cc:?"
)
_AFTER_LOWER = r"(?= (?:in|at|from|of|on|by|via|over|with|who|rn|md|np|pa|and|about|regarding|re)\b| ?[.,;(]|$)"
_NO_LOWER = (
    NO_NAME
    + "|be|have|show|return|rule|exclude|evaluate|obtain|rest|follow|bedside|answer|confirm|help|family|relatives?"
    "|parents?|"
    "anaesthetics?|anaesthesia|anesthesia|ortho(?:paedics|pedics)?|neuro\\w*|urgent\\w*|immediate\\w*|\\w+ly|him"
    "|her|them|us|me|you|everyone|"
    "his|our|my|its|their|all|both|some|any|each|covering|receiving|operating|responsible|floor|clinic|office"
    "|desk|reception|theatre|"
    "radiographer|operator|secretary|covering|night|day|duty|charge|outpatients?|inpatients?|admitting|medical"
    "|paediatrics?|pediatrics?|"
    "obstetrics?|plastics?|vascular|thoracics?|general|community|mother|father|son|daughter|wife|husband"
    "|previous|prior|dictation|phone|"
    "telephone|fax|email|above|below|same|date|being|those|what|which|consultants?|juniors?|seniors?|residents?"
    "|registrars?|interns?"
)
_LOWER = (
    rf"(?P<x>{no_name(_NO_LOWER)}{NO_DEPARTMENT}[a-z][a-z'’-]{{2,20}}"
    rf"(?: {no_name(_NO_LOWER + '|via|over|who|rn|np')}[a-z]{{3,20}})?)"
)
_NO_INITIALS = (
    "(?!(?:PA|AP|LL|RL|CT|MR|MRI|US|XR|CXR|LAT|HU|IV|AM|PM|UPPER|MAP|TNM|II|III|LV|RV|LA|RA|ED|ER|IN|OR|AND)[/:])"
)
_NO_INITIALS_END = r"(?!(?:PA|AP|LL|RL|CT|MR|MRI|US|XR|LAT|HU|OR|AND|II|III|LV|RV|LA|RA)\b)"
_NO_TYPIST = "(?!(?:lat|mm|cm|ml|min|kg|mg|dl|hr|pa|ap|sec|day|or|and|mmhg|l|hg|ul|g|iv|im|po|vs|ca)\\b)"

_SIGNED = (
    rf"(?i:\b(?:{_DONE}){_BY})(?:{TITLE}\s)?(?P<x>{LISTED})",
    rf"(?i:\b(?:{_DONE}){_BY})(?P<x>(?!(?:DRS?|DRA|PROF|MRS?|MS"
    rf"|THE)\b){CAPITAL}{{2,4}}(?:/[A-Za-z]{{2,4}})?)(?=[\s,;.]*(?:$|\n|\[|[DT]:| on | at | am | le | el | op ))",
    rf"(?i:\b(?:signed|gez\.?|unterzeichnet|signé|firmado|fdo\.?|getekend|w\.g\."
    rf"|i\. ?[av]\.),?\s?:?\s{{0,3}})(?P<x>{MIXED_NAME})",
    rf"(?i:/s/|//signed//|//e-?signed//|\be-?signed:?|\bs/d)\s{{0,3}}(?P<x>{ANY_NAME})",
    rf"\b(?:by|per|with) (?P<x>(?:{CAPITAL}\. ?){{1,2}}{MIXED})",
    rf"\bI, (?P<x>{MIXED_NAME})(?=,)",
)
_TYPED_BY = (
    r"(?i:\b(?:dictated|transcribed|typed|geschrieben|getypt|gedicteerd|diktiert|dicté|dictado) (?:by|von|durch"
    r"|door|par|por) )"
)
_TYPED = (
    rf"{_TYPED_BY}(?P<x>(?:{CAPITAL}\.-?){{2,4}})(?![\w])",
    rf"{_TYPED_BY}(?P<x>(?!(?:me|us|my|the|our|phone|fax)\b)[a-z]{{2,4}})(?=\s*(?:$|\n|[.;,\[]))",
    r"\bD: ?(?P<x>[A-Za-z]{2,4})(?=,? T:)",
    r"\bD: ?\[NAME\],? T: ?(?P<x>[A-Za-z]{2,4})(?=\s*(?:$|\n|[.;,\[]))",
    rf"\b(?:to|with|by) (?:the )?(?:ST\d|FY\d|F[12]|SHO|SpR|StR|PGY-?\d|AIOS|ANIOS) (?P<x>{MIXED_NAME})",
)
_TOLD_TO = (
    rf"(?i:\b(?:{_TOLD}):?)\s(?P<x>{NO_DEPARTMENT}{MIXED_NAME})",
    rf"(?i:\b(?:{_TOLD_FOREIGN})) (?:{TITLE} )?(?P<x>{NO_DEPARTMENT}{MIXED_NAME})",
    rf"\b(?:NOTIFIED|INFORMED|CALLED TO|PHONED TO|REPORTED TO|DISCUSSED WITH|SPOKE WITH|SPOKE TO|RELAYED TO"
    rf"|COMMUNICATED TO|CONVEYED TO"
    rf"|READ BACK BY|BESPROCHEN MIT|RÜCKSPRACHE MIT|COMENTADO CON|VU AVEC|BESPROKEN MET|PAGED"
    rf"|CONTACTED):? (?P<x>{UPPER_NAME})",
    rf"\b(?:(?:results?|findings|report)(?: (?:were|was))?(?: (?:called|phoned|given|reported|communicated"
    rf"|conveyed|relayed|faxed))? to"
    rf"|(?:called|phoned|gave|given|reported|relayed)(?: (?:the|these|critical))* (?:results?|findings|report) to"
    rf"|(?:spoke|spoken) (?:with|to)|discussed (?:by phone )?with|d/w|read back by|(?:taken|received"
    rf"|accepted) by) (?:(?:the )?(?:charge |staff )?(?:nurse|sister|matron|registrar|resident|intern|physician"
    rf"|surgeon) )?"
    rf"{_LOWER}{_AFTER_LOWER}",
    rf"\b(?i:dra?|prof|mr|mrs|ms|mme|sra|mevr|mw|dhr)\.? (?P<x>{no_name()}(?!and |or |if |to |said|noted|will"
    rf"|who)[{SMALLS}][{SMALLS}'’-]{{2,20}})(?= |[.,;)]|$)",
)
_INITIALS = (
    rf"\b{TITLE}\s?(?P<x>(?:{CAPITAL}\.[ -]?){{1,3}})(?=[\s,;]*(?:$|\n|\[|\())",
    rf"(?<![\w/.:-]){_NO_INITIALS}[A-Z]{{2,4}}[/:] ?{_NO_TYPIST}[a-z]{{2,4}}(?:/[a-z]{{2,4}})?(?![\w/:])",
    rf"(?<![\w/.-]){_NO_TYPIST}[a-z]{{2,4}}/{_NO_INITIALS_END}[A-Z]{{2,4}}(?=[\s;,.]*(?:$|\n|\d|\[))",
    rf"(?<![\w/.-]){_NO_INITIALS}[A-Z]{{2,4}}[/:][A-Za-z]{{2,4}}(?=[\s;,.-]{{1,3}}(?:(?:D|T|DD|DT|TD|TT|R"
    rf"|Job)\s?[:#]|\[DATE\]))",
    rf"(?m:^)[ \t]*{_NO_INITIALS}[A-Za-z]{{2,4}}[/:]{_NO_TYPIST}[A-Za-z]{{2,4}}[ \t]*(?m:$)",
    r"(?i:\b(?:initials|initialen|initiales|iniciales|kürzel|dictator|typist"
    r"|ref\.?)\s?[:=]\s?)(?P<x>[A-Za-z]{2,4}(?:[/:-][A-Za-z]{2,4})?)(?![\w])",
    r"(?i:\b(?:dictated|transcribed|typed|signed|dict|typ|dikt|diktat|dicté|dictado"
    r"|gedicteerd)\s?[:/.]\s?)(?-i:(?=[A-Z]{2}|[a-z]{2,3}(?:[\s.;]*(?:$|\n))))(?P<x>[A-Za-z]{2,4}(?:[/:-][A-Za-z]{2,4})?)(?![\w])",
)

SIGNED = (
    *rules("NAME", *_SIGNED[:2], hints="by|durch|von|par|por|door", starts=_DONE),
    *rules("NAME", *_SIGNED[2:4], hints="signed|gez|unterz|signé|firm|fdo|getek|w.g|i.|i. |/s/|s/d"),
    *rules("NAME", _SIGNED[4], hints="by |per |with "),
    *rules("NAME", _SIGNED[5], hints="i, "),
    *rules("NAME", *_TYPED[:2], starts="dictat|transc|typed|geschr|getypt|gedict|diktie|dicté|dictad"),
    *rules("NAME", *_TYPED[2:4], hints="d:"),
    *rules("NAME", _TYPED[4], hints="to |with |by "),
    *rules(
        "NAME",
        _TOLD_TO[0],
        starts=_TOLD,
    ),
    *rules(
        "NAME",
        _TOLD_TO[1],
        starts=_TOLD_FOREIGN,
    ),
    *rules("NAME", _TOLD_TO[2], hints="notif|informed|to |with|back|mit |con |avec|met |paged|contacted"),
    *rules("NAME", _TOLD_TO[3], hints="to |with |by |d/w "),
    *rules("NAME", _TOLD_TO[4], hints="dr|prof|mr|ms"),
    *rules("NAME", _INITIALS[0], starts=TITLE_STARTS),
    *rules("NAME", *_INITIALS[1:5], hints="/|:"),
    *rules("NAME", *_INITIALS[5:], hints="initi|inici|kürzel|dict|typ|ref|transcr|signed|dikt"),
)
"""The rules of names that something done or said announces."""
