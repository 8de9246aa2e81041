from __future__ import annotations

import subprocess
import sys

import pytest

from training.__main__ import main

INTERRUPT = "os.kill(os.getpid(), signal.SIGINT)"
PROGRAM = f"""
import os, signal
from training.interrupt import end_at_interrupt, raise_at_interrupt
signal.signal(signal.SIGINT, signal.default_int_handler)  # which jobs in the background lack
end_at_interrupt()
try:
    {{}}
    {INTERRUPT}
except KeyboardInterrupt:
    print("raised")
"""


def run(*lines: str) -> subprocess.CompletedProcess[str]:
    program = PROGRAM.format("; ".join(lines) or "pass")
    command = [sys.executable, "-c", program]
    return subprocess.run(command, check=False, capture_output=True, text=True)


def test_while_modules_are_imported_an_interrupt_ends_in_a_sentence() -> None:
    ended = run()

    assert ended.returncode == 130
    assert ended.stderr == "\npython -m training: interrupted before it began.\n"


def test_once_there_is_something_to_tidy_up_it_is_an_exception() -> None:
    assert run("raise_at_interrupt()").stdout == "raised\n"


def test_where_interrupts_are_ignored_they_stay_ignored() -> None:
    ignoring = "signal.signal(signal.SIGINT, signal.SIG_IGN); end_at_interrupt()"

    assert (
        run("raise_at_interrupt()", ignoring, INTERRUPT, "print('went on')").stdout == "went on\n"
    )


@pytest.mark.parametrize(
    ("command", "advice"),
    [
        ("train --data x", "run it again, with --resume if it has begun to train"),
        ("predict x", "run it again"),
    ],
)
def test_an_interrupted_command_says_what_to_do(
    command: str,
    advice: str,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    def interrupt(_: object) -> None:
        raise KeyboardInterrupt

    name, *_ = command.split()
    monkeypatch.setitem(main.__globals__["_COMMANDS"], name, interrupt)

    with pytest.raises(SystemExit) as end:
        main(command.split())

    assert end.value.code == 130
    assert capsys.readouterr().err == f"\npython -m training {name}: interrupted; {advice}.\n"
