"""Recognises sections without content: an export's "nan" or "NULL", "None.", "See report", in five languages.

Only a whole section counts. "o.B.", "RAS", "sin hallazgos" and "unremarkable" are findings and stay.
"""

from __future__ import annotations

import re

_VALUES = (
    "(?:the )?(?:report|text|result|findings?|impression|dictation)(?: is| are)? (?:not (?:available|dictated|provided)"
    "|missing|blank|empty|in progress)|no (?:report|dictation|result|text|interpretation) available|to be dictated"
    "|(?:un|not )(?:read|interpreted|reported)|#?error!?|x|"
    "nat|inf|false|dito|nan|null|none|nil|#?n[./]? ?a|n/?d|s/?d|n/?v/?t|nvt|undefined|unknown|void|blank|empty"
    "|missing|deleted"
    "|redacted|tbd|tba"
    "|todo|test|xxx+|lorem ipsum|no (?:data|text|report|value|content|comments?|information|impression"
    "|conclusion)(?: recorded| given| entered)?|no findings recorded"
    "|not (?:available|applicable|given|stated|provided|recorded|dictated|reported|assessed|evaluated|performed|done"
    "|entered|documented|specified|yet (?:reported|available|dictated))"
    "|none (?:given|provided|available|recorded|stated)|nothing entered"
    "|(?:report |result |dictation )?(?:is )?(?:pending|to follow|awaited|follows)"
    "|awaiting (?:report|result|dictation)"
    "|as (?:above|below|described|dictated|reported|noted)(?: above| below)?|above|below|ditto|same as above"
    "|#?(?:value|ref|name|num|div/0)!?\\??|<(?:na|null|none|nan|empty|unknown)>|\\\\n"
)
_GERMAN = (
    "keine?|keine angaben?|ohne angaben?|ohne|k\\.? ?a|entfällt|entfaellt|leer|unbekannt|s\\.? ?[ou]|wie oben"
    "|nicht (?:beurteilt|beurteilbar|angegeben|verfügbar|vorhanden|erhoben|befundet|bekannt|ausgefüllt|zutreffend)"
    "|(?:bericht|befund|beurteilung|diktat) (?:folgt|ausstehend|steht aus|fehlt|liegt nicht vor)|ausstehend|folgt"
    "|o\\.? ?a|kein (?:text|bericht|eintrag|befund)(?: vorhanden| verfügbar)|kein (?:text|bericht|eintrag)|"
    "(?:text|bericht|befund) nicht (?:vorhanden|verfügbar)|keine? kommentare?"
    "|noch nicht (?:befundet|beurteilt)"
)
_FRENCH = (
    "néant|neant|aucune?|vide|nc|n\\.? ?c|s\\.? ?o|sans objet|inconnue?|en attente|à (?:compléter|venir|suivre)"
    "|non (?:renseignée?s?|disponible|précisée?|applicable|évaluée?s?|réalisée?s?|fait|saisie?|évaluable|communiquée?)"
    "|(?:compte[ -]rendu|rapport) (?:à (?:suivre|venir)|en attente|non disponible)"
    "|pas de (?:compte[ -]rendu|rapport|texte) disponible|pas de (?:compte[ -]rendu|rapport|texte)|(?:aucun|sans"
    "|pas de) commentaires?"
    "|idem"
)
_SPANISH = (
    "ningun[oa]?|ningún|nulo|nula|vacío|vacio|desconocido|pendiente|informe pendiente|pendiente de informe"
    "|sin (?:datos|informe|texto|comentarios?)(?: disponibles?)?"
    "|no (?:disponible|aplica|procede|consta|valorad[oa]s?|valorable|informad[oa]|realizad[oa])"
    "|no (?:especificad[oa]|evaluad[oa])"
    "|ídem"
)
_DUTCH = (
    "geen|leeg|onbekend|niet van toepassing|n\\.? ?v\\.? ?t|volgt|verslag volgt|nog niet verslagen"
    "|geen (?:verslag|gegevens|tekst|opmerkingen)(?: beschikbaar)?"
    "|niet (?:beschikbaar|beoordeeld|beoordeelbaar|ingevuld|bekend|uitgevoerd|vermeld|gegeven)|idem"
)
_SEE = (
    "(?:please )?(?:see|refer to|as per|per|vide|cf|siehe|s|vgl|voir|se référer au|ver|véase|vease|remitirse al?|zie)"
)
_PLACE = (
    "the|full|separate|attached|scanned|dictated|original|prior|previous|complete|official|final|radiology|text"
    "|reports?"
    "|above|below|findings?|impressions?|conclusions?|addendum|body|section|notes?|comments?|documents?|pdf|pacs|ris"
    "|system|details?|for|in|of|and|to|chart|paper|here|file|attachment"
    "|oben|unten|bericht|befund|befundtext|beurteilung|vorbefund|anhang|anlage|brief|text|arztbrief|im|den|dem|der"
    "|le|la|compte|rendu|cr|ci|dessus|dessous|supra|infra|rapport|texte|résultats?|pièce|jointe|en|joint|du|au"
    "|el|informe|texto|arriba|abajo|conclusión|hallazgos|impresión|adjunto|anterior|completo|previo|archivo"
    "|verslag|boven|onder|hierboven|hieronder|conclusie|bijlage|brief|bevindingen|het|de|vorige?|eerder|tekst"
)
_NOTHING = re.compile(
    r"(?:(?:findings?|impression|conclusion|befund|beurteilung|résultat|hallazgos|bevindingen|conclusie) ?: ?)?"
    rf"(?:{_VALUES}|{_GERMAN}|{_FRENCH}|{_SPANISH}|{_DUTCH}|{_SEE}(?:[ .-]{{1,2}}(?:{_PLACE})){{1,6}})",
    re.IGNORECASE,
)
_EDGES = " \t\r\n.,;:!?*_-–—=~/|'\"`()[]{}"
_LONGEST = 80


def says_nothing(section: str) -> bool:
    """Whether a whole section is empty, or only says that there is nothing: "nan", "N/A", "See report", "-", "[]"."""
    words = " ".join(section.split()).strip(_EDGES)
    return not words or (len(words) <= _LONGEST and _NOTHING.fullmatch(words) is not None)
