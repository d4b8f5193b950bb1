"""Names of people that a title, a role, a relation or a label announces."""

from __future__ import annotations

from fedaid.data.report.identifiers.name_parts import (
    CREDENTIAL,
    CREDENTIAL_STARTS,
    LISTED,
    LOWER_NAME,
    MIXED,
    MIXED_NAME,
    PAIR,
    ROLE,
    ROLE_STARTS,
    TITLE,
    TITLE_STARTS,
    TITLED_NAME,
    UPPER_NAME,
)
from fedaid.data.report.identifiers.name_words import NO_DEPARTMENT
from fedaid.data.report.identifiers.rule import CAPITAL, CAPITALS, GAP, rules

_PERSON_ROLE = (
    r"(?:(?:attending|referring|ordering|reading|requesting|primary care|supervising|staff|family|reporting"
    r"|consultant|consulting) )?"
    r"(?:physician|doctor|radiologist|radiographer|provider|clinician|surgeon|resident|registrar|consultant"
    r"|attending|technologist|fellow"
    r"|transcriptionist|typist|secretary)"
)
_LABELLED = (
    rf"patient|pt|{_PERSON_ROLE}|requested by|cc|copy to|copies to|signed|signature|dictator|author|reporter"
    rf"|interpreter|mother|father"
    "|spouse|wife|husband|son|daughter|next of kin|(?:physician|doctor|provider|clinician|nurse|person"
    "|team) (?:notified|informed|called|paged)"
    "|notified|informed|contacted|reported to|called to|caller|witness"
    "|verified|approved|authori[sz]ed|validated|finali[sz]ed|dictated|vidiert|validada?|validée?|gefiatteerd|geautoriseerd"
    "|operator|performed by|tech|rad|gp|dictating|supervis(?:ion|ie|ión)|subject|regarding|betrifft|betr|betreff"
    "|concerne"
    "|objet|asunto|betreft|onderwerp|erstellt|freigegeben|geschrieben|rédact(?:eur|rice)|pat"
    "|patientin|zuweiser(?:in)?|befunder(?:in)?|überweiser|einsender(?:in)?|oberarzt|oberärztin|chefarzt"
    "|assistenzarzt|hausarzt|hausärztin"
    "|radiologe|radiologin|unterschrift|visum|mtra?|schreibkraft|diktat|überweisender arzt|befundender arzt"
    "|zweitbefunder|freigabe|arzt"
    "|prescripteur|médecin(?: traitant| prescripteur| radiologue| demandeur)?|radiologue|interne|opérateur"
    "|signataire|manipulateur|manipulatrice"
    "|correspondant|secrétaire|patiente|demandeur|paciente|médico(?: solicitante| responsable| peticionario)?"
    "|radiólog[oa]|facultativ[oa]|fdo"
    "|técnico|solicitante|firmado|firma|peticionario|aanvrager|arts|radioloog|huisarts|verslaglegger|laborante?"
    "|patiënte?|supervisor"
    "|ondertekend|aanvragend arts|handtekening|auteur|kopie(?: an)?|nachrichtlich(?: an)?|copie à|copia a|kopie aan"
)
_NAME_LABEL = (
    r"(?:(?:patient|pt)(?:['’]s)? |first |last |family |given |maiden |middle |full |birth )?(?:name|surname)"
    r"|alias|a\.?k\.?a\.?|noms?|prénoms?"
    r"|nom de naissance|nombre|apellidos?|nombre y apellidos|naam|voornaam|achternaam|nachname|vorname"
    r"|familienname|geburtsname|name des patienten"
)
_RELATIVE = (
    "mother|father|son|daughter|wife|husband|spouse|sister|brother|aunt|uncle|niece|nephew|grandson"
    "|granddaughter|grandmother|grandfather"
    "|guardian|carer|caregiver|neighbou?r|next of kin|fiancée?|cousin|step-?(?:son|daughter|father|mother)"
    "|(?:son|daughter|mother|father)-in-law"
    "|interpreter|landlord|landlady|friend"
)
_RELATIVE_GERMAN = (
    "Mutter|Vater|Sohn(?:es)?|Tochter|Ehefrau|Ehemann|Gattin|Gatte|Bruder|Schwester|Enkel(?:in)?|Tante|Onkel|Oma"
    "|Opa|Großmutter|Großvater"
    "|Lebensgefährt(?:e|in)|Betreuer(?:in)?|Schwiegersohn|Schwiegertochter|Neffe|Nichte|Cousin(?:e)?|Nachbar(?:in)?"
)
_RELATIVE_ROMANCE = (
    "mère|père|fils|fille|épouse|époux|mari|femme|frère|sœur|soeur|tante|oncle|nièce|neveu|conjointe?|compagne"
    "|compagnon|petit-fils|petite-fille"
    "|belle-fille|beau-fils|gendre|voisine?|aidante?|madre|padre|hij[oa]|espos[oa]|mujer|marido|herman[oa]"
    "|tía|tío|tia|tio|niet[oa]|sobrin[oa]|cuñad[oa]"
    "|nuera|yerno|pareja|cuidador[a]?|vecin[oa]|moeder|vader|zoon|dochter|echtgeno(?:ot|te)|vrouw|man|broer|zus"
    "|oom|nicht|neef"
    "|kleinzoon|kleindochter|schoonzoon|schoondochter|partner|mantelzorger|buurvrouw|buurman"
)
_COLLEAGUE = (
    "registrar|nurse|resident|fellow|intern|houseman|consultant|sister|matron|colleague|physician|radiographer"
    "|technologist|technician|tech"
    "|midwife|surgeon|anaesthetist|anesthesiologist|paramedic|secretary|practitioner|sonographer|therapist"
    "|coordinator|SHO"
)
_COLLEAGUE_FOREIGN = (
    "confrère|consœur|interne|externe|infirmi(?:er|ère)|médecin|chirurgien(?:ne)?|radiologue|patiente?"
    "|manipulat(?:eur|rice)|sage-femme|kinésithérapeute"
    "|compañer[oa]|residente|enfermer[oa]|médic[oa]|ciruj?an[oa]|radiólog[oa]|paciente|celador[a]?|auxiliar"
    "|técnic[oa]|doctora?"
    "|collega|arts|zaalarts|verpleegkundige|assistente?|patiënte?|radioloog|chirurg|laborante?|huisarts|zuster|broeder"
)

_TITLED = (
    rf"\b{TITLE}(?:\s{{1,3}}|(?<=\.))(?P<x>{TITLED_NAME}(?:(?:{GAP}(?:and|und|et|y|en|u\.|&)|,){GAP}"
    rf"(?:Drs?\.? )?{MIXED_NAME}){{0,2}})",
    rf"\bDR\.\s{{0,2}}(?P<x>{TITLED_NAME})",
    rf"\b(?:DRS?|DRA|DOCTOR|PROF|MRS|MISS|HERRN?|FRAU|MME|SRA|DHR|MEVR)\.?\s{{1,2}}(?P<x>{UPPER_NAME})",
    rf"\bM\. (?!(?i:tuberculosis|kansasii|avium|pneumoniae|abscessus|catarrhalis|leprae|bovis)\b)(?P<x>{MIXED_NAME})",
    rf"\bD\. (?P<x>{PAIR})",
    rf"(?:\b(?:durch|mit|von|an|bei|Visum|gez\.?) )(?:OA|OÄ|CA|CÄ|FA|FÄ|AA|AÄ|LOA"
    rf"|WBA)\.? (?:Dr\. )?(?P<x>{MIXED_NAME})",
    rf"(?<![\w'’-])(?P<x>{LISTED}),(?:{GAP})?{CREDENTIAL}",
    rf"(?<![\w'’-])(?P<x>{MIXED_NAME}){GAP}{CREDENTIAL}",
    rf"(?<![\w'’-])(?P<x>{PAIR}),?{GAP}\(?{ROLE}\b",
    r"(?<![\w^])[^\W\d_][\w'’-]{0,40}\^[^\W\d_](?:[^\W\d_]|['’^-](?=[^\W\d_])){0,60}(?!\w)",
)
_LABELS = (
    rf"(?i:\b(?:{_LABELLED})(?:\(s\))?\.?\s?[:=]\s{{0,3}})(?:{TITLE}\s)?(?P<x>(?!{CAPITAL}{{2,4}}/){LISTED})",
    rf"(?i:\b(?:{_LABELLED})(?:\(s\))?\s?[:=]\s{{0,3}})(?P<x>{CAPITAL}{{2,4}}|(?!(?:yes|no|ja|nee|oui|non|si|sí)\b)[a-z]{{2,3}})(?=[\s,;]*(?:$|\n|[DT]:))",
    rf"(?im:^(?:to|attn|for|an|à|para|aan)\s?:\s{{0,3}})(?:{TITLE}\s)?(?P<x>{LISTED})",
    rf"(?i:\b(?:{_NAME_LABEL})\s?[:=]\s{{0,3}})(?!\[)(?P<x>{LOWER_NAME})",
    rf"\b(?i:patiente?|pt|paciente|patiënte?),? (?:named |called )?(?P<x>{PAIR})",
    rf"\b(?:Patient|Patientin) (?P<x>{PAIR})(?=,| \(| \[| geb| \*| klagt| ist | war | hat | stellt)",
    rf"(?<![\w'’-])(?P<x>{LISTED}),?(?:{GAP})?\(?(?=(?i:née? (?:le|en|\[)|geb\.|geboren|\*\s?\[|born\b|d\.?o\.?b"
    rf"|nacid[oa]))",
    rf"(?:\b(?:née|geborene[rn]?|geb\.)|\bborn) (?!(?i:in|on|le|am|en|op)\b)(?P<x>{MIXED_NAME})",
    rf"(?m:^)(?P<x>[{CAPITALS}]{{2,25}}, [{CAPITALS}]{{2,25}}(?: [A-Z])?)(?=,? {{1,3}}\(?\d{{1,3}} ?-?(?:Y|M|F"
    rf"|yo|y/o|yr))",
)
_RELATIONS = (
    rf"(?i:\b(?:{_RELATIVE})(?:,| is| was| named| called|:|\))? )(?:\(?(?:{TITLE} )?)(?P<x>{MIXED_NAME})",
    rf"\b(?:{_RELATIVE_GERMAN})(?:,|:| heißt| namens)? (?P<x>{NO_DEPARTMENT}{MIXED_NAME})",
    rf"(?i:\b(?:{_RELATIVE_ROMANCE})(?:,|:| se llama| nommée?| genaamd)? )(?P<x>{MIXED_NAME})",
    rf"\b(?i:{_COLLEAGUE})(?:,| called| named)? (?P<x>{MIXED_NAME})(?!{GAP}?:)",
    rf"(?i:\b(?:{_COLLEAGUE_FOREIGN}),? )(?:{TITLE} )?(?P<x>{NO_DEPARTMENT}{MIXED_NAME})",
)

PEOPLE = (
    *rules("NAME", _TITLED[9], hints="^"),
    *rules("NAME", *_TITLED[:3], starts=TITLE_STARTS),
    *rules("NAME", _TITLED[3], hints="m. "),
    *rules("NAME", _TITLED[4], hints="d. "),
    *rules("NAME", _TITLED[5], hints="oa|oä|ca|cä|fa|fä|aa|aä|wba"),
    *rules("NAME", *_TITLED[6:8], starts=CREDENTIAL_STARTS),
    *rules("NAME", _TITLED[8], starts=ROLE_STARTS),
    *rules("NAME", *_LABELS[:3], labelled=True),
    *rules("NAME", _LABELS[3], hints="name|nom|naam|alias|a.k.a|aka|apell", labelled=True),
    *rules("NAME", *_LABELS[4:6], hints="pati|pt|paci"),
    *rules("NAME", *_LABELS[6:8], hints="né|geb|*|born|dob|d.o|nacid"),
    *rules("NAME", _LABELS[8], hints=","),
    *rules("NAME", rf"(?<=\[NAME\])\n(?P<x>{MIXED})(?=[.,;)]| (?:at|on|by|and|to|in)\b)", hints="[name]\n"),
    *rules("NAME", _RELATIONS[0], starts=_RELATIVE),
    *rules("NAME", _RELATIONS[1], starts=_RELATIVE_GERMAN),
    *rules("NAME", _RELATIONS[2], starts=_RELATIVE_ROMANCE),
    *rules("NAME", _RELATIONS[3], starts=_COLLEAGUE),
    *rules("NAME", _RELATIONS[4], starts=_COLLEAGUE_FOREIGN),
)
"""The rules of names with a title, a role, a relation or a label."""
