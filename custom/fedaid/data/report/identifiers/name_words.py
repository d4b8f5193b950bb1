"""Words that are never part of a name, in five languages.

A name without a cue ("Smith agrees") is not found: no list of names can tell Kerley B lines from Ms Kerley, and a
language model for names, such as presidio's, would have to be installed. Directly after a title only the words of
:data:`NO_SURNAME` are excluded, because there is a Dr Small.
"""

from __future__ import annotations

NO_SURNAME = (
    "the|this|these|there|that|no|not|none|and|with|in|on|at|by|for|from|of|a|is|was|are|were|has|she|it"
    "|we|i|findings?|impressions?|conclusions?|history|indication|comparison|technique|examination|exam|study|report"
    "|reports|recommendations?|addendum|clinical|date|time|dictated|signed|electronically|final|preliminary|mrn|dob"
    "|age|sex|accession|dr|drs|doctor|prof|mr|mrs|ms|miss"
    "|befund|beurteilung|der|die|das|und|kein|keine|keinen|mit|von|vom|klinik|le|les|des|et|un|une|el|los|las"
    "|una|het|een|en"
)
_FOREIGN = (
    "|rücksprache|station|ambulanz|notaufnahme|zustand|verdacht|thorax|röntgen|aufnahmen?|voraufnahmen?"
    "|untersuchung|bitte"
    "|patient(?:in|en)?|patiente?s?|paciente?s?|patiënte?n?|kollegen?|kollegin|herrn?|frau|arzt|ärztin|oberarzt"
    "|team|dienst"
    "|pflege|angehörige[nr]?|befunde?|vergleich|herz|lunge|erguss|pneumothorax|infiltrate?|rechts|links|unauffällig"
    "|regelrecht|normale?r?s?|keine?n?r?s?|nicht|ohne|zur|zum|im|am|an|auf|bei|nach|aus|es|er|sie|ist|sind|wird|wurde"
    "|chirurgie|unfallchirurgie|innere|neurologie|kardiologie|pneumologie|onkologie|radiologie|intensivstation"
    "|husten|fieber"
    "|klinische?n?|angaben|fragestellung|technik|datum|uhrzeit|tel|telefon|fax|seite|name|vorname|geboren|unterschrift"
    "|service|urgences?|médecin|interne|chirurgien|infirmière|docteur|équipe|absence|pas|opacité|cœur|coeur"
    "|poumons?|épanchement"
    "|sans|avec|dans|pour|sur|par|au|aux|du|la|résultats?|conclusions?|indication|technique|comparaison|examen|clichés?"
    "|radiographie|réanimation|cardiologie|pneumologie|chirurgie|radiologie|il|elle|ce|cette|madame|monsieur"
    "|compte|bonne|stable"
    "|urgencias|servicio|médico|médica|enfermer[oa]|equipo|cirugía|neumología|cardiología|oncología|radiología"
    "|sin|con|para"
    "|por|se|no|hallazgos|impresión|conclusión|técnica|comparación|radiografía|tórax|corazón|pulmones|derrame"
    "|planta|del|al|es"
    "|spoedeisende|afdeling|verpleging|verpleegkundige|arts|huisarts|zaalarts|assistent|collega|longarts"
    "|cardioloog|chirurg"
    "|patiënt|longen|hart|geen|niet|met|zonder|bij|naar|op|te|van|voor|verslag|bevindingen|conclusie|beoordeling"
    "|vergelijking"
)
NO_NAME = (
    NO_SURNAME
    + _FOREIGN
    + (
        "|he|an|to|or|chest|lungs?|heart|cardiac|cardiomediastinal|mediastinal|mediastinum|pleural|pulmonary"
        "|right|left|bilateral"
        "|bilaterally|upper|lower|mild|mildly|moderate|severe|small|large|stable|normal|unchanged|interval|new|clear"
        "|patchy|increased|decreased|however|please|thank|thanks|patient|patients|pa|ap|lateral|portable|frontal|view"
        "|views|two|single|one|ct|mri?|mrt|xr|cxr|radiographs?|radiography|bones?|osseous|visualized|limited"
        "|rotated|male"
        "|female|unknown|supine|upright|intubated|tube|support|lines?|removed|opacity|effusions?|pneumonia|pneumothorax"
        "|edema|oedema|atelectasis|consolidation|nodules?|mass|emergency|department|medicine|surgery|surgical"
        "|team|teams"
        "|radiology|radiologists?|physicians?|practitioner|nurses?|nursing|icu|itu|micu|sicu|nicu|picu|ccu|ed|er"
        "|service|staff"
        "|attending|resident|fellow|referring|ordering|primary|care|oncology|cardiology|technologists?|technicians?"
        "|providers?|doctors?|clinicians?|intern|house|officer|on-call|trauma|critical|value|results?|covid|ward"
        "|unit|gp|mdt"
        "|registrar|consultant|number|stable|acute|disease|discussed|notified|comments?|see|copd|hiv|tb|dnr|dvt"
        "|picc|ett|ngt|svc"
    )
)
NO_DOCTOR = NO_NAME + (  # words after DR where it means digital radiography
    "|systems?|imag(?:es?|ing)|detectors?|plates?|cassettes?|panels?|exposures?|thorax|abdomen|pelvis|spine|ribs?|skull"
    "|shoulder|hand|foot|knee|hip|room"
)
NO_PLACE = (
    NO_NAME
    + "|our|outside|outpatient|inpatient|local|other|another|prior|previous|pain|cancer|follow-?up|dental|eye|her|his"
    "|admitted|day|if|when|since|during|january|february|march|april|may|june|july|august|september|october"
    "|november|december"
    "|thoracic|lumbar|cervical|segment\\w*|bereich\\w*|\\w{0,12}(?:lappen|feld|winkel|sinus|höhe|aufnahme"
    "|segment|bereich)"
    "|trendelenburg|fowler|hounsfield|january|rippen?|wirbel\\w*|bwk|lwk|hwk|apnoea|apnea|inspiration|expiration"
    "|medical|general|university|intensive|high|low|good|poor|position\\w*"
)
NO_DEPARTMENT = (
    r"(?!(?i:[\w-]*(?:log(?:y|ie|ía|ist|en|ue|o|a|oog)|surgery|chirurgie|chirurg\w{0,4}|cirugía|medizin|medicine"
    r"|médecine"
    r"|medicina|station|klinik|abteilung|ambulanz|aufnahme|arzt|ärztin|ärzten?|ärzte|dienst|team|iatrie|iatrics?|iatría"
    r"|therapy|pfleger|schwester|ician|geneeskunde|kunde))\b)"
)
"""What a department or a role ends with; for the words after "discussed with" without a title."""


def no_name(words: str = NO_NAME) -> str:
    """Return a lookahead that keeps these words from being a name."""
    return rf"(?!(?i:{words})\b)"
