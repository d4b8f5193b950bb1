"""The checks of a run: its site weights, its files, its ledger, its lock and its settings."""

from __future__ import annotations

from tests.chaos.guards.guard import Guard

DUAL, DUAL_TESTS = "minmax.dual_step", "minmax/test_dual_step.py"
WEIGHTS_TESTS, KEPT_TESTS = "minmax/test_site_weights.py", "minmax/test_kept_steps.py"
SEALED, SEALED_TESTS = "sealed_folder", "test_sealed_folder.py"
STORE = "flare.server.run_store:RunStore"
DAMAGED, ALL_DAMAGED, NOT_TAKEN, RESULTS, PRUNED, OTHER_NAME, OTHER_STATE, COPIES = (
    f"flare/server/test_run_store.py::test_{name}"
    for name in (
        "a_flipped_bit_or_a_cut_anywhere_means_the_generation_before_and_says_so",
        "a_store_with_damaged_generations_only_is_an_error_and_never_a_new_start",
        "a_generation_that_the_disk_did_not_take_is_an_error_and_removes_nothing",
        "results_are_kept_whole_or_not_at_all",
        "a_damaged_generation_does_not_push_a_whole_one_out",
        "a_whole_folder_under_the_name_of_another_round_is_skipped",
        "a_sealed_state_of_another_form_is_skipped",
        "copies_beside_the_rounds_are_ignored_and_stay",
    )
)
AGAIN = "flare/test_continued_federation.py::test_a_phase_that_is_tried_again_has_the_bits_of_the_first_try"
KEPT_ROUNDS = "flare.site.kept_rounds:KeptRounds"
CHAIN, CHAIN_TESTS = "flare.store.hash_chain", "flare/store/test_hash_chain.py"
LEDGER_TESTS = "flare/server/test_ledger.py::test_changes_after_the_run_are_found"
IDENTITY, IDENTITY_TESTS = "flare.store.run_identity", "flare/store/test_run_identity.py"
LOCK, LOCK_TESTS = "flare.store.run_lock", "flare/store/test_run_lock.py"
RESUME_TESTS = (
    "flare/server/test_resume.py::test_another_setting_is_refused_by_its_path_and_what_changes_no_bit_may_differ"
)

BROKEN = "flare/server/test_resume.py::test_a_damaged_ledger_is_continued_and_the_results_say_so"
UNKNOWN_SITE = "flare/server/test_resume.py::test_a_withdrawn_site_that_nobody_knows_is_refused"
BACK = "flare/server/test_resume.py::test_a_withdrawn_site_that_is_back_takes_part_and_is_not_called_absent"
OF_ANOTHER, UNREMOVED = (
    f"flare/server/test_run_store.py::test_{name}"
    for name in (
        "results_are_those_of_the_newest_whole_generation_or_none",
        "an_old_round_that_cannot_be_removed_does_not_stop_the_run",
    )
)
CHANGED = "flare/server/test_resume.py::test_a_site_with_other_data_in_a_later_job_is_named"

FORMER_RUN = (
    "flare/site/test_kept_rounds.py::test_what_a_former_run_of_the_same_name_kept_is_neither_used_nor_in_the_way"
)

LEDGER_CHECK = "admin.results.ledger_check"
CLIP_FAULTS = "flare/server/test_clipped_updates.py::test_other_factors_than_those_of_the_rule_are_found"
READERS = "chaos/test_short_form.py::test_no_damaged_file_is_read_silently"

RUN_GUARDS = (
    Guard(f"{DUAL}:dual_step", "projected = project_to_ball(stepped, radius=", "projected, _ = (stepped, ", DUAL_TESTS),
    Guard(f"{DUAL}:dual_step", "raise_to_floor(projected, floor=min(floor / held, 1 / len(present)))", "projected",
          DUAL_TESTS),
    Guard(f"{DUAL}:dual_step", "math.isfinite(losses.get(site, math.nan))", "site in losses", DUAL_TESTS),
    Guard(f"{DUAL}:multiplicative_step", "np.clip(step_size * (losses - losses.max()), -LARGEST_STEP, 0.0)",
          "step_size * losses", DUAL_TESTS),
    Guard("minmax.site_weights:SiteWeights._dual_step", "mended or ", "", KEPT_TESTS),
    Guard("minmax.site_weights:SiteWeights._dual_step", "if len(driving) > 1:", "if driving:", KEPT_TESTS),
    Guard("minmax.site_weights:SiteWeights._dual_step", "if math.isfinite(value)", "", WEIGHTS_TESTS),
    Guard("minmax.kept_steps:KeptSteps._found", "if had:", "if had and had[-1] == len(self._steps) - 1:", KEPT_TESTS),
    Guard("minmax.kept_steps:KeptSteps.add", "[-KEPT:]", "", KEPT_TESTS),
    Guard("minmax.outliers:outliers", "table[worst] = max(", "max(", KEPT_TESTS),
    Guard("minmax.outliers:beyond_margin", " or max(known) - min(known) <= MARGIN", "", "minmax/test_outliers.py"),
    Guard("minmax.outliers:beyond_margin", "for sign in (1, -1)", "for sign in (1,)", WEIGHTS_TESTS),
    Guard("minmax.outliers:beyond_margin", "min(min(sign * change for change in changes), sign * height - usual)",
          "sign * height - usual", "minmax/test_outliers.py"),
    Guard("minmax.outliers:beyond_margin", " if len(near) > 1 else abs(heights[0])", "", WEIGHTS_TESTS),
    Guard("minmax.outliers:common_change", "if len(changes) >= ENOUGH else 0.0", "* 0.0", KEPT_TESTS),
    Guard(f"{SEALED}:damage", "if description(folder / name) != about", "if False", SEALED_TESTS),
    Guard(f"{SEALED}:manifest_of", "if canonical(known) != text:", "if False:", SEALED_TESTS),
    Guard(f"{SEALED}:manifest_of", "if not isinstance(known, dict) or not known:", "if False:", SEALED_TESTS),
    Guard(f"{SEALED}:require_whole", "damage(folder) if is_sealed(folder) else", "", SEALED_TESTS),
    Guard(f"{SEALED}:lost_manifest", "named or ", "", SEALED_TESTS),
    Guard(f"{SEALED}:lost_manifest", "(folder / RUN).exists() or ", "", SEALED_TESTS),
    Guard(f"{SEALED}:copy_sealed", " != wanted:", " is None:", SEALED_TESTS),
    Guard(f"{STORE}.newest", "found = damage(folder)", 'found = ""', DAMAGED),
    Guard(f"{STORE}.newest", " or mismatch(folder)", "", OTHER_NAME),
    Guard("flare.store.generation:mismatch", 'len(state.get("history", ())) in (0, number)', "True", OTHER_STATE),
    Guard("flare.store.generation:generations_in", "NAME.fullmatch(path.name)", "True", COPIES),
    Guard(f"{STORE}.newest", "if self._newest is None and self.skipped:", "if False:", ALL_DAMAGED),
    Guard(f"{STORE}.commit", "found = damage(final)", 'found = ""', NOT_TAKEN),
    Guard(f"{STORE}.results", " and not damage(folder)", "", RESULTS),
    Guard(f"{STORE}.results", "if found and measured", "if found", OF_ANOTHER),
    Guard(f"{STORE}._prune", "except OSError", "except KeyError", UNREMOVED),
    Guard("flare.server.durable_run:DurableScatterAndGather.check_sites", "left - {*sites}", "left", BACK),
    Guard(f"{STORE}._prune", " if folder.name not in self.skipped", "", PRUNED),
    Guard(f"{CHAIN}:unlinked", "if parsed(line).get(PREVIOUS) != hashes[number - 1]", "if False", CHAIN_TESTS),
    Guard(f"{CHAIN}:broken_links", "if head is not None and hashes", "if False and hashes", CHAIN_TESTS),
    Guard(f"{CHAIN}:broken_links", "if file.exists() and not", "if False and not", CHAIN_TESTS),
    Guard(f"{CHAIN}:HashChain._write", "os.ftruncate(handle, self._end)", "pass", CHAIN_TESTS),
    Guard(f"{CHAIN}:HashChain.__init__", "if named and hashes_of", "if False and hashes_of", CHAIN_TESTS),
    Guard(f"{CHAIN}:named_head", "digest(number.encode()) != check", "not text", CHAIN_TESTS),
    Guard("flare.site.site_state:SiteState.rewind", "message.round_number > self._trained", "True", AGAIN),
    Guard("flare.wire.uplink:UpdateEncoder._residual", 'found.description["of"] == phase', "False", AGAIN),
    Guard("flare.server.durable_run:DurableScatterAndGather._open_ledger", "in chain.broken:", "in ():", BROKEN),
    Guard("flare.store.run_ledger:RunLedger.__init__", " if isinstance(number, int)", "", BROKEN),
    Guard("flare.server.run_record:RunRecord.changed_pairs", "self.pairs.get(site, now) != now", "False", CHANGED),
    Guard(f"{IDENTITY}:require_same_settings", "require(not lines,", "require(True,", RESUME_TESTS),
    Guard(f"{IDENTITY}:require_known_sites", "site in known", "True", UNKNOWN_SITE),
    Guard(f"{IDENTITY}:require_same_sites", "if missing:", "if False:", IDENTITY_TESTS),
    Guard(f"{IDENTITY}:require_same_sites", "require(not new,", "require(True,", IDENTITY_TESTS),
    Guard(f"{LOCK}:RunLock.__init__", "if alive:", "if False:", LOCK_TESTS),
    Guard(f"{LOCK}:is_alive", 'holder.get("boot") == boot_id() and ', "", LOCK_TESTS),
    Guard(f"{LOCK}:is_alive", 'start_of(pid) == holder.get("started", "")', "True", LOCK_TESTS),
    Guard(f"{KEPT_ROUNDS}._newest_before", " and not damage(folder)", "", "flare/site/test_kept_rounds.py"),
    Guard(f"{KEPT_ROUNDS}._newest_before", 'description.pop(BEGAN, "") == run.began', "True", FORMER_RUN),
    Guard("flare.site.kept_rounds:KeptRounds._write", " if number <= round_number", "", FORMER_RUN),
    Guard("flare.site.kept_rounds:is_lost", "trained > (found.round_number if found else -1)", "False",
          "flare/site/test_kept_rounds.py"),
    Guard("models.saved_model:load_model", "require_whole(folder)", "pass", READERS),
    Guard("admin.results.run_results:read_results", "require_whole(store)", "pass",
          READERS),
    Guard("admin.jobs.evaluated_model:saved_configuration", "require_whole(model)", "pass",
          READERS),
    Guard(f"{LEDGER_CHECK}:clip_faults", "if commit.get(CLIPPED, {}) != entry.get(CLIPPED, {}):", "if False:",
          CLIP_FAULTS),
    Guard(f"{LEDGER_CHECK}:clip_faults", "!= chosen.factors(norms.get(phase, {}))", "is None", CLIP_FAULTS),
    Guard(f"{LEDGER_CHECK}:result_faults", 'if last.get("sha256") != sha256(folder / WEIGHTS):', "if False:",
          LEDGER_TESTS),
)  # fmt: skip
