from __future__ import annotations

from pathlib import Path

from hardening.state import alarms

LOG = """\
INFO:     ready: red-or-blue 1.2.3 on Fake (cpu)
WARNING:  Invalid HTTP request received.
ERROR     The worker 7 ended (SIGKILL); another one takes its place.
ERROR     The worker 8 ended (SIGKILL); another one takes its place.
ERROR:    Exception in ASGI application
"""


def test_log_is_searched_for_errors(tmp_path: Path) -> None:
    log = tmp_path / "log"
    log.write_text(LOG)

    assert alarms(log) == LOG.splitlines()[2:]
    assert alarms(log, ["worker 7 ended"]) == LOG.splitlines()[3:]
    assert alarms(log, ["ended", "worker 8 ended"]) == LOG.splitlines()[4:]
    assert alarms(log, ["worker 8"] * 2) == [LOG.splitlines()[2], LOG.splitlines()[4]]
