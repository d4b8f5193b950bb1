"""Streets, postcodes and places of residence in the text of a report, as five languages write them."""

from __future__ import annotations

from fedaid.data.report.identifiers.name_words import NO_PLACE, no_name
from fedaid.data.report.identifiers.rule import CAPITAL, SMALLS, rules

_STATES = (
    "A[LKZR]|C[AOT]|D[CE]|FL|GA|HI|I[DLNA]|K[SY]|LA|M[EDAINSOT]|N[EVHJMYCD]|O[HKR]|PA|RI|S[CD]|T[NX]|UT|V[TA]|W[AVIY]"
)
STREET = (
    r"(?:(?:Street|Avenue|Road|Boulevard|Lane|Drive|Court|Place|Parkway|Highway|Square|Terrace|Way|Close|Crescent"
    r"|Gardens|Mews|Grove|Row|Walk|Cloisters?|Circus|Embankment|Rise|Green|Hill|Parade|Quay|Wharf|Alley|Park|Villas)\b"
    r"|(?:St|Ave|Rd|Blvd|Ln|Pkwy|Hwy|Cres|Sq|Gdns)\b\.?)"
)
_CITY = rf"(?:,? (?:[A-Z][\w'’.-]{{1,20}} ?){{1,3}},? (?:{_STATES})(?: \d{{5}}(?:-\d{{4}})?)?)?"
_PROPER = rf"{CAPITAL}[\w'’-]{{1,25}}"
_TOWN = (
    rf"(?!(?i:{NO_PLACE})\b){CAPITAL}[{SMALLS}'’][\w'’-]{{1,25}}(?:(?: |-)(?:(?:am|an der|im|in|a\.|ob|bei|de|la"
    rf"|le|les|sur"
    rf"|sous|del|aan de|aan den|upon|on|under|en)[ -])?(?!(?i:{NO_PLACE})\b){CAPITAL}[\w'’-]{{1,25}}){{0,2}}"
)
_AFTER = rf"(?:,? ?\n?(?:[A-Z]{{1,2}}-)?\d{{4,5}} {_TOWN})?"
_NO_UNIT = r"(?! ?(?:mm|cm|ml|HU|%|mg|Tage|jours|días|dagen)\b|[.,]\d|\w)"
_HOUSE = rf"\d{{1,4}} ?(?:[a-z]\b|bis\b|ter\b|-\d{{1,3}}\b)?{_NO_UNIT}"

_ENGLISH = (
    rf"(?<![\w.])\d{{1,5}}[A-Za-z]? (?:[NSEW]\.? )?(?:[A-Z][\w'’-]{{1,20}} ){{1,3}}{STREET}"
    rf"(?:,? (?:Apt|Suite|Ste|Unit|Floor)\.? ?#?\w{{1,5}})?{_CITY}",
    rf"(?<![\w.])\d{{1,4}}[a-z]? The {_PROPER}(?: {_PROPER})?{_CITY}",
    rf"(?i:\bp\.? ?o\.? box \d{{1,6}}){_CITY}",
    r"\b(?:Flat|FLAT|Apartment|Apt\.?|Appartement|Piso|Whg\.|Wohnung|Bus) "
    r"(?:(?i:n[º°o]\.? )?\d{1,4} ?[a-z]?\b|[A-Z]\d?\b)"
    r"(?=,|\n)",
)
_GERMAN = (
    rf"\b{CAPITAL}[\w.-]{{1,30}}(?:straße|strasse|str\.|gasse|allee|weg|platz|ring|ufer|damm|steig|chaussee"
    rf"|markt|graben"
    rf"|promenade|kamp|wall) {_HOUSE}{_AFTER}",
    rf"\b(?:{_PROPER} ){{1,3}}(?:Straße|Strasse|Str\.|Gasse|Allee|Weg|Platz|Ring|Ufer|Damm|Chaussee|Markt|Promenade)"
    rf" {_HOUSE}{_AFTER}",
    rf"\b(?:Am|An der|An den|An dem|Auf dem|Auf der|Auf den|Im|In der|In den|Zum|Zur|Unter den|Unter der|Hinter der"
    rf"|Hinter dem|Vor dem|Vor der|Beim|Bei der) (?:{_PROPER} ){{1,3}}{_HOUSE},? ?\n?(?:[A-Z]{{1,2}}-)?\d{{5}} {_TOWN}",
    rf"(?m:^)(?:Am|An der|An den|Auf dem|Auf der|Im|In der|In den|Zum|Zur|Unter den|Hinter der|Hinter dem|Vor dem|Beim)"
    rf" (?:{_PROPER} ){{1,3}}\d{{1,3}} ?[a-z]?(?m:$)",
    rf"(?i:\b(?:wohnhaft|wohnt|wohnend|anschrift|adresse|wohnort|gemeldet)\s?:?\s?(?:in |im )?)(?P<x>(?:(?:Am|An"
    rf"|Auf|Im|In|Zum"
    rf"|Zur|Unter|Hinter|Vor|Beim)(?: (?:der|den|dem))? )?(?:{_PROPER} ?){{1,3}}(?:{_HOUSE})?{_AFTER})",
)
_FRENCH = (
    rf"(?<!\w)\d{{1,4}}(?: ?(?:bis|ter|quater|[A-D]))?,? (?i:rue|avenue|av\.|boulevard|bd\.?|bld|place|quai"
    rf"|allées?|impasse"
    r"|chemin|route|rte|cours|passage|square|faubourg|fbg|cité|résidence|lotissement|lieu-dit|esplanade|sentier|ruelle"
    rf"|venelle|promenade|montée|villa|hameau|rond-point) (?:d[eu]s? |de la |de l['’]|d['’]|la |le |les )?{_PROPER}"
    rf"(?:[ -](?:(?:d[eu]s?|de la|la|le|et) )?{_PROPER}){{0,3}}{_AFTER}",
    rf"\b(?i:rue|boulevard|impasse|chemin|quai) (?:d[eu]s? |de la |de l['’]"
    rf"|d['’])?{_PROPER}(?: {_PROPER}){{0,2}}{_AFTER}",
    rf"(?i:\b(?:domicili[ée]e?s?|demeurant|habitant|habite|réside|résidant|adresse)\s?:? (?:à |au |aux |en )?)"
    rf"(?P<x>(?:{_HOUSE},? )?{_TOWN}{_AFTER})",
)
_SPANISH = (
    rf"\b(?i:calle|cl\.|c/|avenida|avda?\.?|plaza|pza\.?|pl\.|paseo|p[º°]\.?|ronda|camino|carretera|ctra\.?"
    rf"|travesía|glorieta"
    rf"|urb(?:anización|\.)|callejón|cuesta|rambla|barrio|polígono) ?(?:de los |de las |del |de la |de |la |el "
    rf"|los |las ){{0,2}}"
    rf"{_PROPER}(?: (?:(?:de|del|de la|y) )?{_PROPER}){{0,3}},? ?(?:n[º°.]\.? ?|núm\.? ?|s/n|nº ?)?(?:\d{{1,4}}\b)?"
    rf"(?:,? \d{{1,2}}[º°ª.]{{1,2}} ?[A-Z]{{0,4}}\b)?{_AFTER}",
    rf"(?i:\b(?:domiciliad[oa]|domicilio|reside|residente|vive|vecin[oa]|dirección)\s?:? (?:en |de )?)"
    rf"(?P<x>{_TOWN}{_AFTER})",
)
_DUTCH = (
    rf"\b{CAPITAL}[\w.'’-]{{1,30}}(?:straat|laan|plein|weg|kade|gracht|singel|dijk|dreef|steeg|pad|hof|markt"
    rf"|plantsoen|baan"
    rf"|lei) {_HOUSE}(?:,? ?\n?[1-9]\d{{3}} ?[A-Z]{{2}}(?: {_TOWN})?|{_AFTER})",
    rf"(?i:\b(?:woont|woonachtig|wonend|wonende|adres|woonplaats)\s?:? (?:te |in |aan (?:de |het )?)?)(?P<x>{_TOWN})",
)
_RESIDENCE = (
    r"(?i:\b(?:lives|living|resides|residing|resident|home|lodged|tenant|native|citizen) (?:in|of|at) (?:the )?)"
    r"(?P<x>(?!(?i:the|our|this|that|a)\b)[A-Z][\w'’-]{1,20}(?:,? [A-Z][\w'’-]{1,20}){0,3})",
    r"(?i:\b(?:address|home address|residence)\s?:\s?)(?P<x>[^\n]{3,80}?)(?=\.\s|\n|$)",
    rf"(?i:\b(?:implanted|born|inserted|operated on|fitted|vaccinated|repatriated|imprisoned|retired|moved|lives near)"
    rf"(?: \w{{2,8}})? (?:in|at|to|from) (?:the )?)(?P<x>{_TOWN})(?!\w)",
    rf"(?i:\b(?:geboren|gebürtig|stammt|stammend|verlegt|zuverlegt|operiert|implantiert|behandelt|zugewiesen|überwiesen"
    rf"|hospitalisiert)(?: \[DATE\])? (?:in|aus|nach|von|te|uit|naar) )(?P<x>{_TOWN})(?!\w)",
    rf"(?i:\b(?:née?|opérée?|transférée?|hospitalisée?|implantée?|suivie?|adressée?|originaire|posée?|vue?)"
    rf"(?:\(e\))?(?: \[DATE\])? (?:à|de|au|chez|du) )(?P<x>{_TOWN})(?!\w)",
    rf"(?i:\b(?:natural|nacid[oa]|operad[oa]|trasladad[oa]|ingresad[oa]|implantad[oa]|procedente|derivad[oa]"
    rf"|remitid[oa]"
    rf"|colocad[oa]|vist[oa])(?: \[DATE\])? (?:en|de|a|del|desde) )(?P<x>{_TOWN})(?!\w)",
    rf"(?i:\b(?:geopereerd|overgeplaatst|opgenomen|afkomstig|verwezen|geïmplanteerd|geplaatst|gezien) (?:in|te|uit|van"
    rf"|vanuit|naar) )(?P<x>{_TOWN})(?!\w)",
    rf"(?:(?<=\[ADDRESS\])|(?<=\[ID\]))[,.]? ?\n?(?P<x>{no_name()}{_TOWN})(?=[.,;\n]|$| \[ZIP\])",
    rf"(?<=\[ADDRESS\]) (?:à|a|in|en|de|te|zu) (?P<x>{no_name()}{_TOWN})(?=[.,;\n]|$)",
    rf"(?:(?<=\[ADDRESS\])|(?<=\[ZIP\]))[,.]? ?\n?(?P<x>(?:Am|An der|Auf dem|Auf der|Im|In der|Zum|Zur|Unter den"
    rf"|Hinter der|Beim) (?:{_PROPER} ){{1,2}}{_HOUSE})",
    rf"(?<=\[ADDRESS\])[,.]? ?\n?(?P<x>\d{{4,5}} {_TOWN})",
)
_POSTCODES = (
    r"(?<![\w.-])\d{5}-\d{4}(?![\w-])",
    rf"\b(?:{_STATES}),? (?P<x>\d{{5}})(?!\w)",
    r"(?i:\b(?:zip(?: ?code)?|plz|postleitzahl|code postal|cp|c\.p\.|código postal|postcode)\s?[: ]{1,2})"
    r"(?P<x>(?:[A-Z]{1,2}-)?\d{4,5}(?: ?[A-Z]{2}|-\d{4})?)(?!\w)",
    r"\b(?:GIR ?0AA|[A-PR-UWYZ][A-HK-Y]?\d[A-HJKPS-UW\d]? \d[ABD-HJLNP-UW-Z]{2})\b",
    r"\b[ABCEGHJ-NPRSTVXY]\d[ABCEGHJ-NPRSTV-Z] \d[ABCEGHJ-NPRSTV-Z]\d\b",
    rf"(?<![\w.,/-])(?:[A-Z]{{1,3}}-)?\d{{5}} {no_name()}{_TOWN}",
    rf"(?<![\w.,/-])(?:[A-Z]{{1,2}}-)\d{{4,5}} {_TOWN}",
    r"(?<![\w.,/-])(?!(?:19|20)\d\d)[1-9]\d{3} ?(?!SA|SD|SS|HU|ML|CC|MM|MG|CM|KV|MS|GY|CT|MR|AP|PA|IV|IE|IU|KG)[A-Z]{2}"
    rf"(?=[,.;\n]|$|  ?{CAPITAL})(?: {{1,2}}{_TOWN})?",
)

ADDRESSES = (
    *rules("ADDRESS", *_ENGLISH[:2]),
    *rules("ADDRESS", _ENGLISH[2], hints="box"),
    *rules("ADDRESS", _ENGLISH[3], hints="flat|ap|piso|wo|whg|bus"),
    *rules(
        "ADDRESS", *_GERMAN[:2], hints="str|gasse|allee|weg|platz|ring|ufer|damm|steig|chauss|markt|gra|prom|kamp|wall"
    ),
    *rules("ADDRESS", *_GERMAN[2:4], hints="am |an |auf |im |in |zum |zur |unter |hinter |vor |bei"),
    *rules("ADDRESS", _GERMAN[4], hints="wohn|anschrift|adresse|gemeldet"),
    *rules(
        "ADDRESS",
        *_FRENCH[:2],
        hints="rue|av|boul|bd|bld|place|quai|all|imp|chemin|route|rte|cours|pass|square|faub|fbg|cité|rés|lo|lieu|"
        "esp|sent|ven|prom|mont|villa|ham|rond",
    ),
    *rules("ADDRESS", _FRENCH[2], hints="domicili|demeurant|habit|résid|adresse"),
    *rules(
        "ADDRESS",
        _SPANISH[0],
        hints="call|cl.|c/|av|pla|pza|pl.|paseo|pº|p°|p.|ronda|camino|carret|ctra|callej|trav|glor|urb|cuesta"
        "|rambla|barrio|pol",
    ),
    *rules("ADDRESS", _SPANISH[1], hints="domicili|reside|vive|vecin|dirección"),
    *rules(
        "ADDRESS",
        _DUTCH[0],
        hints="straat|laan|plein|weg|kade|gracht|singel|dijk|dreef|steeg|pad|hof|markt|plants|baan|lei",
    ),
    *rules("ADDRESS", _DUTCH[1], hints="woon|won|adres"),
    *rules("ADDRESS", _RESIDENCE[0], hints="liv|resid|home|lodged|tenant|native|citizen"),
    *rules("ADDRESS", _RESIDENCE[1], hints="address|residence"),
    *rules(
        "ADDRESS", _RESIDENCE[2], hints="implanted|born|insert|operated|fitted|vaccin|repat|impris|retired|moved|lives"
    ),
    *rules(
        "ADDRESS", _RESIDENCE[3], hints="gebo|gebü|stamm|verlegt|operiert|implantiert|behandelt|wiesen|hospitalisiert"
    ),
    *rules("ADDRESS", _RESIDENCE[4], hints="né|opéré|transféré|hospit|implant|suivi|adress|origin|pos|vu"),
    *rules(
        "ADDRESS",
        _RESIDENCE[5],
        hints="natural|nacid|operad|traslad|ingresad|implantad|proced|derivad|remitid|coloc|vist",
    ),
    *rules("ADDRESS", _RESIDENCE[6], hints="geopereerd|overgepl|opgen|afkomst|verwez|geïmpl|geplaats|gezien"),
    *rules("ADDRESS", *_RESIDENCE[7:], hints="[address]|[id]|[zip]"),
    *rules("ZIP", *_POSTCODES[:2]),
    *rules("ZIP", _POSTCODES[2], hints="zip|plz|post|cp|c.p."),
    *rules("ZIP", *_POSTCODES[3:]),
)
"""The rules of addresses and postcodes."""
