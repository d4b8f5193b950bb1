"""A folder whose tokenizer is not certain is refused."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path

import pytest
from tokenizers import Regex, Tokenizer, normalizers

from fedaid.errors import InputError
from fedaid.models.own_tokenizer import files_hash, own_tokenizer, require_right_side, tokenizer_files
from tests.models.published_encoders import byte_pairs, unigram, words


def change(folder: Path, **settings: object) -> None:
    file = folder / "tokenizer_config.json"
    file.write_text(json.dumps(json.loads(file.read_text()) | settings))


def refusal(folder: Path) -> str:
    with pytest.raises(InputError) as caught:
        own_tokenizer(folder)
    return str(caught.value)


def test_case_is_kept_or_lowered_as_the_folder_says(tmp_path: Path) -> None:
    for cased in (True, False):
        folder = tmp_path / str(cased)
        folder.mkdir()
        words(cased=cased)(folder)
        big, small = (own_tokenizer(folder).encode(text).ids for text in ("Lungs", "lungs"))
        assert (big != small) is cased


def test_a_saved_truncation_or_padding_does_not_stay(tmp_path: Path) -> None:
    words(cased=False)(tmp_path)
    tokenizer = Tokenizer.from_file(str(tmp_path / "tokenizer.json"))
    tokenizer.enable_padding(length=40)
    tokenizer.enable_truncation(4)
    tokenizer.save(str(tmp_path / "tokenizer.json"))
    assert 4 < len(own_tokenizer(tmp_path).encode("lungs are clear heart").ids) < 40


def test_a_configuration_that_lower_cases_a_cased_tokenizer_is_refused(tmp_path: Path) -> None:
    words(cased=True)(tmp_path)
    change(tmp_path, do_lower_case=True)
    assert "give the same ids by tokenizer.json and by tokenizer_config.json" in refusal(tmp_path)


def test_a_cased_vocabulary_that_is_lower_cased_is_refused(tmp_path: Path) -> None:
    words(cased=True, alone=True)(tmp_path)
    (tmp_path / "config.json").write_text('{"model_type": "bert"}')
    change(tmp_path, do_lower_case=True)
    assert refusal(tmp_path).startswith("tokenizer must fit the case of its vocabulary, got lower-casing with capitals")


def test_an_uncased_vocabulary_that_is_not_lower_cased_is_refused(tmp_path: Path) -> None:
    words(cased=False, alone=True)(tmp_path)
    (tmp_path / "config.json").write_text('{"model_type": "bert"}')
    change(tmp_path, do_lower_case=False)
    assert "got no lower-casing with capitals in 0% of the words" in refusal(tmp_path)


@pytest.mark.parametrize("kind", ["padding", "truncation"])
@pytest.mark.parametrize("file", ["tokenizer_config.json", "tokenizer.json"])
def test_a_tokenizer_of_the_left_side_is_refused(kind: str, file: str, tmp_path: Path) -> None:
    words(cased=False)(tmp_path)
    require_right_side(tmp_path)
    if file == "tokenizer_config.json":
        change(tmp_path, **{f"{kind}_side": "left"})
    else:
        tokenizer = Tokenizer.from_file(str(tmp_path / file))
        tokenizer.enable_padding(direction="left") if kind == "padding" else tokenizer.enable_truncation(
            8, direction="left"
        )
        tokenizer.save(str(tmp_path / file))
    with pytest.raises(InputError, match=f"^tokenizer must have {kind} on the right, got {kind}_side 'left'"):
        require_right_side(tmp_path)


def test_a_tokenizer_that_adds_no_special_tokens_is_refused(tmp_path: Path) -> None:
    words(cased=False)(tmp_path)
    file = tmp_path / "tokenizer.json"
    file.write_text(json.dumps(json.loads(file.read_text()) | {"post_processor": None}))
    (tmp_path / "tokenizer_config.json").unlink()
    assert refusal(tmp_path).startswith("tokenizer must add its special tokens to a text")


def test_damaged_files_are_refused_in_one_line(tmp_path: Path) -> None:
    (tmp_path / "tokenizer.json").write_text("{")
    line = refusal(tmp_path)
    assert line.startswith("tokenizer must be readable by transformers, without code of its own, got an error: ")
    assert "\n" not in line


@pytest.mark.parametrize("files", [[], ["vocab.json"], ["merges.txt"], ["tokenizer_config.json"], ["spiece.model"]])
def test_a_folder_without_a_whole_tokenizer_has_none(files: list[str], tmp_path: Path) -> None:
    for name in files:
        (tmp_path / name).write_text("{}")
    assert tokenizer_files(tmp_path) == ()


def test_the_hash_covers_every_file_that_ids_depend_on(tmp_path: Path) -> None:
    byte_pairs()(tmp_path)
    before = files_hash(tokenizer_files(tmp_path))
    assert before == files_hash(tokenizer_files(tmp_path))
    change(tmp_path, do_lower_case=True)
    assert files_hash(tokenizer_files(tmp_path)) != before


def test_a_vocabulary_alone_has_the_hash_of_its_bytes(tmp_path: Path) -> None:
    words(cased=False, alone=True, stated=False)(tmp_path)
    expected = hashlib.sha256((tmp_path / "vocab.txt").read_bytes()).hexdigest()
    assert files_hash(tokenizer_files(tmp_path)) == expected


def test_a_unigram_tokenizer_is_read(tmp_path: Path) -> None:
    unigram()(tmp_path)
    ids = own_tokenizer(tmp_path).encode("lungs").ids
    assert (ids[0], ids[-1]) == (0, 2)


def test_a_tokenizer_of_another_class_is_refused_in_one_line(tmp_path: Path) -> None:
    byte_pairs(ends_last=True)(tmp_path)
    change(tmp_path, tokenizer_class="CLIPTokenizer")
    assert refusal(tmp_path).startswith("tokenizer must be readable by transformers, without code of its own, got an")


def test_siglips_tokenizer_must_clean_its_texts(tmp_path: Path) -> None:
    unigram(ends=False)(tmp_path)
    change(tmp_path, tokenizer_class="SiglipTokenizer")
    assert refusal(tmp_path).startswith("tokenizer must lower-case and drop punctuation, as SigLIP's does")
    tokenizer = Tokenizer.from_file(str(tmp_path / "tokenizer.json"))
    rules = [normalizers.Lowercase(), normalizers.Replace(Regex("[.:]"), "")]
    tokenizer.normalizer = normalizers.Sequence(rules)
    tokenizer.save(str(tmp_path / "tokenizer.json"))
    assert own_tokenizer(tmp_path).encode("LUNGS.").ids == own_tokenizer(tmp_path).encode("lungs").ids
