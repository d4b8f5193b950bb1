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
from fedaid.models.local_folder import LOCAL, local_file, remedy_for, require_no_links
from fedaid.models.own_tokenizer import FILES, files_hash, own_tokenizer, tokenizer_files

SPECIAL_TOKENS = ("[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]")
VOCABULARY_FILE = Path(__file__).with_name("vocabulary.txt")
LONGEST_WORD = 100  # characters; a longer word becomes [UNK], so that a damaged file takes no time


def find_vocabulary(name: str) -> Path:
    """Return the vocabulary of a configuration: the file of the bundle, or the folder of a local text encoder.

    Args:
        name: ``radiology`` for the file of the bundle, ``local:NAME`` for the tokenizer in ``$FEDAID_MODELS/NAME``.

    Raises:
        InputError: the folder does not exist or has no tokenizer.
    """
    if name == "radiology":
        return VOCABULARY_FILE
    found = [path for file in FILES if (path := local_file(name, file))]
    if not found or not tokenizer_files(found[0].parent):
        raise InputError(
            "vocabulary",
            "be radiology, or local:NAME where $FEDAID_MODELS/NAME has tokenizer.json, vocab.txt, or vocab.json with "
            "merges.txt",
            got=repr(name),
            where="model args of config_fed_server.json",
            remedy=remedy_for(name, "tokenizer.json") if name.startswith(LOCAL) else "Use radiology.",
        )
    require_no_links(found[0].parent, FILES)
    return found[0].parent


def vocabulary_hash(path: Path = VOCABULARY_FILE) -> str:
    """Sha256 of a vocabulary in hex; server and sites compare it, because token ids depend on the vocabulary.

    Args:
        path: the file of the bundle, or a folder: then casing, special tokens and rules are part of the hash.
    """
    return files_hash(tokenizer_files(path)) if path.is_dir() else hashlib.sha256(path.read_bytes()).hexdigest()


def vocabulary_size(path: Path = VOCABULARY_FILE) -> int:
    """The highest token id of a vocabulary plus one."""
    return max(own_tokenizer(path).get_vocab().values()) + 1 if path.is_dir() else len(_tokens(path))


def load_tokenizer(path: Path = VOCABULARY_FILE, *, max_tokens: int = 112) -> Tokenizer:
    """The tokenizer of a vocabulary, truncated to ``max_tokens``, not padded.

    Args:
        path: a folder with the tokenizer of a local text encoder; or a file with one token a line, whose id is the
            number of the line from 0, for a lower-casing WordPiece tokenizer: [CLS] … [SEP].
        max_tokens: longest result, including special tokens.

    Raises:
        InputError: if the file lacks a special token, ``max_tokens`` is below 3, or the folder's tokenizer is not
            certain.
    """
    where = "model args of config_fed_server.json"
    require(max_tokens >= 3, "max_tokens", "be 3 or more", got=max_tokens, where=where, remedy="Use 112.")
    tokenizer = own_tokenizer(path) if path.is_dir() else _word_pieces(path, where)
    tokenizer.enable_truncation(max_tokens)
    return tokenizer


def _word_pieces(path: Path, where: str) -> Tokenizer:
    ids = {token: number for number, token in enumerate(_tokens(path))}
    missing = [token for token in SPECIAL_TOKENS if token not in ids]
    got, remedy = f"a file without {missing}", "Use a vocabulary of the uncased BERT family."
    require(not missing, "vocabulary", "hold all special tokens", got=got, where=where, remedy=remedy)
    tokenizer = Tokenizer(WordPiece(ids, unk_token="[UNK]", max_input_chars_per_word=LONGEST_WORD))  # noqa: S106
    tokenizer.normalizer = BertNormalizer(lowercase=True)
    tokenizer.pre_tokenizer = BertPreTokenizer()
    ends = [(token, ids[token]) for token in ("[CLS]", "[SEP]")]
    tokenizer.post_processor = TemplateProcessing(single="[CLS] $A [SEP]", special_tokens=ends)
    return tokenizer


def _tokens(path: Path) -> list[str]:
    return (
        path.read_text(encoding="utf-8").removesuffix("\n").split("\n")
    )  # not splitlines: a token may be a rare line separator
