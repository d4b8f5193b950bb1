"""The checks of what a site sends: gate, ballot, messages, the site's last filter, and the bounds of an update."""

from __future__ import annotations

from tests.chaos.guards.guard import Guard

GATE, GATE_TESTS = "flare.server.gate", "flare/server/test_gate.py"
LIAR_TESTS, PAIRS_TESTS = "flare/server/test_one_liar.py", "minmax/test_pair_bounds.py"
RULES = "flare.wire.metric_rules"
BOUNDS, BOUNDS_TESTS = "minmax.update_bounds", "minmax/test_update_bounds.py"
MESSAGES, MESSAGES_TESTS = "flare.wire.messages", "flare/wire/test_messages.py"
FIELDS = "flare.wire.message_fields"
PLAIN, PLAIN_TESTS = "flare.wire.plain_answer", "flare/wire/test_plain_answer.py"
SUMS = "flare.server.aggregator:SiteWeightedAggregator"
CLIP_TESTS = "flare/server/test_clipped_updates.py"
BALLOT, BALLOT_TESTS, SUITE_TESTS = (
    "flare.server.ballot",
    "flare/server/test_ballot.py",
    "flare/server/test_suite_ballot.py",
)


def demand(where: str, condition: str, tests: str, *, rest: str = "") -> Guard:
    """A condition that the function demands; ``rest`` tells it from another one that begins so."""
    old = f"demand({condition},{rest}"
    return Guard(where, old, f"demand(True,{rest}", tests)


def always(where: str, statement: str, value: str, tests: str) -> Guard:
    """A function whose last statement returns a verdict."""
    return Guard(where, statement, f"return {value}", tests)


ANSWER_GUARDS = (
    demand(f"{GATE}:Gate._judge_sender", "self._open", GATE_TESTS),
    demand(f"{GATE}:Gate._judge_sender", "site in self.sites", GATE_TESTS),
    demand(f"{GATE}:Gate._judge_sender", "site not in self.accepted", GATE_TESTS),
    demand(
        f"{GATE}:Gate._judge_sender",
        "update.run == self._run",
        "flare/server/test_resume.py::test_an_answer_of_another_attempt_is_refused",
    ),
    demand(f"{GATE}:Gate._judge_sender", "update.round_number == self.round_number", GATE_TESTS),
    demand(f"{RULES}:judge_losses", "metrics.get(name, 0.0) <= limit", LIAR_TESTS),
    demand(f"{RULES}:judge_metrics", "name not in SHARES or value <= LARGEST_SHARE", BALLOT_TESTS),
    Guard(f"{BALLOT}:Ballot._sound", "judge_losses(metrics, pairs=self._pairs.get(site, LARGEST_BATCH))", "pass",
          BALLOT_TESTS),
    Guard(f"{GATE}:Gate._judge_counts", "not self._pairs.has_changed(site, update.pairs)", "True", LIAR_TESTS),
    Guard(f"{GATE}:Gate.close", "(self._too_many_pairs, self._too_large)", "(self._too_large,)", LIAR_TESTS),
    always("minmax.pair_bounds:PairBounds.has_changed",
           "return not first <= LARGEST_CHANGE * pairs <= LARGEST_CHANGE**2 * first", "False", PAIRS_TESTS),
    Guard("minmax.pair_bounds:PairBounds.too_many", "max(upper_median(others), SMALLEST_SITE)", "upper_median(others)",
          PAIRS_TESTS),
    Guard("minmax.pair_bounds:PairBounds.too_many", "{**self.first, **pairs}", "pairs", PAIRS_TESTS),
    Guard(f"{SUMS}._moved", "without_rounding(name, moved, tensor)", "moved", LIAR_TESTS),
    Guard(f"{BOUNDS}:without_rounding", " and is_possible(new, old)", "", BOUNDS_TESTS),
    Guard(f"{SUMS}.total", "weights[site] * norm", "norm", LIAR_TESTS),
    demand(f"{GATE}:Gate._judge_size", "norm <= self._largest_norm", GATE_TESTS),
    demand(f"{GATE}:Gate._judge_size", "is_possible(start + update.delta[name], start)", LIAR_TESTS),
    demand(f"{GATE}:Gate._judge_counts", "is_count(update.pairs) and update.pairs > 0", GATE_TESTS),
    demand(f"{GATE}:Gate._judge_counts", "len(update.skipped) <= MOST_FIELDS", GATE_TESTS),
    demand(f"{GATE}:Gate._judge_counts", "is_name(reason) and is_count(count)", GATE_TESTS),
    demand(f"{GATE}:judged_squares", "not missing", GATE_TESTS),
    demand(f"{GATE}:judged_squares", "not extra", GATE_TESTS),
    demand(f"{GATE}:judged_squares", "type(tensor) is np.ndarray", GATE_TESTS),
    demand(f"{GATE}:judged_squares", "tensor.dtype == dtype", GATE_TESTS),
    demand(f"{GATE}:judged_squares", "tensor.shape == shape", GATE_TESTS),
    demand(f"{GATE}:judged_squares", "bool(np.isfinite(tensor).all())", GATE_TESTS),
    demand(f"{RULES}:judge_metrics", "len(metrics) <= MOST_FIELDS", GATE_TESTS),
    demand(f"{RULES}:judge_metrics", "name in metrics", GATE_TESTS),
    demand(f"{RULES}:judge_metrics", "is_name(name)", GATE_TESTS),
    demand(f"{RULES}:judge_metrics", "sound", GATE_TESTS),
    Guard(f"{RULES}:is_name", "len(name) <= LONGEST_NAME and ", "", GATE_TESTS),
    Guard(f"{RULES}:is_name", " and name.isprintable()", "", GATE_TESTS),
    Guard(f"{RULES}:is_count", "not isinstance(value, bool) and ", "", GATE_TESTS),
    Guard(f"{RULES}:is_count", "0 <= value <= LARGEST_COUNT", "True", GATE_TESTS),
    Guard(f"{GATE}:Gate.close", ", self._too_large)", ",)", LIAR_TESTS),
    Guard(f"{GATE}:Gate.close", "sorted(self.accepted)", "self.accepted", GATE_TESTS),
    always(
        f"{BOUNDS}:NormBounds.limit", "return self.ratio * max(known) if known else math.inf", "math.inf", LIAR_TESTS
    ),
    Guard(f"{BOUNDS}:largest_loss", "LARGEST_LOSS * ", "1e9 * ", BOUNDS_TESTS),
    Guard(f"{BOUNDS}:largest_loss", "min(max(pairs, SMALLEST_BATCH), LARGEST_BATCH)", "max(pairs, SMALLEST_BATCH)",
          BOUNDS_TESTS),
    Guard(f"{BOUNDS}:model_fault", "if not np.isfinite(tensor).all():", "if False:", BOUNDS_TESTS),
    Guard(f"{BOUNDS}:model_fault", "is_variance(name) and not", "False and not", BOUNDS_TESTS),
    Guard(f"{BOUNDS}:model_fault", "if step > limit > 0 else", "if False else", BOUNDS_TESTS),
    Guard(f"{SUMS}.total", "if fault:", "if False:", LIAR_TESTS),
    Guard("minmax.norm_clipping:ClipSettings.factors", "longest / norm", "1.0", "minmax/test_norm_clipping.py"),
    Guard(f"{SUMS}._moved", "is_learned(name, tensor)", "False", CLIP_TESTS),
    Guard(f"{SUMS}._moved", "if is_learned(name, tensor)", "if True", CLIP_TESTS),
    Guard(f"{MESSAGES}:read", "if dxo is None:", "if False:", MESSAGES_TESTS),
    Guard(f"{MESSAGES}:read", "dxo.data_kind != kind or ", "", MESSAGES_TESTS),
    Guard(f"{MESSAGES}:read", "if len(dxo.meta) > MOST_FIELDS:", "if False:", MESSAGES_TESTS),
    Guard(f"{MESSAGES}:report_from_shareable", "if len(dxo.data) > 1:", "if False:", MESSAGES_TESTS),
    Guard(f"{MESSAGES}:result_from_shareable", "if len(text) > LONGEST_RESULT:", "if False:", MESSAGES_TESTS),
    Guard(f"{MESSAGES}:require_plain", "type(array) is not np.ndarray or ", "", MESSAGES_TESTS),
    Guard(f"{MESSAGES}:require_plain", ' or array.dtype.kind not in "fiub"', "", MESSAGES_TESTS),
    Guard(f"{FIELDS}:part", "not isinstance(value, kind) or ", "", MESSAGES_TESTS),
    Guard(f"{FIELDS}:part", " or isinstance(value, bool)", "", MESSAGES_TESTS),
    Guard(f"{FIELDS}:stamp_of", "if not is_run_name(name):", "if False:", MESSAGES_TESTS),
    Guard(f"{PLAIN}:checked", "if found is None:", "if True:", PLAIN_TESTS),
    Guard(f"{PLAIN}:faults", "if depth > DEEPEST:", "if False:", PLAIN_TESTS),
    Guard(f"{PLAIN}:faults", "if type(key) is not str:", "if False:", PLAIN_TESTS),
    Guard(f"{PLAIN}:faults", "if value.dtype.kind not in NUMBERS:", "if False:", PLAIN_TESTS),
    Guard(f"{PLAIN}:faults", "value is not None and type(value) not in PLAIN", "False", PLAIN_TESTS),
    Guard(f"{PLAIN}:check_filtered", "if reply is not answer:", "if False:", PLAIN_TESTS),
    demand(f"{BALLOT}:Ballot.take", "site in self.sites and site not in self.answers", BALLOT_TESTS),
    demand(f"{BALLOT}:Ballot._sound", "message.round_number == self._round_number", BALLOT_TESTS),
    demand(f"{BALLOT}:Ballot._sound", '"valid" in message.splits and set(message.splits) <= set(SPLITS)', BALLOT_TESTS),
    demand(f"{BALLOT}:judge_result", "depth <= DEEPEST", SUITE_TESTS),
    demand(f"{BALLOT}:judge_result", "-LARGEST <= value <= LARGEST", SUITE_TESTS),
)  # fmt: skip
