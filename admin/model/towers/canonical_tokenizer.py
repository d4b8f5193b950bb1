"""A tokenizer that first lower-cases a text and drops its punctuation, as open_clip does for SigLIP."""

from __future__ import annotations

import json
from pathlib import Path

from tokenizers import Regex, Tokenizer, normalizers

from admin.model.towers.downloaded_folder import TOKENIZER_SETTINGS, DownloadedFolder

TOKENIZER = "tokenizer.json"
PUNCTUATION = r"[!\"#$%&'()*+,\-./:;<=>?@\[\\\]^_`{|}~]"
NAMED = ("pad_token", "eos_token", "bos_token", "unk_token", "model_max_length", "padding_side", "truncation_side")
"""What is kept of ``tokenizer_config.json``. Its class would build a tokenizer without the new rules."""


def write_canonical_tokenizer(source: DownloadedFolder, target: Path) -> None:
    """Write the tokenizer of a downloaded folder with these rules before its own.

    Raises:
        InputError: without ``tokenizer.json``.
    """
    rule, remedy = f"have {TOKENIZER}, because its texts are cleaned before", "Download it, too."
    source.require((source.path / TOKENIZER).is_file(), rule, got="no such file", remedy=remedy)
    tokenizer = Tokenizer.from_str(json.dumps(source.settings(TOKENIZER)))
    rules = [
        normalizers.Replace("_", " "),
        normalizers.Replace(Regex(PUNCTUATION), ""),
        normalizers.Lowercase(),
        normalizers.Replace(Regex(r"\s+"), " "),
        normalizers.Strip(),
    ]
    own = [tokenizer.normalizer] if tokenizer.normalizer is not None else []
    tokenizer.normalizer = normalizers.Sequence([*rules, *own])
    tokenizer.save(str(target / TOKENIZER))
    kept = {name: value for name, value in source.settings(TOKENIZER_SETTINGS).items() if name in NAMED}
    settings = kept | {"tokenizer_class": "PreTrainedTokenizerFast"}
    (target / TOKENIZER_SETTINGS).write_text(json.dumps(settings, indent=1) + "\n", encoding="utf-8")
