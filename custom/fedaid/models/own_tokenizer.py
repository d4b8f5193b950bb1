"""The tokenizer of a local text encoder, from the files that it was saved with.

A text encoder with the token ids of another tokenizer trains without an error and learns little. So a folder whose
tokenizer is not certain is refused.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from pathlib import Path
from typing import Any, NoReturn

from tokenizers import Tokenizer
from tokenizers.models import WordPiece

from fedaid.errors import InputError, require
from fedaid.models.local_folder import read_json

TOKENIZER, SETTINGS, WORDS = "tokenizer.json", "tokenizer_config.json", "vocab.txt"
BYTE_PAIRS = ("vocab.json", "merges.txt")
FILES = (TOKENIZER, SETTINGS, "special_tokens_map.json", "added_tokens.json", WORDS, *BYTE_PAIRS)
"""What ids depend on. All of these that a folder has are hashed."""
CAPITALS = 0.01
"""A vocabulary whose share of words with capitals is above this is that of a cased tokenizer."""
PROBE = "Lungs are clear.  No PLEURAL effusion, 2 cm, café. (R > L; 3.5-cm)"
SIGLIP = ("SiglipTokenizer", "SiglipTokenizerFast")
"""Classes that need another library, so ``tokenizer.json`` is checked by itself."""
AS_WRITTEN, AS_SIGLIP = "The HEART is enlarged: 2 cm.", "the heart is enlarged 2 cm"
SAVE = 'Save it with transformers: AutoTokenizer.from_pretrained(FOLDER).save_pretrained("FOLDER").'


def tokenizer_files(folder: Path) -> tuple[Path, ...]:
    """The files that decide the token ids, in a fixed order; empty if the folder has no tokenizer that can be read."""
    found = tuple(folder / name for name in FILES if (folder / name).is_file())
    names = {file.name for file in found}
    return found if names & {TOKENIZER, WORDS} or names >= set(BYTE_PAIRS) else ()


def files_hash(files: tuple[Path, ...]) -> str:
    """Sha256 in hex of the names and bytes of these files; of a lone ``vocab.txt``, of its bytes."""
    if [file.name for file in files] == [WORDS]:
        return hashlib.sha256(files[0].read_bytes()).hexdigest()
    digests = "".join(f"{file.name} {hashlib.sha256(file.read_bytes()).hexdigest()}\n" for file in files)
    return hashlib.sha256(digests.encode()).hexdigest()


def own_tokenizer(folder: Path) -> Tokenizer:
    """The tokenizer of a folder, without truncation and padding.

    ``tokenizer.json`` holds everything. Without it, ``transformers`` builds the tokenizer of the folder's
    ``config.json`` from ``vocab.txt``, or from ``vocab.json`` and ``merges.txt``.

    Raises:
        InputError: for damaged files, two files that give different ids, an unknown or contradictory casing, or a
            tokenizer that adds no special tokens.
    """
    try:
        single = (folder / TOKENIZER).is_file()
        tokenizer = Tokenizer.from_file(str(folder / TOKENIZER)) if single else _from_words(folder)
        compared = single and (folder / SETTINGS).is_file() and not _is_siglips(folder)
        library = _of_library(folder) if compared else tokenizer
        for one in (tokenizer, library):
            one.no_padding()
            one.no_truncation()
        same = library.encode(PROBE).ids == tokenizer.encode(PROBE).ids
    except InputError:
        raise
    except Exception as error:  # the Rust library raises Exception itself
        reason = f"an error: {' '.join(str(error).split())[:120]}"
        _refuse("be readable by transformers, without code of its own", folder, got=reason, remedy=SAVE)
    _check_casing(tokenizer, folder)
    rule, got = "give the same ids by tokenizer.json and by tokenizer_config.json", "other ids for a test sentence"
    require(same, "tokenizer", rule, got=got, where=_where(folder), remedy=f"Repair tokenizer_config.json. {SAVE}")
    special = len(tokenizer.encode("a").ids) > len(tokenizer.encode("a", add_special_tokens=False).ids)
    rule, got = "add its special tokens to a text", "a tokenizer.json without post_processor"
    require(special, "tokenizer", rule, got=got, where=_where(folder), remedy=SAVE)
    return tokenizer


def require_right_side(folder: Path) -> None:
    """An error if a tokenizer pads or truncates on the left: this software does both on the right.

    Raises:
        InputError: naming the setting.
    """
    single = read_json(folder / TOKENIZER)
    for kind in ("padding", "truncation"):
        stated = (_settings(folder).get(f"{kind}_side", "right"), (single.get(kind) or {}).get("direction", "Right"))
        odd = next((side for side in (str(name).lower() for name in stated) if side != "right"), None)
        rule, remedy = (
            f"have {kind} on the right",
            "Choose a tokenizer that pads and truncates there.",
        )
        require(odd is None, "tokenizer", rule, got=f"{kind}_side {odd!r}", where=_where(folder), remedy=remedy)


def _from_words(folder: Path) -> Tokenizer:
    if (folder / WORDS).is_file() and "do_lower_case" not in _settings(folder):
        capitals = _share_with_capitals((folder / WORDS).read_text(encoding="utf-8").splitlines())
        got, remedy = f"capitals in {capitals:.0%} of its words", "Write do_lower_case to tokenizer_config.json."
        rule = "say in tokenizer_config.json whether it lower-cases"
        require(capitals <= CAPITALS, "tokenizer", rule, got=got, where=_where(folder), remedy=remedy)
    return _of_library(folder)


def _is_siglips(folder: Path) -> bool:
    return _settings(folder).get("tokenizer_class") in SIGLIP


def _of_library(folder: Path) -> Tokenizer:
    from transformers import AutoTokenizer  # slow to import, and the bundle's own vocabulary does not need it

    loaded = AutoTokenizer.from_pretrained(folder, local_files_only=True, trust_remote_code=False)
    tokenizer: Tokenizer = loaded.backend_tokenizer
    return tokenizer


def _settings(folder: Path) -> dict[str, Any]:
    return read_json(folder / SETTINGS)


def _check_casing(tokenizer: Tokenizer, folder: Path) -> None:
    """An error if words of the vocabulary can never occur: capitals that are lower-cased, or the reverse."""
    if _is_siglips(folder):
        clean = tokenizer.encode(AS_WRITTEN).ids == tokenizer.encode(AS_SIGLIP).ids
        rule, got = "lower-case and drop punctuation, as SigLIP's does", "a tokenizer.json that does not"
        require(clean, "tokenizer", rule, got=got, where=_where(folder), remedy="Choose another copy of the model.")
    if not isinstance(tokenizer.model, WordPiece):
        return
    capitals = _share_with_capitals(tokenizer.get_vocab(with_added_tokens=False))
    lowers = tokenizer.normalizer is not None and tokenizer.normalizer.normalize_str("A") == "a"
    rule, remedy = "fit the case of its vocabulary", "Correct do_lower_case in tokenizer_config.json and save it anew."
    got = f"{'lower-casing' if lowers else 'no lower-casing'} with capitals in {capitals:.0%} of the words"
    ok = capitals <= CAPITALS if lowers else capitals > 0
    require(ok, "tokenizer", rule, got=got, where=_where(folder), remedy=remedy)


def _share_with_capitals(tokens: Iterable[str]) -> float:
    words = [token for token in tokens if not token.startswith(("[", "<"))]
    return sum(word != word.lower() for word in words) / max(1, len(words))


def _where(folder: Path) -> str:
    return f"$FEDAID_MODELS/{folder.name}"


def _refuse(rule: str, folder: Path, *, got: str, remedy: str) -> NoReturn:
    raise InputError("tokenizer", rule, got=got, where=_where(folder), remedy=remedy)
