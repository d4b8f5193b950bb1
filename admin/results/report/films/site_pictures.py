"""Pictures that need the sites' data: the embedding space before and after training, and retrieval examples."""

from __future__ import annotations

import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from matplotlib.figure import Figure

from admin.jobs.folder import read_object
from admin.results.report.data_statement import LEAST
from admin.results.report.films.embedding_picture import Pairs, drawn_pairs, embedding_picture
from admin.results.report.films.held_out import HeldOut, read_held_out, site_folders
from admin.results.report.films.retrieval_examples import IN_ALL, Example, site_examples
from fedaid.errors import require
from fedaid.models.dual_encoder import DualEncoder
from fedaid.models.saved_model import CONFIG, load_model, new_model
from fedaid.training.validation import embed

BATCH = 64
HOW = (
    "Not drawn: this picture needs images and reports. Where the prepared data are, run the command again with --sites "
    "and their folder; the page then holds a point for every test study."
)
HOW_EXAMPLES = (
    "Not shown: a page with examples holds images and reports, so it must stay where the data are. With synthetic "
    "data, or with permission, run the command again with --sites and --allow-examples."
)


@dataclass(frozen=True)
class SitePictures:
    """Pictures for the page, and their aggregates for the JSON.

    Attributes:
        sites: names in the order of their colours.
        figures: title → the embedding space.
        examples: retrieval examples; empty unless they were allowed.
        summary: counts and means only.
    """

    sites: tuple[str, ...]
    figures: Mapping[str, Figure]
    examples: tuple[Example, ...]
    summary: Mapping[str, Any]


def site_pictures(model: Path, sites: Path, *, allow_examples: bool, scratch: Path) -> SitePictures:
    """Embed the test splits by the initial and by the trained model, and draw them.

    Args:
        model: folder of the trained model.
        sites: see :func:`site_folders`.
        allow_examples: whether images and reports may be in the page.
        scratch: folder for temporary decoded images, on the site's own disk.

    Raises:
        InputError: if a site's data cannot be used, or no site has a test split.
    """
    config = read_object(model / CONFIG)
    with tempfile.TemporaryDirectory(dir=scratch, prefix=".report-") as cache:
        splits = held_out_splits(sites, Path(cache), config["configuration"])
        first = new_model(config["configuration"], config["vocabulary_sha256"], where=str(model))
        trained = load_model(model)
        before, after = (embedded(each, splits) for each in (first, trained))
        per_site = max(1, IN_ALL // len(splits)) if allow_examples else 0
        examples = [one for s in list(splits)[:IN_ALL] for one in site_examples(s, splits[s], after[s], count=per_site)]
    figures, summary = {}, {}
    for title, pairs in (("before training", before), ("after training", after)):
        figures[title], summary[title] = embedding_picture(drawn_pairs(pairs))
    counts = {site: len(pairs[0]) for site, pairs in drawn_pairs(after).items()}
    return SitePictures(tuple(splits), figures, tuple(examples), {"pairs_shown": counts, "moments": summary})


def held_out_splits(sites: Path, cache: Path, configuration: Mapping[str, Any]) -> dict[str, HeldOut]:
    """Return site → its test studies, for sites that have enough of them."""
    found = {
        s: read_held_out(root, cache / str(n), configuration) for n, (s, root) in enumerate(site_folders(sites).items())
    }
    kept = {site: split for site, split in found.items() if len(split.texts) >= LEAST}
    rule, remedy = f"have a test split of at least {LEAST} studies", "Leave --sites out, or give other sites."
    require(bool(kept), "--sites", rule, got="0 such sites", where=str(sites), remedy=remedy)
    return kept


def embedded(model: DualEncoder, splits: Mapping[str, HeldOut]) -> dict[str, Pairs]:
    """Return site → embeddings of its test studies by a model."""
    found = {site: embed(model, split.dataset, batch_size=BATCH) for site, split in splits.items()}
    return {site: (one.image.numpy(), one.text.numpy()) for site, one in found.items()}
