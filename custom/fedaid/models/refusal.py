"""What makes a model's configuration unusable, said before a job starts."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from huggingface_hub.errors import StrictDataclassError

from fedaid.errors import InputError, require
from fedaid.models.hugging_face import WHERE
from fedaid.models.vocabulary import vocabulary_hash

LARGEST_LOGIT_SCALE = 100.0  # as CLIP clips it, arXiv:2103.00020, section 2.5
LEAST = {"image_size": 1, "embedding_dim": 1, "projection_hidden": 1, "max_tokens": 3, "seed": 0}


@contextmanager
def blamed_on(setting: str) -> Iterator[None]:
    """Inside the block, whatever a backbone has against its options becomes an :class:`InputError`."""
    try:
        yield
    except InputError:
        raise
    except (TypeError, ValueError, RuntimeError, LookupError, ArithmeticError, StrictDataclassError) as error:
        reason = " ".join(f"{type(error).__name__}: {error}".split())
        remedy = "Correct the options, image_size or max_tokens."
        raise InputError(setting, "have options that fit together", got=reason, where=WHERE, remedy=remedy) from error


def check_ranges(configuration: Mapping[str, Any]) -> None:
    """Refuses a size or a temperature with which no model can be built or none can learn."""
    for name, least in LEAST.items():
        value, rule = configuration[name], f"be a whole number of at least {least}"
        ok = isinstance(value, int) and not isinstance(value, bool) and value >= least
        require(ok, name, rule, got=repr(value), where=WHERE, remedy="Correct the job's setting.")
    value, rule = configuration["temperature"], f"be in [{1 / LARGEST_LOGIT_SCALE}, 1]"
    ok = isinstance(value, (int, float)) and 1 / LARGEST_LOGIT_SCALE <= value <= 1
    require(ok, "temperature", rule, got=repr(value), where=WHERE, remedy="Use 0.07 unless you know better.")


def check_vocabulary(folder: Path | None, used: str) -> None:
    """Refuses a trained text encoder whose token ids would mean other words than those it was trained with.

    Args:
        folder: of a local text encoder, or None.
        used: sha256 of the vocabulary that the model gets.
    """
    if folder is None or not (folder / "vocab.txt").is_file():
        return
    rule, remedy = "be the text encoder's own", f"Set vocabulary to local:{folder.name}."
    ok = vocabulary_hash(folder / "vocab.txt") == used
    require(ok, "vocabulary", rule, got="another", where=WHERE, remedy=remedy)
