"""What a site found of the given model, kept there so that the other models can be compared with it study by study."""

from __future__ import annotations

from typing import Any

from nvflare.apis.fl_context import FLContext

from fedaid.evaluation.embedded_split import EmbeddedSplit
from fedaid.evaluation.plain_result import plain_interval
from fedaid.evaluation.retrieval import METRIC, Ranks, recall_difference, retrieval_ranks
from fedaid.evaluation.settings import EvaluationSettings
from fedaid.flare.site.swap_file import SwapFile
from fedaid.flare.wire.tasks import GIVEN_MODEL


class GivenRanks:
    """Ranks of the test studies under the given model. They are of single studies and stay at the site.

    Attributes:
        swap: the file that they go through where each task has a process of its own.
    """

    def __init__(self) -> None:
        self.swap = SwapFile("given_ranks")
        self._ranks: Ranks | None = None

    def compare(
        self, test: EmbeddedSplit, settings: EvaluationSettings, *, number: int, fl_ctx: FLContext
    ) -> dict[str, Any] | None:
        """How far the recall of the model of task ``number`` is from the given one's, an aggregate.

        None for the given model itself, which is kept, and where the site has not evaluated it.
        """
        ranks = retrieval_ranks(test.image, test.text, test.text_groups)
        if number == GIVEN_MODEL:
            self._ranks = ranks
            self.swap.write(fl_ctx, ranks._asdict(), {})
            return None
        given = self._ranks or self._swapped(fl_ctx)
        return {METRIC: plain_interval(recall_difference(ranks, given, test.patients, settings))} if given else None

    def _swapped(self, fl_ctx: FLContext) -> Ranks | None:
        found = self.swap.read(fl_ctx)
        return Ranks(**found[0]) if found else None
