"""The vocabulary and the tokenizer of the text tower. The vocabulary is fixed and public, so no site sends words."""

from __future__ import annotations

import hashlib
from pathlib import Path

from tokenizers import Tokenizer
from tokenizers.models import WordPiece
from tokenizers.normalizers import BertNormalizer
from tokenizers.pre_tokenizers import BertPreTokenizer
from tokenizers.processors import TemplateProcessing

from fedaid.errors import InputError, require
from fedaid.models.local_folder import LOCAL, local_file, remedy_for

SPECIAL_TOKENS = ("[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]")
VOCABULARY_FILE = Path(__file__).with_name("vocabulary.txt")
LONGEST_WORD = 100  # characters; a longer word becomes [UNK], so that a damaged file takes no time


def find_vocabulary(name: str) -> Path:
    """Return the vocabulary file of a configuration.

    Args:
        name: ``radiology`` for the file of the bundle, ``local:NAME`` for ``$FEDAID_MODELS/NAME/vocab.txt``.

    Raises:
        InputError: the file does not exist.
    """
    if name == "radiology":
        return VOCABULARY_FILE
    path = local_file(name, "vocab.txt")
    if path is None:
        raise InputError(
            "vocabulary",
            "be radiology, or local:NAME where $FEDAID_MODELS/NAME/vocab.txt exists",
            got=repr(name),
            where="model args of config_fed_server.json",
            remedy=remedy_for(name, "vocab.txt") if name.startswith(LOCAL) else "Use radiology.",
        )
    return path


def vocabulary_hash(path: Path = VOCABULARY_FILE) -> str:
    """Sha256 of a vocabulary file in hex; server and sites compare it, because token ids depend on the vocabulary."""
    return hashlib.sha256(path.read_bytes()).hexdigest()


def vocabulary_size(path: Path = VOCABULARY_FILE) -> int:
    """Number of tokens in a vocabulary file."""
    return len(_tokens(path))


def load_tokenizer(path: Path = VOCABULARY_FILE, *, max_tokens: int = 112) -> Tokenizer:
    """A lower-casing WordPiece tokenizer: [CLS] … [SEP], truncated to ``max_tokens``, not padded.

    Args:
        path: one token a line, whose id is the number of the line from 0; [PAD] is first.
        max_tokens: longest result, including [CLS] and [SEP].

    Raises:
        InputError: if the file lacks a special token, or ``max_tokens`` is below 3.
    """
    ids = {token: number for number, token in enumerate(_tokens(path))}
    where = "model args of config_fed_server.json"
    require(max_tokens >= 3, "max_tokens", "be 3 or more", got=max_tokens, where=where, remedy="Use 112.")
    missing = [token for token in SPECIAL_TOKENS if token not in ids]
    got, remedy = f"a file without {missing}", "Use a vocabulary of the uncased BERT family."
    require(not missing, "vocabulary", "hold all special tokens", got=got, where=where, remedy=remedy)
    tokenizer = Tokenizer(WordPiece(ids, unk_token="[UNK]", max_input_chars_per_word=LONGEST_WORD))  # noqa: S106
    tokenizer.normalizer = BertNormalizer(lowercase=True)
    tokenizer.pre_tokenizer = BertPreTokenizer()
    ends = [(token, ids[token]) for token in ("[CLS]", "[SEP]")]
    tokenizer.post_processor = TemplateProcessing(single="[CLS] $A [SEP]", special_tokens=ends)
    tokenizer.enable_truncation(max_tokens)
    return tokenizer


def _tokens(path: Path) -> list[str]:
    return (
        path.read_text(encoding="utf-8").removesuffix("\n").split("\n")
    )  # not splitlines: a token may be a rare line separator
