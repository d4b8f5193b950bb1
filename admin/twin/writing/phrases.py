"""The wording of reports: several phrasings of each finding in four styles."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

Phrases = Mapping[str, tuple[str, ...]]


@dataclass(frozen=True)
class Style:
    """One style of writing.

    Args:
        layout: template of the whole report, with {history}, {comparison}, {findings} and {impression}.
        words: spelling of side, zone and extent.
        positive: phrasings of each kind of finding, with {side}, {zone} and {extent}.
        negative: phrasings of the absence of a finding, for kinds that a report commonly mentions.
        normal: phrasings of a normal study.
        history: reasons for the examination.
        joint: text between two sentences.
        negatives: largest number of absences in a report.
    """

    layout: str
    words: Mapping[str, str]
    positive: Phrases
    negative: Phrases
    normal: tuple[str, ...]
    history: tuple[str, ...]
    joint: str
    negatives: int


STRUCTURED = Style(
    layout="HISTORY: {history}.\nCOMPARISON: {comparison}.\nFINDINGS: {findings}\nIMPRESSION: {impression}\n",
    words={"upper": "upper lobe", "middle": "mid lung", "lower": "lower lobe", "marked": "severe"},
    positive={
        "cardiomegaly": ("{extent} cardiomegaly.", "{extent} enlargement of the cardiac silhouette."),
        "mediastinum": ("Widened mediastinum.", "The mediastinal contour is widened."),
        "effusion": ("{extent} {side} pleural effusion.", "There is a {extent} {side} pleural effusion."),
        "consolidation": ("{side} {zone} consolidation.", "Airspace opacity in the {side} {zone}."),
        "nodule": ("{extent} pulmonary nodule in the {side} {zone}.", "{extent} rounded nodule, {side} {zone}."),
        "pneumothorax": ("{extent} {side} pneumothorax.", "There is a {extent} {side} pneumothorax."),
        "oedema": ("{extent} pulmonary edema.", "{extent} interstitial edema."),
        "atelectasis": ("{side} basilar atelectasis.", "Linear atelectasis at the {side} lung base."),
        "hyperinflation": ("The lungs are hyperinflated.", "Hyperinflation with flattened diaphragms."),
        "diaphragm": ("Elevated {side} hemidiaphragm.", "The {side} hemidiaphragm is elevated."),
        "scoliosis": ("Thoracic scoliosis convex to the {side}.", "{side} convex scoliosis of the spine."),
        "fracture": ("Displaced {side} {zone} rib fracture.", "Rib fracture on the {side} at {zone} level."),
        "pacemaker": ("{side} chest wall pacemaker.", "Pacemaker generator over the {side} chest."),
        "tube": ("Endotracheal tube in place.", "Endotracheal tube tip above the carina."),
        "line": ("{side} central venous catheter.", "{side} internal jugular catheter tip in the SVC."),
    },
    negative={
        "cardiomegaly": ("The heart size is normal.", "Cardiac silhouette is within normal limits."),
        "effusion": ("No pleural effusion.",),
        "consolidation": ("No focal consolidation.", "No airspace disease."),
        "pneumothorax": ("No pneumothorax.",),
        "fracture": ("Osseous structures are intact.",),
    },
    normal=("No acute cardiopulmonary abnormality.", "Normal chest radiograph."),
    history=("Shortness of breath", "Intubated, evaluate lines and tubes", "Chest pain", "Fever and cough", "Post op"),
    joint=" ",
    negatives=3,
)

PROSE = Style(
    layout="{history}. {findings} {impression}\n",
    words={
        "upper": "upper zone", "middle": "mid zone", "lower": "lower zone", "mild": "slight", "marked": "gross",
        "large": "sizeable",
    },
    positive={
        "cardiomegaly": ("The heart shows {extent} enlargement.", "There is {extent} enlargement of the heart."),
        "mediastinum": ("The mediastinum appears broad.", "There is broadening of the upper mediastinum."),
        "effusion": ("There is a {extent} {side} collection of fluid.", "A {extent} effusion is present, {side}."),
        "consolidation": ("There is dense shadowing in the {side} {zone}.", "The {side} {zone} is consolidated."),
        "nodule": ("A {extent} round lesion projects over the {side} {zone}.",
                   "In the {side} {zone} there is a {extent} coin lesion."),
        "pneumothorax": ("Free air along the {side} chest wall indicates a {extent} pneumothorax.",
                         "A {extent} pneumothorax is seen on the {side}."),
        "oedema": ("There is {extent} pulmonary congestion.", "Perihilar haze suggests {extent} oedema."),
        "atelectasis": ("Plate like collapse is noted at the {side} base.", "Band shadows cross the {side} base."),
        "hyperinflation": ("The lungs are overexpanded as in emphysema.", "Large volume emphysematous lungs."),
        "diaphragm": ("The {side} dome of the diaphragm stands high.", "High position of the {side} diaphragm."),
        "scoliosis": ("The spine curves to the {side}.", "There is a scoliosis towards the {side}."),
        "fracture": ("A broken rib is visible in the {side} {zone}.", "There is a {side} rib fracture, {zone}."),
        "pacemaker": ("A pacing device lies on the {side}.", "A cardiac pacemaker is implanted on the {side} side."),
        "tube": ("The patient is intubated.", "A tracheal tube is in good position."),
        "line": ("A central line enters from the {side}.", "A {side} sided venous line reaches the superior cava."),
    },
    negative={
        "cardiomegaly": ("The heart is not enlarged.", "The heart is of normal size."),
        "effusion": ("No fluid is seen in the costophrenic angles.", "The pleural spaces are clear."),
        "consolidation": ("I see no pneumonia.", "The lung fields are free of infiltrates."),
        "fracture": ("The bony thorax is unremarkable.",),
    },
    normal=("This is an unremarkable examination.", "In summary a normal appearance of heart and lungs."),
    history=("Thank you for referring this patient after a fall", "Referred with a productive cough",
             "Known to us with chronic heart failure", "Routine film before surgery"),
    joint=" ",
    negatives=2,
)  # fmt: skip

TELEGRAPHIC = Style(
    layout="{history}: {findings} {impression}\n",
    words={
        "left": "L", "right": "R", "bilateral": "bilat", "upper": "UZ", "middle": "MZ", "lower": "LZ", "mild": "mild",
        "marked": "++", "small": "sm", "large": "lg",
    },
    positive={
        "cardiomegaly": ("CTR incr, {extent}.", "{extent} cardiomeg."),
        "mediastinum": ("Wide mediast.", "Mediast broad."),
        "effusion": ("{side} eff, {extent}.", "{extent} {side} pl eff."),
        "consolidation": ("{side} {zone} consol.", "Opac {side} {zone}."),
        "nodule": ("{extent} SPN {side} {zone}.", "{side} {zone} nod {extent}."),
        "pneumothorax": ("{extent} PTX {side}.", "{side} ptx, {extent}."),
        "oedema": ("{extent} CCF.", "Congestion {extent}."),
        "atelectasis": ("{side} basal atel.", "Discoid atel {side} base."),
        "hyperinflation": ("COPD lungs.", "Hyperinfl."),
        "diaphragm": ("{side} HD up.", "Raised {side} HD."),
        "scoliosis": ("Scol convex {side}.", "Scoliosis {side}."),
        "fracture": ("Rib # {side} {zone}.", "{side} rib fx {zone}."),
        "pacemaker": ("PPM {side}.", "{side} PM in situ."),
        "tube": ("ETT ok.", "ETT in situ."),
        "line": ("{side} CVC.", "CVL via {side} IJV."),
    },
    negative={
        "cardiomegaly": ("Heart n.", "CTR <0.5."),
        "effusion": ("No eff.",),
        "consolidation": ("No consol.", "No opac."),
        "pneumothorax": ("No ptx.",),
    },
    normal=("NAD.", "Normal CXR.", "Clear lungs."),
    history=("CXR", "CXR ?mets", "CXR ?TB", "F/U CXR"),
    joint=" ",
    negatives=1,
)  # fmt: skip

CHECKLIST = Style(
    layout="EXAM: Chest radiograph\nINDICATION: {history}\nFINDINGS:\n- {findings}\nIMPRESSION:\n{impression}\n",
    words={
        "upper": "upper third", "middle": "middle third", "lower": "lower third", "mild": "borderline",
        "marked": "pronounced", "small": "minor", "large": "extensive", "bilateral": "both-sided",
    },
    positive={
        "cardiomegaly": ("Heart shadow {extent} widened", "Cardiac enlargement, {extent}"),
        "mediastinum": ("Mediastinal silhouette wide", "Upper mediastinum enlarged"),
        "effusion": ("{extent} {side} hydrothorax", "Pleural fluid {side}, {extent}"),
        "consolidation": ("Infiltrate {side} {zone}", "Alveolar infiltration of the {side} {zone}"),
        "nodule": ("{extent} focal lesion {side} {zone}", "Circumscribed density {side} {zone}, {extent}"),
        "pneumothorax": ("Pneumothorax {side}, {extent}", "{extent} pleural air {side}"),
        "oedema": ("Pulmonary venous congestion, {extent}", "{extent} fluid overload pattern"),
        "atelectasis": ("Basal dystelectasis {side}", "Plate atelectasis {side} base"),
        "hyperinflation": ("Hyperlucent lungs, diaphragm flat", "Emphysematous configuration"),
        "diaphragm": ("Diaphragm raised {side}", "Relaxed {side} diaphragm"),
        "scoliosis": ("Scoliotic posture, convexity {side}", "Spinal curvature towards {side}"),
        "fracture": ("Discontinuity of a rib {side} {zone}", "Rib fracture {side}, {zone}"),
        "pacemaker": ("Pulse generator {side} pectoral", "Pacing system implanted {side}"),
        "tube": ("Ventilation tube correctly placed", "Endotracheal airway present"),
        "line": ("Central venous access {side}", "Jugular line from {side}"),
    },
    negative={
        "cardiomegaly": ("Heart size regular", "Heart not widened"),
        "effusion": ("Sinuses free",),
        "consolidation": ("No infiltrate", "Parenchyma clear"),
        "pneumothorax": ("Lungs expanded",),
        "fracture": ("Skeleton without fracture",),
    },
    normal=("Regular findings", "Chest without pathology"),
    history=("Preoperative check", "Suspected infection", "Dyspnoea on exertion", "Follow-up"),
    joint="\n- ",
    negatives=4,
)  # fmt: skip

STYLES: Mapping[str, Style] = {
    "structured": STRUCTURED,
    "prose": PROSE,
    "telegraphic": TELEGRAPHIC,
    "checklist": CHECKLIST,
}
