from __future__ import annotations

import hashlib
import string
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fedaid.errors import InputError
from fedaid.models.vocabulary import (
    LONGEST_WORD,
    SPECIAL_TOKENS,
    VOCABULARY_FILE,
    find_vocabulary,
    load_tokenizer,
    vocabulary_hash,
    vocabulary_size,
)

TOKENIZER = load_tokenizer()
WORDS = st.text(alphabet=string.printable, max_size=LONGEST_WORD)

SINGLE = (
    "pneumothorax", "effusion", "cardiomegaly", "consolidation", "atelectasis", "pacemaker", "endotracheal", "edema",
    "hemidiaphragm", "costophrenic", "nodule", "left", "right", "bilateral", "upper", "lower", "lobe", "ptx", "cxr",
)  # fmt: skip


@pytest.mark.parametrize("word", SINGLE)
def test_a_key_radiology_word_is_one_token(word: str) -> None:
    assert TOKENIZER.encode(word).tokens == ["[CLS]", word, "[SEP]"]


@settings(max_examples=300, deadline=None)
@given(WORDS)
def test_no_ascii_text_is_unknown(text: str) -> None:
    assert "[UNK]" not in TOKENIZER.encode(text).tokens


@given(st.sampled_from(["pneumothorax", "SVC", "mIxEd"]))
def test_case_does_not_matter(word: str) -> None:
    assert TOKENIZER.encode(word.upper()).ids == TOKENIZER.encode(word.lower()).ids


def test_symbols_of_measurements_are_known() -> None:
    assert "[UNK]" not in TOKENIZER.encode("5×3 mm, ≥2 µg, 37°").tokens


def test_a_run_of_letters_longer_than_any_word_is_unknown() -> None:
    assert TOKENIZER.encode("a" * (LONGEST_WORD + 1)).tokens[1] == "[UNK]"


def test_special_tokens_have_the_first_ids() -> None:
    assert [TOKENIZER.token_to_id(token) for token in SPECIAL_TOKENS] == [0, 1, 2, 3, 4]


def test_every_line_is_a_distinct_token() -> None:
    lines = VOCABULARY_FILE.read_text(encoding="utf-8").splitlines()
    assert len(set(lines)) == len(lines) == vocabulary_size() == TOKENIZER.get_vocab_size()


def test_truncation_keeps_the_separator() -> None:
    tokens = load_tokenizer(max_tokens=5).encode("no pleural effusion or pneumothorax").tokens
    assert tokens == ["[CLS]", "no", "pleural", "effusion", "[SEP]"]


def test_a_short_text_is_not_padded() -> None:
    assert len(TOKENIZER.encode("normal").ids) == 3


def test_fewer_than_three_tokens_are_refused() -> None:
    with pytest.raises(InputError, match=r"max_tokens must be 3 or more, got 2"):
        load_tokenizer(max_tokens=2)


def test_a_vocabulary_without_special_tokens_is_refused(tmp_path: Path) -> None:
    (tmp_path / "vocab.txt").write_text("[PAD]\nlung\n")
    with pytest.raises(InputError, match="hold all special tokens"):
        load_tokenizer(tmp_path / "vocab.txt")


def test_the_hash_is_the_sha256_of_the_bytes(tmp_path: Path) -> None:
    (tmp_path / "v.txt").write_bytes(b"[PAD]\n")
    assert vocabulary_hash(tmp_path / "v.txt") == hashlib.sha256(b"[PAD]\n").hexdigest()


def test_the_hash_of_the_shipped_file_is_the_one_that_models_were_made_with() -> None:
    assert vocabulary_hash() == "f430e93a0eec4a69fabc07db424e2bfaf47cd8ac73772049da6ead8ab418bef6"


def test_radiology_is_the_shipped_file() -> None:
    assert find_vocabulary("radiology") == VOCABULARY_FILE


def test_a_local_vocabulary_lies_below_the_models_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "bert").mkdir()
    (tmp_path / "bert" / "vocab.txt").write_text("[PAD]\n")
    monkeypatch.setenv("FEDAID_MODELS", str(tmp_path))
    assert find_vocabulary("local:bert") == tmp_path / "bert"


@pytest.mark.parametrize("name", ["local:absent", "english", "local:"])
def test_an_absent_vocabulary_is_refused(name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FEDAID_MODELS", str(tmp_path))
    with pytest.raises(InputError, match="vocabulary must be radiology"):
        find_vocabulary(name)
