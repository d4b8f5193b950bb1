"""The checks of the commands that follow a job: which job counts, what costs an attempt, and when a job is dead."""

from __future__ import annotations

from tests.chaos.guards.guard import Guard

FOLLOW_TESTS = "admin/session/test_run_jobs.py::test_the_job_to_follow"
FOUND_DEAD, LIVED = (
    f"admin/session/test_supervisor.py::test_{name}"
    for name in (
        "dead_jobs_of_before_hide_no_complete_run_and_cost_no_attempt",
        "a_dead_job_that_was_followed_while_it_lived_is_a_setback",
    )
)
WITHOUT_RESULTS, OURS = (
    f"admin/session/test_supervisor.py::test_{name}"
    for name in (
        "completed_without_results_is_not_followed_again",
        "an_order_to_end_a_job_whose_answer_is_lost_is_still_ours",
    )
)
WHOLE = "admin/session/test_supervisor.py::test_abnormal_with_whole_results_is_complete_with_a_warning"
SUPERVISOR = "admin.session.supervisor:Supervisor"

SUPERVISOR_GUARDS = (
    Guard("admin.session.run_jobs:job_to_follow", "done or alive", "alive or done", FOLLOW_TESTS),
    Guard("admin.session.run_jobs:job_to_follow", "if job in new and ", "if ", WITHOUT_RESULTS),
    Guard(f"{SUPERVISOR}._follow", "if segment.asked and", "if segment.ended and", OURS),
    Guard(f"{SUPERVISOR}.run", "if self._found_dead(end):", "if False:", FOUND_DEAD),
    Guard(f"{SUPERVISOR}._recover", " and not self._found_dead(one)", "", FOUND_DEAD),
    Guard(f"{SUPERVISOR}._found_dead", "end.committed is None and ", "", LIVED),
    Guard("admin.session.ended_job:completes", "is_whole(folder, rounds=rounds)", "True", WHOLE),
    Guard(
        "admin.session.follow:JobWatch._require_process",
        "absent >= self.dead_after[restarted] and ",
        "",
        "admin/session/test_supervisor.py::test_running_without_a_process_is_dead_but_not_at_the_first_look",
    ),
    Guard(
        "admin.session.job_process:server_restarted",
        "return job_id not in",
        "job_id not in",
        "admin/federation/kits/test_server_watch.py::"
        "test_a_job_is_of_a_former_process_of_the_server_whatever_the_wall_clock_says",
    ),
    Guard(
        "admin.session.late_connections:close_until",
        "driver.close_all()",
        "pass",
        "admin/session/test_late_connections.py",
    ),
)
