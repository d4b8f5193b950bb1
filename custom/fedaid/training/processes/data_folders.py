"""The folders of a site's data, from which each of its processes can read them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from fedaid.data.pixels.decode_pool import Check, keep_going
from fedaid.data.site_data import SiteData, load_site_data
from fedaid.models.vocabulary import find_vocabulary, load_tokenizer


@dataclass(frozen=True)
class DataFolders:
    """Two folders of a site.

    Attributes:
        root: with ``manifest.csv``.
        cache: of decoded images.
    """

    root: Path
    cache: Path

    def load(self, configuration: Mapping[str, Any], *, check: Check = keep_going) -> SiteData:
        """The site's data for a model of this configuration.

        Args:
            configuration: constructor arguments of the model.
            check: called while images are decoded for the first time; if it raises, decoding ends.

        Raises:
            InputError: as :func:`load_site_data`.
        """
        vocabulary = find_vocabulary(configuration["vocabulary"])
        tokenizer = load_tokenizer(vocabulary, max_tokens=configuration["max_tokens"])
        size = configuration["image_size"]
        return load_site_data(self.root, cache=self.cache, image_size=size, tokenizer=tokenizer, check=check)
