"""Every command of the README, run in a checkout as it is, but for the installing."""

from __future__ import annotations

import json
import os
import re
import shlex
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.app.pictures import picture
from tests.training.pictures import DOG, write_competition, write_zip

ROOT = Path(__file__).parents[1]
README = (ROOT / "README.md").read_text(encoding="utf-8")
# What `make test` tells the makes below it would override what these tests say.
OF_MAKE = {"ARGS", "MAKEFLAGS", "MAKELEVEL", "MFLAGS"}
ENVIRONMENT = {name: value for name, value in os.environ.items() if name not in OF_MAKE}
TINY = "--width 0.03125 --epochs 1 --batch-size 8"


def blocks(language: str, section: str) -> list[str]:
    """Return the code blocks of a section."""
    text = README.split(f"\n## {section}\n")[1].split("\n## ")[0]
    return re.findall(rf"^```{language}\n(.*?)^```", text, re.MULTILINE | re.DOTALL)


def commands(section: str) -> list[str]:
    return [line for block in blocks("sh", section) for line in block.splitlines()]


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """Return a folder like the repository's, whose environments are the one of this test."""
    for name in ("Makefile", "app", "requirements", "training"):
        (tmp_path / name).symlink_to(ROOT / name)
    for environment, stamp in ((".venv", "serve.stamp"), (".venv-train", "train.stamp")):
        python = tmp_path / environment / "bin" / "python"
        python.parent.mkdir(parents=True)
        python.write_text(f'#!/bin/sh\nexec "{sys.executable}" "$@"\n')
        python.chmod(0o755)
        (tmp_path / environment / stamp).touch()
    return tmp_path


def free_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return listener.getsockname()[1]


def run(command: str, folder: Path, **variables: str) -> str:
    """Run a shell command, and return what it printed."""
    finished = subprocess.run(
        ["sh", "-c", command],
        cwd=folder,
        env={**ENVIRONMENT, **variables},
        stdout=subprocess.PIPE,
        check=True,
        text=True,
    )
    return finished.stdout


@pytest.fixture
def port(checkout: Path) -> Iterator[int]:
    """Run the README's command that serves, on a free port."""
    (checkout / "models").symlink_to(ROOT / "models")
    port = free_port()
    server = subprocess.Popen(
        shlex.split(commands("Serve")[0]),
        cwd=checkout,
        env={**ENVIRONMENT, "PORT": str(port)},
        start_new_session=True,
    )
    for _ in range(600):
        try:
            httpx.get(f"http://127.0.0.1:{port}/health/ready").raise_for_status()
            break
        except httpx.HTTPError:
            assert server.poll() is None, "the service ended"
            time.sleep(0.1)
    yield port
    os.killpg(server.pid, signal.SIGTERM)
    server.wait()


def shape(value: Any) -> Any:
    """Return names and types of a JSON value."""
    if isinstance(value, dict):
        return {name: shape(each) for name, each in value.items()}
    if isinstance(value, list):
        return [shape(each) for each in value]
    return "number" if isinstance(value, int | float) else type(value).__name__


def test_the_service_answers_as_shown(checkout: Path, port: int) -> None:
    (checkout / "photo.jpg").write_bytes(picture())
    _, curl = commands("Serve")

    answer = json.loads(run(curl.replace("8000", str(port)), checkout))

    (shown,) = (json.loads(block) for block in blocks("json", "Serve"))
    assert shape(answer) == shape(shown)
    assert {each["label"] for each in answer["predictions"]} == {
        each["label"] for each in shown["predictions"]
    }
    assert answer["model"] == shown["model"]


def test_the_client_is_answered_as_shown(checkout: Path, port: int) -> None:
    (checkout / "photo.jpg").write_bytes(picture())
    (program,) = blocks("python", "Serve")

    answer = subprocess.run(
        [sys.executable, "-c", program.replace("8000", str(port))],
        cwd=checkout,
        stdout=subprocess.PIPE,
        check=True,
        text=True,
    )

    assert answer.stdout in {"[b'cat']\n", "[b'dog']\n"}


def test_a_model_is_trained_evaluated_exported_and_used(checkout: Path) -> None:
    write_competition(checkout / "dogs-vs-cats.zip", 20)
    write_zip(checkout / "test1.zip", {"test1/1.jpg": DOG})

    for command in commands("Train"):
        run(command, checkout, ARGS=TINY)

    assert (checkout / "runs" / "evaluation" / "evaluation.json").is_file()
    assert (checkout / "models" / "dogs-vs-cats" / "model.json").is_file()
    assert (checkout / "runs" / "samples" / "augmented.png").is_file()
    assert re.fullmatch(r"id,label\n1,[01]\n", (checkout / "submission.csv").read_text())


def test_the_command_that_tests_runs_these_tests(checkout: Path) -> None:
    (checkout / ".venv" / "dev.stamp").touch()

    (command,) = commands("Test")

    assert run(f"{command} --dry-run", checkout).split()[1:] == ["-m", "pytest"]


def test_no_command_is_left_out() -> None:
    everything = re.findall(r"^```sh\n(.*?)^```", README, re.MULTILINE | re.DOTALL)

    tested = [block for section in ("Serve", "Train", "Test") for block in blocks("sh", section)]
    assert tested == everything


def test_variables_are_those_of_the_settings() -> None:
    from app.settings import Settings

    named = set(re.findall(r"`ALEXNET_(\w+)`", README))
    assert named <= {name.upper() for name in Settings.model_fields}
