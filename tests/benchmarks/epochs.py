"""The first pass over a site's training studies, which decodes them, against the next, which must not."""

from __future__ import annotations

import shutil
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from fedaid.data.pixels import decode_pool
from fedaid.data.pixels.decode_process import DecodeProcess
from fedaid.data.site_data import SiteData, load_site_data
from fedaid.models.vocabulary import load_tokenizer
from fedaid.training.batches import shuffled_rows, training_batches
from tests.benchmarks.films import FULL_SIZE, write_site
from tests.benchmarks.spread import Spread, spread

SIZE, BATCH = 224, 16


@contextmanager
def started_processes() -> Iterator[list[int]]:
    """Numbers of the decoding processes that start within the block."""
    numbers: list[int] = []

    class Counted(DecodeProcess):
        def __init__(self, *arguments: Any, **named: Any) -> None:
            super().__init__(*arguments, **named)
            numbers.append(self.pid)

    decode_pool.DecodeProcess = Counted  # type: ignore[misc]
    try:
        yield numbers
    finally:
        decode_pool.DecodeProcess = DecodeProcess  # type: ignore[misc]


def drawn(data: SiteData, seed: int) -> int:
    """How many studies one pass over the training batches yields."""
    plan = shuffled_rows(len(data.train), batch_size=BATCH, steps=len(data.train) // BATCH, seed=seed)
    return sum(len(batch.images) for batch in training_batches(data.train, plan, seed=seed))


def both_epochs(site: Path, cache: Path) -> tuple[float, float]:
    """Seconds of the first epoch, from the manifest to the last augmented batch, and of the second from the cache.

    Raises:
        RuntimeError: if the first decodes nothing, or the second anything, or a study is missing.
    """
    with started_processes() as processes:
        begun = time.perf_counter()
        data = load_site_data(site, cache=cache, image_size=SIZE, tokenizer=load_tokenizer())
        count = drawn(data, seed=1)
        middle = time.perf_counter()
        first = len(processes)
        again = drawn(data, seed=2)
        end = time.perf_counter()
        load_site_data(site, cache=cache, image_size=SIZE, tokenizer=load_tokenizer())  # as the next job does
    if data.skipped or not first or len(processes) > first or not count == again > len(data.train) - BATCH:
        raise RuntimeError("an epoch decoded what it must not, or lacked studies")
    return middle - begun, end - middle


def epoch_speedup(
    folder: Path, studies: int, *, squeeze: bool, repeats: int, say: Callable[[str], None]
) -> dict[str, Spread]:
    """Return how many times faster the second epoch is, and the seconds of both."""
    write_site(folder, studies, sizes=FULL_SIZE, squeeze=squeeze)
    both_epochs(folder, folder / "cache")
    times = []
    for number in range(repeats):
        shutil.rmtree(folder / "cache")
        times.append(both_epochs(folder, folder / "cache"))
        say(f"first epoch {times[-1][0]:.2f} s, second {times[-1][1]:.2f} s ({number + 1} of {repeats})")
    return {
        "second_epoch_speedup": spread([first / second for first, second in times]),
        "first_epoch_seconds": spread([first for first, _ in times]),
        "second_epoch_seconds": spread([second for _, second in times]),
    }
