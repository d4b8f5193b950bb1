"""The checks of the server's disk: an error in a round reaches the operator, and FLARE's own copies cost nothing."""

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
CONTROLLER, PERSISTOR = "flare.server.gated_scatter_gather:GatedScatterAndGather", "flare.server.persistor:RunPersistor"
UPDATE = "flare.server.update_store:StoredTensor.__getitem__"

DISK_GUARDS = (
    Guard(f"{CONTROLLER}.system_panic", "isinstance(error, MENDABLE)", "False", IN_ROUND),
    Guard(f"{CONTROLLER}.with_remedy", "not isinstance(error, OSError) or ", "True or ", IN_ROUND),
    Guard(f"{CONTROLLER}.start_controller", "(InputError, OSError)", "InputError", AT_START),
    Guard(UPDATE, "except SafetensorError", "except KeyError", IN_ROUND),
    Guard(f"{PERSISTOR}.save_model_file", "(OSError, RuntimeError)", "KeyError", OWN_COPY),
    Guard(f"{PERSISTOR}.save_model_file", "file.unlink(missing_ok=True)", "pass", OWN_COPY),
)
