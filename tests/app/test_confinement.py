from __future__ import annotations

import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import psutil
import pytest

from app.confinement import EndedError, Order, decode_confined
from app.cores import usable_cores
from tests.app.pictures import BLUE, RED, picture
from tests.app.runs import bmp_with_runs

ROOT = Path(__file__).parents[2]
ORDER = Order((8, 8), 64_000_000, 60)
ENDLESS = bmp_with_runs(64_000_000, 1, b"\x01\x01\x00\x00")
"""The end of its only row is 64 million pixels away, which Pillow fills in one at a time."""


@pytest.fixture(autouse=True)
def no_processes_of_other_tests() -> None:
    for process in decoders():
        process.kill()
        process.wait()


def decoders() -> list[psutil.Process]:
    children = psutil.Process().children()
    return [child for child in children if "app.decoder" in child.cmdline()]


def test_a_picture_is_described() -> None:
    told, pixels = decode_confined(picture(RED, file_format="TIFF"), ORDER)

    assert told == {"width": 64, "height": 48, "format": "TIFF"}
    assert pixels == bytes(RED) * 64


def test_a_fault_is_told() -> None:
    told, pixels = decode_confined(b"II*\x00", ORDER)

    assert told["error"] == "UnsupportedImageError"
    assert "send one of JPEG" in told["detail"]
    assert pixels == b""


def test_a_process_decodes_one_picture_after_another() -> None:
    decode_confined(picture(RED), ORDER)
    (before,) = decoders()
    decode_confined(b"no picture", ORDER)
    told, _ = decode_confined(picture(BLUE), ORDER)

    assert told["format"] == "JPEG"
    assert decoders() == [before]


def test_a_process_has_one_thread_whatever_the_cores() -> None:
    decode_confined(picture(RED), ORDER)

    (decoder,) = decoders()
    assert decoder.num_threads() == 1


def test_the_alarm_ends_a_process_and_the_next_takes_its_place() -> None:
    with pytest.raises(EndedError) as fault:
        decode_confined(ENDLESS, ORDER._replace(max_seconds=0.2))

    assert fault.value.overdue
    assert decoders() == []
    assert decode_confined(picture(), ORDER).told["format"] == "JPEG"


def test_a_process_that_fails_is_not_taken_for_a_slow_one() -> None:
    with pytest.raises(EndedError) as fault:
        decode_confined(picture(), ORDER._replace(size=()))

    assert not fault.value.overdue
    assert decode_confined(picture(), ORDER).told["format"] == "JPEG"


def test_a_process_that_was_killed_is_replaced() -> None:
    decode_confined(picture(), ORDER)
    (process,) = decoders()
    process.kill()
    psutil.wait_procs([process])

    assert decode_confined(picture(), ORDER).told["format"] == "JPEG"


def test_one_that_does_not_heed_its_alarm_is_ended(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("app.confinement._GRACE_SECONDS", 0.2)

    with pytest.raises(EndedError) as fault:
        decode_confined(ENDLESS, ORDER._replace(max_seconds=0))  # 0 sets no alarm

    assert fault.value.overdue
    assert decoders() == []


def test_one_that_does_not_start_is_no_fault_of_the_picture(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("app.subprocesses.sys.executable", "/bin/false")

    with pytest.raises(RuntimeError, match="does not start"):
        decode_confined(picture(), ORDER)


def test_there_are_no_more_of_them_than_cores() -> None:
    with ThreadPoolExecutor(4 * usable_cores()) as pool:
        answers = list(pool.map(decode_confined, [picture()] * 40, [ORDER] * 40))

    assert {answer.told["format"] for answer in answers} == {"JPEG"}
    assert 1 <= len(decoders()) <= usable_cores()


def test_they_are_told_no_secrets(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ALEXNET_API_KEYS", "a secret")
    monkeypatch.setenv("ELSE", "a variable")
    decode_confined(picture(), ORDER)
    (process,) = decoders()

    assert process.environ()["ELSE"] == "a variable"
    assert "ALEXNET_API_KEYS" not in process.environ()


@pytest.mark.parametrize("end", ["", "os.kill(os.getpid(), 9)"])
def test_they_end_with_the_service(end: str) -> None:
    code = f"""
import os, sys, psutil
from app.confinement import Order, decode_confined
decode_confined(sys.stdin.buffer.read(), Order((8, 8), 64_000_000, 60))
print(psutil.Process().children()[0].pid, flush=True)
{end}
"""
    finished = subprocess.run(
        [sys.executable, "-c", code], input=picture(), stdout=subprocess.PIPE, cwd=ROOT, check=False
    )
    try:
        process = psutil.Process(int(finished.stdout))
    except psutil.NoSuchProcess:
        return
    _, alive = psutil.wait_procs([process], timeout=60)

    assert alive == []


def test_they_are_started_from_any_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)

    assert decode_confined(picture(), ORDER).told["format"] == "JPEG"
    assert list(tmp_path.iterdir()) == []
