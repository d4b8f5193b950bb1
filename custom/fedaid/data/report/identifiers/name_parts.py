"""What names and titles consist of, as parts of regular expressions."""

from __future__ import annotations

from fedaid.data.report.identifiers.name_words import NO_DOCTOR, NO_NAME, NO_SURNAME, no_name
from fedaid.data.report.identifiers.rule import CAPITAL, GAP, SMALLS

_LETTERS = r"[\w'’-]{1,25}"
MIXED = rf"{no_name(NO_NAME)}{CAPITAL}(?=[\w'’-]{{0,25}}[{SMALLS}]){_LETTERS}"
WORD = rf"{no_name(NO_NAME)}{CAPITAL}{_LETTERS}"
UPPER = rf"{no_name(NO_DOCTOR)}{CAPITAL}(?:{CAPITAL}|['’-](?={CAPITAL})){{1,25}}(?!\w)"
SURNAME = rf"{no_name(NO_SURNAME)}{CAPITAL}{_LETTERS}"
INITIAL = rf"{CAPITAL}(?:\.(?:-{CAPITAL}\.)?|(?=[ ,;\n]))"
PARTICLE = (
    "(?:van der|van den|van de|van het|van ['’]t|van|von der|von dem|von und zu|von|vom und zum|vom|zu|zum|zur"
    "|de las?|de los|de"
    "|der|den|des|del|dos|das|do|da|du|di|dello|della|dela|la|le|al|el|bin|bint|ibn|ben|abu|ten|ter|te|op de"
    "|in ['’]t|['’]t|af|av|y|e"
    r"|Van|Von|De|La|Le|Mc|St\.)"
)


def name(word: str, first: str = "") -> str:
    """The pattern of a name of up to four such words that no colon follows."""
    parts = rf"(?:{INITIAL}{GAP}|{PARTICLE}{GAP}|[dDlL]['’](?={CAPITAL})){{0,2}}"
    more = rf"(?:{GAP}{parts}{word}){{0,3}}"
    start = rf"(?:{INITIAL}(?:{GAP})?|{PARTICLE}{GAP}|[dDlL]['’](?={CAPITAL})){{0,3}}"
    return rf"{start}{first or word}{more}(?![\w'’-]|{GAP}?:)"


ANY_NAME, MIXED_NAME, TITLED_NAME, UPPER_NAME = map(name, (WORD, MIXED, WORD, UPPER), ("", "", SURNAME, ""))
LISTED = rf"(?:{ANY_NAME},{GAP}{ANY_NAME}(?:{GAP}{INITIAL})?|{ANY_NAME}(?:{GAP}{INITIAL})?)"
LOWER_NAME = rf"[^\W\d_]{_LETTERS}(?:,?{GAP}{no_name(NO_NAME)}(?!\w{{1,20}}\s?:)[^\W\d_][\w'’.-]{{0,25}}){{0,3}}"
PAIR = rf"{MIXED}(?:{GAP}(?:{INITIAL}{GAP}|{PARTICLE}{GAP}){{0,2}}{MIXED}){{1,3}}(?![\w'’-]|{GAP}?:)"
"""A name of at least two words."""

_DOCTOR = (
    r"[Dd]rs?|Dres|Doctora?|Doctor|[Dd]octeure?|Doktor|[Dd]ra|[Dd]octora|[Pp]rofesseure?|[Pp]rof|Profs|Professor(?:in)?|Profesora?|Pr|PD"
    r"|Priv\.?-?(?:Doz|Dozent(?:in)?)"
    r"|Doz|Univ\.?-Prof|apl\. Prof|Ass\. Prof|a\.o\. Prof|Hon\.-Prof|DDr|MR Dr|OMR"
)
_SIR = (
    r"Mr|Mrs|Ms|Miss|Mx|Messrs|Sir|Dame|Lady|Lord|Rev|Reverend|Fr\. (?=Father)|Father|[Nn]urse|Matron|Mme|Mmes"
    r"|Mlle|Monsieur|Madame"
    r"|Mademoiselle|MM\.|Herrn?|Hr|Frau|Frl|Fräulein|Sra?|Srta|Sres|Señora?|señora?|Señorita|Don|Doña|Dña|D\.?ª"
    r"|[Dd]hr|[Mm]evr|[Mm]w"
    r"|[Mm]evrouw|[Mm]eneer|[Dd]e heer|[Mm]ej|[Dd]rs|[Zz]r|[Zz]uster|[Bb]roeder|Ir|Schwester|Pfleger"
)
_RANK = (
    r"Oberarzt|Oberärztin|Chefarzt|Chefärztin|Assistenzarzt|Assistenzärztin|Facharzt|Fachärztin|Stationsarzt"
    r"|Stationsärztin|Hausarzt"
    r"|Hausärztin|Kolleg(?:e|in|en)|Dienstarzt|Dienstärztin|Notarzt|Belegarzt|Primar|Prim|Leit(?:ender"
    r"|ende) (?:Oberarzt|Ärztin)"
    r"|Radiologe|Radiologin|Zuweiser(?:in)?|Einsender(?:in)?"
)
_DEGREE = (
    r"med|univ|habil|rer|nat|phil|h\. ?c|hc|mult|dent|vet|scient|disc|pol|Dipl\.?-?\w{2,8}|Mag|Ing|FEBR|MBA|MHBA"
    r"|ir|ing|M\.? ?Sc|B\.? ?Sc|Kollegen?"
    r"|Kollegin|collega|le|la|el|de|en|D\."
)
TITLE = rf"(?:(?:{_DOCTOR}|{_SIR}|{_RANK})\b\.?(?:\s?(?:{_DOCTOR}|{_SIR}|{_RANK}|{_DEGREE})(?![\w'’])\.?){{0,6}})"
"""A title in one or several parts: "Frau Prof. Dr. med. univ."."""
TITLE_STARTS = (
    "d|dª|dr|dres|doct|dokt|dra|prof|pr|pd|priv|doz|univ|apl|hon|ddr|omr|mr|mrs|ms|miss|mx|messrs|sir|dame|lady|lord"
    "|rev|father"
    "|nurse|matron|mme|mmes|mlle|monsie|madame|mademo|mm|herr|hr|frau|frl|fräule|sr|sra|srta|sres|señor|don|doña"
    "|dña|dhr"
    "|mevr|mevrou|mw|meneer|heer|mej|drs|zr|zuster|broede|ir|schwes|pflege|oberar|oberär|chefar|chefär|assist"
    "|fachar|fachär"
    "|statio|hausar|hausär|kolleg|dienst|notarz|belega|primar|prim|leiten|radiol|zuweis|einsen"
)

CREDENTIAL = (
    r"(?:M\.?D\.?|D\.O\.|R\.?N\.?|N\.?P\.?|PA-C|Ph\.?D\.?|FRCR|FRCPC|FRCP|FRANZCR|MRCP|MBBS|MBBCh|RT\(R\)|CRNA"
    r"|ARNP|APRN|MBChB"
    r"|LPN|DPM|BSN|MSN|DNP|FACR|PGY-?\d|SHO|ST\d|FY\d|CT\d)(?![\w.-])"
)
ROLE = (
    r"(?:(?:(?:[Ss]taff|[Cc]onsultant|[Aa]ttending|[Cc]hief|[Ll]ead|[Ss]enior|[Dd]iagnostic|[Rr]esident"
    r"|[Ss]pecialist|[Ii]nterventional) "
    r"){0,2}(?:[Rr]adiologist|[Rr]adiographer|[Pp]hysician|[Rr]egistrar|[Tt]ranscriptionist|[Tt]echnologist"
    r"|[Cc]onsultant)"
    r"|[Aa]ttending|[Cc]onsultant|STAFF RADIOLOGIST|Oberarzt|Oberärztin|Chefarzt|Chefärztin|Assistenzarzt"
    r"|Assistenzärztin|Facharzt|Fachärztin"
    r"|(?:Leitende[r]? )?Ärztin|Arzt|Radiologe|Radiologin|Weiterbildungsassistent(?:in)?|MTRA?|[Rr]adiologue"
    r"|[Mm]édecin|[Ii]nterne"
    r"|[Cc]hef de clinique|[Pp]raticien(?:ne)?(?: hospitalier)?|PH|[Rr]adiólog[oa]|[Mm]édic[oa]"
    r"|[Ff]acultativ[oa]|[Ff]\.?E\.?A\.?"
    r"|[Rr]esidente|R[1-5]|[Rr]adioloog|[Aa]rts|AIOS|aios|[Ll]aborant(?:e)?|[Ll]ongarts)"
)
CREDENTIAL_STARTS = (
    "md|m|do|rn|r|np|n|pa|phd|ph|frcr|frcpc|frcp|franzc|mrcp|mbbs|mbbch|rt|crna|arnp|aprn|mbchb|lpn|dpm|bsn|msn"
    "|dnp|facr|pgy"
    "|sho|st|fy|ct"
)
ROLE_STARTS = (
    "staff|consul|attend|chief|lead|senior|diagno|reside|specia|interv|radiol|radiog|physic|regist|transc|techno"
    "|oberar|oberär"
    "|chefar|chefär|assist|fachar|fachär|leiten|ärztin|arzt|weiter|mta|mtra|médeci|intern|chef|pratic|ph|radiól"
    "|médico|médica"
    "|facult|fea|arts|aios|labora|longar"
)
