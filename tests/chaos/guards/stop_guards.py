"""The checks of a stop: an error of the disk and what sites missed reach the operator; FLARE's copies cost nothing."""

from __future__ import annotations

from tests.chaos.guards.guard import Guard

IN_ROUND, AT_START, OWN_COPY = (
    f"flare/server/test_stopped_job.py::test_{name}"
    for name in (
        "a_disk_that_fails_in_a_round_is_noted_with_code_and_remedy_and_the_next_job_goes_on",
        "a_disk_that_fails_at_the_start_is_noted",
        "flares_own_copy_costs_no_round_and_an_old_one_does_not_stay",
    )
)
MISSED_TESTS = (
    "flare/server/test_stopped_job.py::test_what_sites_missed_in_a_round_that_stopped_is_in_the_results_of_the_next_job"
)
ABSENCES, ABSENCES_TESTS = "flare.store.stopped_round:kept_absences", "flare/store/test_stopped_round.py"
CONTROLLER, PERSISTOR = "flare.server.gated_scatter_gather:GatedScatterAndGather", "flare.server.persistor:RunPersistor"
UPDATE = "flare.server.update_store:StoredTensor.__getitem__"

STOP_GUARDS = (
    Guard(f"{CONTROLLER}.system_panic", "isinstance(error, MENDABLE)", "False", IN_ROUND),
    Guard(f"{CONTROLLER}.with_remedy", "not isinstance(error, OSError) or ", "True or ", IN_ROUND),
    Guard(f"{CONTROLLER}.start_controller", "(InputError, OSError)", "InputError", AT_START),
    Guard(UPDATE, "except SafetensorError", "except KeyError", IN_ROUND),
    Guard(f"{PERSISTOR}.save_model_file", "(OSError, RuntimeError)", "KeyError", OWN_COPY),
    Guard(f"{PERSISTOR}.save_model_file", "file.unlink(missing_ok=True)", "pass", OWN_COPY),
    Guard(
        "flare.server.durable_run:DurableScatterAndGather.stop", "if self._started and", "if False and", MISSED_TESTS
    ),
    Guard(ABSENCES, " or damage(folder)", "", ABSENCES_TESTS),
    Guard(ABSENCES, 'found["round"] >= committed', "True", ABSENCES_TESTS),
    Guard(
        "flare.answers.asking_scatter_gather:AskingScatterAndGather.settle",
        "if len(accepted) < self._min_clients:",
        "if False:",
        "flare/answers/test_missing_sites.py::test_below_quorum_after_a_second_try_the_run_stops_and_says_how_to_go_on",
    ),
    Guard(
        "flare.server.durable_run:DurableScatterAndGather.check_sites",
        'require(ok, "num_rounds"',
        'require(True, "num_rounds"',
        "flare/server/test_stopped_job.py::test_another_setting_is_lasting_and_a_site_that_is_away_is_not",
    ),
    Guard(
        "flare.software.site_software:SiteSoftware.has_other_code",
        "self.sites[site][CODE] != self.server[CODE]",
        "False",
        "flare/software/test_site_software.py",
    ),
    Guard(
        "flare.store.run_folder:require_lasting",
        "require(lasting,",
        "require(True,",
        "flare/store/test_run_folder.py",
    ),
)
