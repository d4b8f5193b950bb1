"""Chooses the frontal film of a study among several that its headers do not tell apart: by their pictures.

A picture decides only where it is sure. A study that stays open is left out, because a report on a frontal film does
not describe a lateral one.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace

from admin.site.films.view_screen import LEAST_FRONTAL, MOST_LATERAL
from admin.site.prepare.imaged_study import ImagedStudy
from admin.site.prepare.matched import Match

UNCLEAR = "view-unclear"
"""The code of a study that is left out because no film is known to be frontal."""

LEAD = 0.3
"""How much more than every other film one must resemble a frontal chest to be chosen without being sure of it."""

Score = Callable[[str], float | None]
"""Hash of a film's path → :func:`admin.site.films.view_screen.frontal_score` of its picture; None without a picture."""


def chosen_film(scores: Sequence[float], *, unstated: bool) -> int | None:
    """Return the number of the frontal film, or None if it is not known.

    Without a sure frontal film, an unsure one is chosen if all others are lateral and much less like a frontal chest.

    Args:
        scores: of the pictures, high for a frontal chest.
        unstated: whether no header states a view. Otherwise all films are stated to be frontal, and the picture only
            passes over a first film that is lateral.
    """
    if not unstated:
        return next((number for number in range(1, len(scores)) if _passes(scores[0], scores[number])), 0)
    sure = [number for number, score in enumerate(scores) if score >= LEAST_FRONTAL]
    if sure:
        return sure[0]
    best = max(range(len(scores)), key=scores.__getitem__)
    others = [score for number, score in enumerate(scores) if number != best]
    return best if others and all(_passes(score, scores[best]) for score in others) else None


def _passes(lateral: float, frontal: float) -> bool:
    """Whether one film seems lateral, and another is not and leads it."""
    return lateral <= MOST_LATERAL < frontal and frontal - lateral >= LEAD


def films_on_a_level(found: Iterable[Match]) -> dict[str, str]:
    """Return the films that only pictures tell apart: hash of the path → path."""
    several = (match.study for match in found if match.study.level > 1)
    return {study.images[number]: study.paths[number] for study in several for number in range(study.level)}


@dataclass
class FilmChoices:
    """The choices of a run.

    Attributes:
        unstated: studies with several films of unstated view.
        by_picture: studies whose film was chosen by a picture.
        conflicts: films whose header states a frontal and a lateral view.
    """

    unstated: int = 0
    by_picture: int = 0
    conflicts: int = 0

    def matches(self, found: Iterable[Match], score: Score, *, leave_out: Callable[[str, str], None]) -> list[Match]:
        """Return the matches with their frontal films, and leave out each study that stays open."""
        settled = []
        for match in found:
            self.unstated += match.study.unstated and match.study.level > 1
            self.conflicts += match.study.view_conflicts
            study = self.settled(match.study, score)
            if study is None:
                leave_out(UNCLEAR, match.study.paths[0])
            else:
                settled.append(replace(match, study=study))
        return settled

    def settled(self, study: ImagedStudy, score: Score) -> ImagedStudy | None:
        """Return a study with its frontal film alone, or None if that is not known.

        A study that none of its first films can be used of keeps the others.
        """
        if study.level < 2:
            return study
        seen = [(number, one) for number in range(study.level) if (one := score(study.images[number])) is not None]
        if not seen:
            return _only(study, range(study.level, len(study.images)))
        chosen = chosen_film([one for _, one in seen], unstated=study.unstated)
        if chosen is None:
            return None
        self.by_picture += study.unstated or chosen > 0
        return _only(study, [seen[chosen][0]])

    def counts(self) -> dict[str, int]:
        """Return the counts as ``prepare`` prints them."""
        return {
            "views_unstated": self.unstated,
            "views_by_picture": self.by_picture,
            "view_conflicts": self.conflicts,
        }

    @property
    def advice(self) -> str:
        """What a person should know of them, or an empty text."""
        if not (self.unstated or self.by_picture):
            return ""
        several = f"{self.unstated} studies have several films of unstated view"
        return (
            f"{several}; in {self.by_picture} the picture decided which film is frontal. State ViewPosition, or look."
        )


def _only(study: ImagedStudy, numbers: Sequence[int]) -> ImagedStudy:
    """The study with some of its films."""
    return replace(
        study,
        images=tuple(study.images[number] for number in numbers),
        views=tuple(study.views[number] for number in numbers),
        paths=tuple(study.paths[number] for number in numbers),
        people=tuple(study.people[number] for number in numbers),
        level=1,
    )
