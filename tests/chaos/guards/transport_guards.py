"""The checks in front of FLARE's own handlers: requests, return codes and answers that would end the job."""

from __future__ import annotations

from tests.chaos.guards.guard import Guard

REQUESTS, REQUESTS_TESTS = "flare.transport.site_requests", "flare/transport/test_site_requests.py"
UNREADABLE, UNREADABLE_TESTS = "flare.transport.unreadable_answers", "flare/transport/test_unreadable_answers.py"
SET_UP = "flare.server.persistor:set_up_process"
SET_UP_TESTS = "flare/server/test_persistor.py::test_what_a_site_sends_is_guarded_from_the_start_of_a_run"
EXCHANGE, EXCHANGE_TESTS = (
    "flare.transport.array_exchange",
    "flare/transport/test_array_exchange.py::test_no_return_code_of_one_site_ends_the_job",
)
ANSWERS, MISSING_TESTS = (
    "flare.answers.asking_scatter_gather:AskingScatterAndGather",
    "flare/answers/test_missing_sites.py",
)
ATTENDANCE, ATTENDANCE_TESTS = "flare.answers.attendance:Attendance", "flare/answers/test_attendance.py"

TRANSPORT_GUARDS = (
    Guard(f"{REQUESTS}:SiteRequests.execute", "if name in ", "if True or name in ", REQUESTS_TESTS),
    Guard(f"{REQUESTS}:SiteRequests.communicate", "!= FED_EVENT_TOPIC", "!= None", REQUESTS_TESTS),
    Guard(f"{REQUESTS}:SiteRequests._refusal", " and len(noted) < MOST_NOTES", "", REQUESTS_TESTS),
    Guard(f"{REQUESTS}:SiteRequests._refusal", "self._noted.setdefault(site, set())",
          "self._noted.setdefault('', set())", REQUESTS_TESTS),
    Guard(f"{REQUESTS}:is_of_server", "bool(FqcnInfo(origin).is_on_server)", "True", REQUESTS_TESTS),
    Guard(f"{REQUESTS}:shortened", "[:LONGEST_NAME]", "", REQUESTS_TESTS),
    Guard(f"{REQUESTS}:shortened", "if text.isprintable()", "if True", REQUESTS_TESTS),
    Guard(SET_UP, "refuse_site_requests(engine)", "pass", SET_UP_TESTS),
    Guard(SET_UP, "refuse_unreadable_answers(engine)", "pass", SET_UP_TESTS),
    Guard(SET_UP, "receive_on_disk(app)", "pass", SET_UP_TESTS),
    Guard(SET_UP, "keep_steady()", "pass", SET_UP_TESTS),
    Guard("flare.transport.steady_clock:keep_steady", "module.time = steady", "pass",
          "flare/transport/test_steady_clock.py"),
    Guard(f"{EXCHANGE}:receive_on_disk", "ServerRunner.ABORT_RETURN_CODES = []", "pass", EXCHANGE_TESTS),
    Guard(f"{UNREADABLE}:refuse_unreadable_answers", "flares_cell._is_server_job_cell = lambda info: False", "pass",
          UNREADABLE_TESTS),
    Guard(f"{ANSWERS}._usable", "return False", "raise", MISSING_TESTS),
    Guard(f"{ATTENDANCE}.begin", "self._due - self._silent", "self._due", ATTENDANCE_TESTS),
    Guard(f"{ATTENDANCE}.asks", " and site not in self._returned", "", ATTENDANCE_TESTS),
)  # fmt: skip
