"""Files of an export that are no radiographs: counted by kind, apart from the bad images."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Container, Iterable, Sequence
from dataclasses import dataclass, field

from admin.site.prepare.imaged_study import ImageFile, keys_of
from admin.site.prepare.scan import Found
from fedaid.data.header import file_kind, object_kind
from fedaid.data.pseudonym import Pseudonyms


def known_kind(kind: str) -> str:
    """Return a kind that a decode process sent, or an empty text if it is not one of the closed lists."""
    return kind if kind in object_kind.KINDS or kind in file_kind.KINDS else ""


@dataclass
class OtherFiles:
    """The files that are no radiographs, and the reports that belong to them.

    Attributes:
        objects: kind of a DICOM object → number, see :mod:`fedaid.data.header.object_kind`.
        files: kind of another file → number, see :mod:`fedaid.data.header.file_kind`.
        reports: number of reports of another examination, such as a CT.
    """

    objects: Counter[str] = field(default_factory=Counter)
    files: Counter[str] = field(default_factory=Counter)
    reports: int = 0
    _keys: set[str] = field(default_factory=set, repr=False)

    def add(self, kind: str, keys: Iterable[str]) -> None:
        """Count a file. The keys of another examination's images find its report."""
        (self.files if kind in file_kind.KINDS else self.objects)[kind] += 1
        if kind in object_kind.EXAMINATIONS:
            self._keys.update(keys)

    def films(
        self,
        files: Sequence[tuple[Found, ImageFile]],
        *,
        named: Container[str],
        names: Pseudonyms,
        leave_out: Callable[[str, str], None],
    ) -> list[tuple[Found, ImageFile]]:
        """Return the files that may be radiographs, and count the others.

        Args:
            files: the readable files.
            named: paths that a table names as images; another file among them is left out as a bad image.
            names: the site's pseudonyms.
            leave_out: takes the code and the path of a bad image.
        """
        for found, image in files:
            if image.kind and found.relative in named:
                leave_out("image-unsupported", found.relative)
            elif image.kind:
                self.add(image.kind, keys_of(found, image, names))
        return [(found, image) for found, image in files if not image.kind]

    def takes(self, keys: Iterable[str]) -> bool:
        """Return whether a report without a film belongs to another examination, and count it."""
        taken = not self._keys.isdisjoint(set(keys) - {""})
        self.reports += taken
        return taken

    def counts(self) -> dict[str, object]:
        """Return the counts as ``prepare`` prints them."""
        return {
            "not_radiographs": dict(sorted(self.objects.items())),
            "other_files": dict(sorted(self.files.items())),
            "reports_of_other_examinations": self.reports,
        }

    @property
    def advice(self) -> str:
        """What to do about archives, or an empty text."""
        archives = self.files[file_kind.ARCHIVE]
        if not archives:
            return ""
        return f"{archives} archives (ZIP, tar, 7z, ISO) lie in --images and were not read: unpack them first."
