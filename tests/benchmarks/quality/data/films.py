"""Real films of children with three labels, divided among five made-up sites by person."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from functools import partial
from hashlib import sha256
from pathlib import Path

import numpy as np
from numpy.random import Generator
from PIL import Image

from admin.twin.writing.phrases import STYLES
from tests.benchmarks.quality.data.data_set import DataSet, key_of, read_rows, write_rows

CLASSES = ("normal", "bacterial", "viral")
EVEN = "held-out-even"
TESTED, EVEN_TESTED = 32, 64  # people of each class who are tested on at a site, and in the even population
LEAST, FEW = 100, 60  # films that a site trains and validates with; a draw with fewer is repeated. FEW: of a small part
VALID_SHARE = 0.2
PHRASES: Mapping[str, Mapping[str, tuple[str, str]]] = {
    "structured": {
        "normal": ("No acute cardiopulmonary abnormality.", "Normal chest radiograph."),
        "bacterial": ("Findings of bacterial pneumonia.", "Bacterial pneumonia."),
        "viral": ("Findings of viral pneumonia.", "Viral pneumonia."),
    },
    "prose": {
        "normal": ("This is an unremarkable examination.", "In summary a normal appearance of heart and lungs."),
        "bacterial": ("The appearance is that of a bacterial infection.", "There is a pneumonia due to bacteria."),
        "viral": ("The appearance is that of a viral infection.", "There is a pneumonia due to a virus."),
    },
    "telegraphic": {
        "normal": ("NAD.", "Normal CXR."),
        "bacterial": ("Bact pneum.", "Pneum, bacterial."),
        "viral": ("Viral pneum.", "Pneum, virus."),
    },
    "checklist": {
        "normal": ("Heart and lungs regular", "No pathological finding"),
        "bacterial": ("Pneumonic infiltration, bacterial", "Bacterial lung infection"),
        "viral": ("Pneumonic infiltration, viral", "Viral lung infection"),
    },
}
"""Style of the twin → class → wordings. None says where, how large or how certain: the label is all that is known."""
PROMPTS = {name: [text for style in PHRASES.values() for text in style[name]] for name in CLASSES}


@dataclass(frozen=True)
class Look:
    """How a site's films look and its reports read.

    Attributes:
        style: of the reports.
        crop: share of each side that is kept, around the centre.
        contrast: stretch around mid-grey.
        gamma: exponent on brightness.
    """

    style: str
    crop: float = 1.0
    contrast: float = 1.0
    gamma: float = 1.0


LOOKS = {
    "fir-children": Look("structured", 0.96, 1.1, 1.0),
    "elm-general": Look("prose", 0.86, 0.85, 0.8),
    "ash-university": Look("checklist", 1.0, 1.25, 1.2),
    "yew-practice": Look("telegraphic", 0.78, 1.0, 1.35),
    "oak-regional": Look("prose", 0.9, 0.7, 0.9),
}
PLAIN = Look("structured")
Films = Mapping[str, Sequence[tuple[str, str]]]  # person → films: image and class


def films(
    folder: Path, source: Path, *, seed: int, alpha: float = 0.3, looks: bool = True, part: float = 1.0
) -> DataSet:
    """Five sites with skewed classes, tested on even ones; and an even population of films as they are.

    People are divided, not films. A site is tested on as many people of each class, in its own look: an AUROC of a
    class that a site hardly has would be chance. Nobody who is tested on is trained on, anywhere. The pictures are
    written below ``folder``, which must lie outside the project.

    Args:
        folder: of the data.
        source: folder with ``films.csv`` and its images.
        seed: of all draws.
        alpha: of the Dirichlet draw that divides the people of a class among the sites.
        looks: whether each site's films have its own crop and contrast.
        part: share of the people that there are.
    """
    table = sha256((source / "films.csv").read_bytes()).hexdigest()
    site_looks = {site: look if looks else Look(look.style) for site, look in LOOKS.items()}
    made = key_of([[asdict(look) for look in site_looks.values()], PHRASES, TESTED, EVEN_TESTED, LEAST, VALID_SHARE])
    asked = {"seed": seed, "alpha": alpha, "films": table, "made": made, "part": part}
    fill = partial(write_films, source=source, seed=seed, alpha=alpha, looks=site_looks, part=part)
    return DataSet(folder, asked, list(LOOKS), [EVEN], fill)


def write_films(folder: Path, *, source: Path, seed: int, alpha: float, looks: Mapping[str, Look], part: float) -> None:
    """The data roots of the sites and of the even population."""
    rng = np.random.default_rng(seed)
    everybody = films_by_person(source)
    drawn = sorted(rng.permutation(len(everybody))[: round(part * len(everybody))].tolist())
    names = list(everybody)
    people = {names[number]: everybody[names[number]] for number in drawn}
    counts = {**dict.fromkeys(looks, TESTED), EVEN: EVEN_TESTED}
    tested = tested_people(people, rng, {site: max(4, round(part * count)) for site, count in counts.items()})
    taken = {person for chosen in tested.values() for person, _ in chosen}
    trained = divided(
        {person: of for person, of in people.items() if person not in taken},
        rng,
        list(looks),
        alpha,
        max(FEW, round(part * LEAST)),
    )
    for site, look in {**looks, EVEN: PLAIN}.items():
        splits = split_of(trained.get(site, []), rng)
        rows = [(person, film, splits[person]) for person in trained.get(site, []) for film in people[person]]
        rows += [(person, film, "test") for person, film in tested[site]]
        write_site(folder / site, source, rows, look=look, rng=rng)


def films_by_person(source: Path) -> dict[str, list[tuple[str, str]]]:
    """Person → films."""
    people: dict[str, list[tuple[str, str]]] = {}
    for row in read_rows(source / "films.csv"):
        people.setdefault(row["patient"], []).append((row["image"], row["label"]))
    return people


def tested_people(
    people: Films, rng: Generator, counts: Mapping[str, int]
) -> dict[str, list[tuple[str, tuple[str, str]]]]:
    """Site → people to test on with one film each: as many of every class as the site's count."""
    order = [list(people)[number] for number in rng.permutation(len(people))]
    found: dict[str, list[tuple[str, tuple[str, str]]]] = {site: [] for site in counts}
    taken: set[str] = set()
    for name in reversed(CLASSES):  # the rarest first
        have = iter([person for person in order if person not in taken and name in dict(map(reversed, people[person]))])
        for site, count in counts.items():
            for _ in range(count):
                person = next(have)
                taken.add(person)
                found[site].append((person, next(film for film in people[person] if film[1] == name)))
    return found


def divided(people: Films, rng: Generator, sites: Sequence[str], alpha: float, least: int) -> dict[str, list[str]]:
    """Site → people, by a Dirichlet draw for each class; drawn again until every site has enough films."""
    classes = {person: Counter(kind for _, kind in of).most_common(1)[0][0] for person, of in people.items()}
    while True:
        found: dict[str, list[str]] = {site: [] for site in sites}
        for name in CLASSES:
            of_class = [person for person in people if classes[person] == name]
            shares = rng.dirichlet([alpha] * len(sites))
            drawn = rng.choice(len(sites), size=len(of_class), p=shares)
            for person, number in zip(of_class, drawn, strict=True):
                found[sites[number]].append(person)
        if all(sum(len(people[person]) for person in of) >= least for of in found.values()):
            return found


def split_of(people: Sequence[str], rng: Generator) -> dict[str, str]:
    """Person → ``train`` or ``valid``."""
    order = [people[number] for number in rng.permutation(len(people))]
    valid = set(order[: round(VALID_SHARE * len(order))])
    return {person: "valid" if person in valid else "train" for person in order}


def write_site(
    root: Path, source: Path, rows: Sequence[tuple[str, tuple[str, str], str]], *, look: Look, rng: Generator
) -> None:
    """One data root; rows are person, film and split."""
    (root / "images").mkdir(parents=True, exist_ok=True)
    made = []
    for number, (person, (image, label), split) in enumerate(rows):
        name = f"images/film-{number}.png"
        with Image.open(source / image) as film:
            rendered(film, look).save(root / name)
        study = {"study_id": f"film-{number}", "patient_id": person, "image": name}
        made.append(study | {"report": text_of(label, look.style, rng), "split": split, "labels": label})
    write_rows(root / "manifest.csv", made)


def rendered(film: Image.Image, look: Look) -> Image.Image:
    """A film as a site's machine shows it."""
    width, height = film.size
    across, down = width * (1 - look.crop) / 2, height * (1 - look.crop) / 2
    grey = film.convert("L").crop((round(across), round(down), round(width - across), round(height - down)))
    bright = (np.asarray(grey, dtype=np.float64) / 255) ** look.gamma
    return Image.fromarray(np.rint(255 * np.clip(0.5 + look.contrast * (bright - 0.5), 0, 1)).astype(np.uint8))


def text_of(label: str, style: str, rng: Generator) -> str:
    """A report: the style's layout around one wording of the label. The draw does not depend on the film."""
    phrase = PHRASES[style][label][int(rng.integers(2))]
    voice = STYLES[style]
    return voice.layout.format(history=voice.history[0], comparison="None", findings=phrase, impression="").strip()
