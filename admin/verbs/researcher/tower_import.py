"""Import a pretrained tower: from a folder of a model hub to one that the encoders local:FOLDER load.

  python -m admin tower import DOWNLOADED --out ~/models/rad-dino
  python -m admin tower import CLIP_FOLDER --out ~/models/clip
  python -m admin tower import CLIP_FOLDER --tower image --out ~/models/clip-image

Of a pair, such as CLIP or SigLIP, both towers are written, to OUT/image and OUT/text. Pickled weights become
safetensors, without running code from them. Each tower is compared with the original model before OUT appears.
docs/model.md lists what loads.
"""

from __future__ import annotations

import argparse
from pathlib import Path

from admin.verbs.answer import Answer
from admin.verbs.verb_parser import add_format, existing_folder


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of ``tower``."""
    actions = parser.add_subparsers(dest="action", required=True, metavar="ACTION")
    does = "write the towers of a downloaded folder to a new folder"
    action = actions.add_parser("import", help=does, description=does, allow_abbrev=False)
    add_format(action)
    action.add_argument("source", type=existing_folder, metavar="FOLDER", help="downloaded from a model hub")
    action.add_argument("--out", type=Path, required=True, help="a new folder for the tower")
    action.add_argument("--tower", choices=("image", "text"), help="the only tower to write (default: all)")


def run(options: argparse.Namespace, answer: Answer) -> None:
    """Write the towers, and print what each is."""
    answer.after_interrupt = "nothing was written"
    from admin.model.towers.imported_towers import import_towers
    from admin.model.towers.tower_facts import as_text

    found = import_towers(options.source, options.out, kind=options.tower)
    text = "\n\n".join(as_text(facts, place) for place, facts in found.items())
    answer.add(text, towers=[facts | {"folder": place} for place, facts in found.items()])
