"""Months, ordinals, weekdays and holidays in five languages, as alternatives of regular expressions."""

from __future__ import annotations

ENGLISH_MONTHS = "January|February|March|April|May|June|July|August|September|October|November|December"
FULL_MONTHS = (
    "january|february|march|april|june|july|august|september|october|november|december|januar|jänner|feber|februar|märz"
    "|maerz|juni|juli|oktober|dezember|janvier|février|fevrier|mars|avril|juin|juillet|août|aout|septembre|octobre"
    "|novembre|décembre|decembre|enero|febrero|marzo|abril|mayo|junio|julio|agosto|septiembre|setiembre|octubre"
    "|noviembre|diciembre|januari|februari|maart|mei|augustus"
)
SHORT_MONTHS = "Jan|Feb|Mar|Apr|May|Mai|Jun|Jul|Aug|Sept|Sep|Oct|Okt|Nov|Dec|Dez|Ene|Abr|Dic|Mrz|Mrt|Févr|Juil|Ago"
UPPER_MONTHS = "JAN|FEB|MAR|APR|MAY|JUN|JUL|AUG|SEPT|SEP|OCT|NOV|DEC|MAI|DEZ"

_ENGLISH = (
    "(?:twenty|thirty)[- ](?:first|second|third|fourth|fifth|sixth|seventh|eighth|ninth)|first|second|third|fourth"
    "|fifth|sixth|seventh|eighth|ninth|tenth|eleventh|twelfth|thirteenth|fourteenth|fifteenth|sixteenth|seventeenth"
    "|eighteenth|nineteenth|twentieth|thirtieth"
)
_GERMAN = (
    "[a-zäöüß]{0,12}(?:erst|zweit|dritt|viert|fünft|sechst|siebt|siebent|acht|neunt|zehnt|elft|zwölft|zwanzigst"
    "|dreißigst"
    "|dreissigst)(?:e[nrs]?)?"
)
_FRENCH = (
    "premier|deux|trois|quatre|cinq|six|sept|huit|neuf|dix(?:-(?:sept|huit|neuf))?|onze|douze|treize|quatorze|quinze"
    "|seize|vingt(?:(?:-| et |-et-)[a-z]{2,6})?|trente(?:(?: et |-et-)un)?"
)
_SPANISH = (
    "primero|uno|dos|tres|cuatro|cinco|seis|siete|ocho|nueve|diez|once|doce|trece|catorce|quince"
    "|dieci[a-zé]{4,6}|veinte"
    "|veinti[a-zéú]{2,6}|treinta(?: y uno)?"
)
_DUTCH = (
    "een|eerste|twee|tweede|drie|derde|vierde|vijf|vijfde|zes|zesde|zeven|zevende|achtste|negen|negende|tien|tiende|elf"
    "|elfde|twaalf|twaalfde|[a-zë]{2,8}tiende?|(?:[a-zë]{3,6}(?:en|ën))?twintig(?:ste)?|(?:een[eë]n)?dertig(?:ste)?"
)
DAY_WORDS = "|".join((_ENGLISH, _GERMAN, _FRENCH, _SPANISH, _DUTCH))
"""Days of a month in words."""

WEEKDAYS = (
    "(?:montag|dienstag|mittwoch|donnerstag|freitag|samstag|sonntag)(?:morgen|früh|vormittag|mittag|nachmittag|abend|nacht)s?"
    "|(?:maan|dins|woens|donder|vrij|zater|zon)dag(?:ochtend|morgen|middag|avond|nacht)"
    "|mondays?|tuesdays?|wednesdays?|thursdays?|tues|weds|thurs|fridays?|saturdays?|sundays?"
    "|montags?|dienstags?|mittwochs?|donnerstags?|freitags?|samstags?|sonnabends?|sonntags?"
    "|lundi|mardi|mercredi|jeudi|vendredi|samedi|dimanche"
    "|lunes|martes|miércoles|miercoles|jueves|viernes|sábado|domingo"
    "|maandag|dinsdag|woensdag|donderdag|vrijdag|zaterdag|zondag"
)
HOLIDAYS = (
    "(?:Christmas|New Year['’]?s?|Easter|Boxing|Thanksgiving|Whit|Mothering|Remembrance|Independence"
    "|Memorial|Labou?r|Veterans|Columbus|Bank"
    "|Mother['’]?s|Valentine['’]?s|(?:Saint|St\\.?) Patrick['’]?s)(?: (?:Day|Eve|Sunday|Monday|Holiday))"
    "|(?:Shrove|Ash|Maundy|Palm) (?:[A-Z][a-z]+day|\\[DATE\\])"
    "|Hogmanay|Christmas(?! tree)|Easter|Thanksgiving|Good Friday|Hallowe['’]?en|Pentecost|Hanukkah|Passover"
    "|Yom Kippur|Ramadan"
    "|Eid(?: al-\\w{3,5})?|Diwali|Juneteenth"
    "|(?:Heilig|Silvester|Weihnachts)abend|Weihnacht(?:en|stage?n?|sfeiertag)?|Heiligabend|Silvester|Neujahr(?:stag)?"
    "|Oster(?:n|sonntag|montag|samstag)|Karfreitag|Gründonnerstag|Pfingst(?:en|sonntag|montag)|Christi Himmelfahrt"
    "|Fronleichnam|Allerheiligen|Rosenmontag|Aschermittwoch|Nikolaustag|Dreikönigstag|Tag der Arbeit"
    "|(?:[1-4]\\. )?Advent(?:ssonntag)?|Noël|Pâques|Pentecôte|la Toussaint|l['’]Ascension|l['’]Assomption"
    "|la Saint-Sylvestre|[Jj]our de l['’][Aa]n"
    "|[Ff]ête nationale|Nochebuena|Nochevieja|Navidad|Semana Santa|(?:Domingo|Lunes|Viernes) (?:de Pascua|Santo)"
    "|Año Nuevo|(?:[Dd]ía de ?)(?:los )?(?:Reyes|Todos los Santos|la Hispanidad|la Madre|la Constitución|l Padre)"
    "|(?:Eerste |Tweede )?[Kk]erst(?:mis|dag|avond)|(?:Eerste |Tweede )?(?:[Pp]aas|[Pp]inkster)(?:dag|maandag|zondag)"
    "|Pasen|Pinksteren|Hemelvaart(?:sdag)?|Koningsdag|Koninginnedag|Oud(?:jaar(?:sdag|savond)?|ejaars\\w{3,5})"
    "|Nieuwjaar(?:sdag)?|Sinterklaas(?:avond)?|Bevrijdingsdag|Goede Vrijdag"
)
