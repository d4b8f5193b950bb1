"""The checks of what lies on disk or comes in blocks: the ledger's replay, site weights, arrays, the start model."""

from __future__ import annotations

from tests.chaos.guards.answer_guards import demand
from tests.chaos.guards.guard import Guard

ROUNDS, ROUNDS_TESTS = "admin.results.ledger_rounds:LedgerRounds", "admin/results/test_ledger_rounds.py"
WEIGHTS, WEIGHTS_TESTS = "admin.results.weight_bounds:weight_faults", "admin/results/test_weight_bounds.py"
START, START_TESTS = "flare.store.start_model", "flare/store/test_start_model.py"
BLOCKS, BLOCKS_TESTS = "flare.transport.array_blocks:unpacked", "flare/transport/test_array_blocks.py"
RECEIVED, RECEIVED_TESTS = "flare.transport.received_arrays:Assembly", "flare/transport/test_received_arrays.py"
FILTERED, FILTERED_TESTS = "flare.wire.filtered_answer", "flare/wire/test_filtered_answer.py"
WATCH, WATCH_TESTS = "flare.transport.gone_controller:ControllerWatch.notice", "flare/transport/test_gone_controller.py"

CHECKER_GUARDS = (
    demand(f"{ROUNDS}._start", 'line["attempt"] >= self._attempt', ROUNDS_TESTS),
    demand(f"{ROUNDS}._start", "after <= last", ROUNDS_TESTS),
    demand(f"{ROUNDS}._start", "explained", ROUNDS_TESTS),
    demand(f"{ROUNDS}._open", '{*line["sites"]} <= self._asked - self._accepted', ROUNDS_TESTS),
    demand(f"{ROUNDS}._accept", "gate_of(line) == self._gate", ROUNDS_TESTS),
    demand(f"{ROUNDS}._accept", 'line["site"] in self._asked', ROUNDS_TESTS),
    demand(f"{ROUNDS}._accept", 'line["site"] not in self._accepted', ROUNDS_TESTS),
    demand(f"{ROUNDS}._withdraw", 'gate_of(line) == self._gate and line["site"] in self._accepted', ROUNDS_TESTS),
    demand(f"{ROUNDS}._close", "gate_of(line) == self._gate", ROUNDS_TESTS),
    demand(f"{ROUNDS}._close", "same", ROUNDS_TESTS),
    demand(f"{ROUNDS}._commit", "number == last + 1", ROUNDS_TESTS),
    demand(f"{ROUNDS}._commit", "self._gate is None", ROUNDS_TESTS),
    demand(f"{ROUNDS}._commit", "bool(closed)", ROUNDS_TESTS),
    demand(f"{ROUNDS}._commit", "not unknown", ROUNDS_TESTS),
    demand(f"{ROUNDS}._commit", 'len(line["inputs"]) >= self._least', ROUNDS_TESTS),
    demand(f"{ROUNDS}._best", 'line["sha256"] == former["sha256"]', ROUNDS_TESTS),
    Guard(WEIGHTS, "abs(math.fsum(values) - 1) > ROUNDING", "False", WEIGHTS_TESTS),
    Guard(WEIGHTS, "if math.dist(values, [1 / sites] * sites) >", "if math.inf <", WEIGHTS_TESTS),
    Guard(WEIGHTS, "if max(values) >", "if math.inf <", WEIGHTS_TESTS),
    Guard(WEIGHTS, "if min(values) <", "if math.inf <", WEIGHTS_TESTS),
    demand(f"{START}:taken", '".lora_" in name', START_TESTS),
    demand(f"{START}:taken", "not extra", START_TESTS),
    demand(f"{START}:fitting", "tensor.shape == shape", START_TESTS),
    demand(f"{START}:fitting", "tensor.dtype == dtype", START_TESTS),
    demand(f"{START}:fitting", "bool(np.isfinite(tensor).all())", START_TESTS),
    Guard(f"{START}:start_tensors", "require(found.startswith(start.sha256),", "require(True,", START_TESTS),
    Guard(BLOCKS, 'not re.fullmatch(f"[<>|][{NUMBERS}][0-9]+", dtype)', "False", BLOCKS_TESTS),
    Guard(BLOCKS, "type(length) is int and length >= 0", "True", BLOCKS_TESTS),
    Guard(BLOCKS, "offset + len(block.data) > nbytes(block) or ", "", BLOCKS_TESTS),
    Guard(BLOCKS, " or (len(block.data) == 0) != (nbytes(block) == 0)", "", BLOCKS_TESTS),
    Guard(f"{RECEIVED}._add", "if not follows:", "if False:", RECEIVED_TESTS),
    Guard(f"{RECEIVED}._add", "block.offset == 0 and ", "", RECEIVED_TESTS),
    Guard(f"{RECEIVED}._add", " and block.name not in self._names", "", RECEIVED_TESTS),
    Guard(f"{RECEIVED}._add", "block[:3] == last[:3] and ", "", RECEIVED_TESTS),
    Guard(f"{RECEIVED}._add", " and block.offset == last.offset + len(last.data)", "", RECEIVED_TESTS),
    Guard(f"{RECEIVED}.arrays", "if self._open is not None:", "if False:", RECEIVED_TESTS),
    Guard(f"{FILTERED}:judge_names", "if extra:", "if False:", FILTERED_TESTS),
    Guard(f"{FILTERED}:judge_names", "if form.tensors and not data:", "if False:", FILTERED_TESTS),
    Guard(f"{FILTERED}:judge_names", "if missing:", "if False:", FILTERED_TESTS),
    Guard(f"{FILTERED}:fitted", "if array.dtype.kind not in NUMBERS:", "if False:", FILTERED_TESTS),
    Guard(f"{FILTERED}:fitted", "if array.shape != shape:", "if False:", FILTERED_TESTS),
    Guard(f"{FILTERED}:fitted", " and not np.isfinite(cast).all()", " and False", FILTERED_TESTS),
    Guard(f"{FILTERED}:fitted", "not np.array_equal(cast, array)", "False", FILTERED_TESTS),
    Guard(f"{FILTERED}:is_number", "type(value) in (int, float)", "isinstance(value, int)", FILTERED_TESTS),
    Guard(WATCH, "receiver != self._controller or ", "", WATCH_TESTS),
    Guard(WATCH, " or error.get_header(MessageHeaderKey.ORIGIN) != FQCN.ROOT_SERVER", "", WATCH_TESTS),
    Guard(WATCH, "if now - self._last > APART:", "if False:", WATCH_TESTS),
    Guard(WATCH, "now - self._first >= GONE and ", "", WATCH_TESTS),
)
