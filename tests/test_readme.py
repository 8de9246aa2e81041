"""Every command of the README, run in a checkout as it is, but for the installing."""

from __future__ import annotations

import json
import os
import re
import shlex
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest
from PIL import Image

from tests.app.client import free_port
from tests.app.pictures import picture
from tests.training.pictures import DOG, write_competition, write_files, write_zip
from training.__main__ import main

ROOT = Path(__file__).parents[1]
README = (ROOT / "README.md").read_text(encoding="utf-8")
# What `make test` tells the makes below it would override what these tests say.
OF_MAKE = {"ARGS", "MAKEFLAGS", "MAKELEVEL", "MFLAGS", "PYTHON"}
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
    """Return a folder like the repository's, but for its models."""
    return check_out(tmp_path)


def check_out(folder: Path) -> Path:
    """Make a folder like the repository's, whose environments are the one of this test."""
    for name in ("Makefile", "app", "requirements", "training"):
        (folder / name).symlink_to(ROOT / name)
    for environment, stamp in ((".venv", "serve.stamp"), (".venv-train", "train.stamp")):
        python = folder / environment / "bin" / "python"
        python.parent.mkdir(parents=True)
        python.write_text(f'#!/bin/sh\nexec "{sys.executable}" "$@"\n')
        python.chmod(0o755)
        (folder / environment / stamp).touch()
    return folder


def run(command: str, folder: Path, **variables: str) -> str:
    """Run a shell command, and return what it printed."""
    return run_program(["sh", "-c", command], folder, **variables)


def run_program(arguments: list[str], folder: Path, **variables: str) -> str:
    finished = subprocess.run(
        arguments,
        cwd=folder,
        env={**ENVIRONMENT, **variables},
        stdout=subprocess.PIPE,
        check=True,
        text=True,
    )
    return finished.stdout


@contextmanager
def serving(command: str, checkout: Path) -> Iterator[int]:
    """Run a command that serves, and yield its port, which is free."""
    port = free_port()
    server = subprocess.Popen(
        ["sh", "-c", f"exec env {command}"],
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


@pytest.fixture(scope="module")
def port(tmp_path_factory: pytest.TempPathFactory) -> Iterator[int]:
    """Run the README's command that serves."""
    checkout = check_out(tmp_path_factory.mktemp("checkout"))
    (checkout / "models").symlink_to(ROOT / "models")
    with serving(commands("Serve")[0], checkout) as port:
        yield port


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

    answer = run_program([sys.executable, "-c", program.replace("8000", str(port))], checkout)

    assert answer in {"[b'cat']\n", "[b'dog']\n"}


def test_a_heat_map_is_drawn(checkout: Path, port: int) -> None:
    (checkout / "photo.jpg").write_bytes(picture())

    run(blocks("sh", "Use")[0].replace("8000", str(port)), checkout)

    with Image.open(checkout / "heatmap.png") as heatmap:
        assert (heatmap.format, heatmap.size) == ("PNG", (64, 48))


@pytest.fixture
def photos(checkout: Path) -> None:
    """Make a folder with a picture, and with a file that is none."""
    folder = checkout / "photos"
    folder.mkdir()
    (folder / "a photo.jpg").write_bytes(picture())
    (folder / "notes.txt").write_text("a cat, in words")


@pytest.mark.usefixtures("photos")
def test_a_folder_is_classified_file_by_file(checkout: Path, port: int) -> None:
    printed = run(blocks("sh", "Use")[1].replace("8000", str(port)), checkout)

    first, second = printed.splitlines()
    assert re.fullmatch("photos/a photo.jpg: (cat|dog)", first)
    assert second == "photos/notes.txt: /problems/unsupported-image"


@pytest.mark.usefixtures("photos")
def test_a_folder_is_classified_in_one_request(checkout: Path, port: int) -> None:
    (program,) = blocks("python", "Use")

    printed = run_program([sys.executable, "-c", program.replace("8000", str(port))], checkout)

    first, second = printed.splitlines()
    assert re.fullmatch(r"a photo.jpg (cat|dog) [01]\.\d+", first)
    assert second.startswith("notes.txt The file is not an image that can be read")


@pytest.mark.skipif(shutil.which("node") is None, reason="node is not installed")
@pytest.mark.parametrize(
    ("upload", "printed"), [(picture(), "cat|dog"), (b"in words", "The file is not an image .*")]
)
def test_a_page_classifies(checkout: Path, port: int, upload: bytes, printed: str) -> None:
    (checkout / "photo.jpg").write_bytes(upload)
    (program,) = blocks("js", "Use")
    page = f"""
        import {{ readFileSync }} from "node:fs";
        const input = {{ files: [new Blob([readFileSync("photo.jpg")])] }};
        const document = {{ querySelector: () => input }};
        const ask = globalThis.fetch;
        globalThis.fetch = (path, init) => ask(new URL(path, "http://127.0.0.1:{port}"), init);
    """

    answer = run_program(["node", "--input-type=module", "--eval", page + program], checkout)

    assert re.fullmatch(printed, answer.strip())


def test_every_format_is_in_the_table() -> None:
    from app.images import FORMATS

    rows = re.findall(r"^\| (\w+) \| .*\|$", README.split("| format |")[1], re.MULTILINE)
    assert {row.upper().replace("HEIC", "HEIF") for row in rows[: len(FORMATS)]} == set(FORMATS)


def run_training(command: str) -> None:
    """Run a command of `training` in this process: importing TensorFlow anew takes 5 s."""
    python, *arguments = shlex.split(command)
    assert (python, arguments[:2]) == (".venv-train/bin/python", ["-m", "training"])
    main(arguments[2:])


def test_a_model_is_trained_evaluated_exported_and_used(
    checkout: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_competition(checkout / "dogs-vs-cats.zip", 20)
    write_zip(checkout / "test1.zip", {"test1/1.jpg": DOG})
    monkeypatch.chdir(checkout)
    train, *others = commands("Train")

    run(train, checkout, ARGS=TINY)
    for command in others:
        run_training(command)

    assert (checkout / "runs" / "evaluation" / "evaluation.json").is_file()
    assert (checkout / "models" / "dogs-vs-cats" / "model.json").is_file()
    assert (checkout / "runs" / "samples" / "augmented.png").is_file()
    assert re.fullmatch(r"id,label\n1,[01]\n", (checkout / "submission.csv").read_text())


def test_pictures_of_ones_own_become_a_model_of_their_own(
    checkout: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    files = {f"{label}/{number}.jpg": DOG for label in ("rose", "tulip") for number in range(20)}
    write_files(checkout / "flowers", files)
    train, export, serve = commands("Your own pictures")

    run(train.replace('ARGS="', f'ARGS="{TINY} '), checkout)
    monkeypatch.chdir(checkout)
    run_training(export)
    with serving(serve, checkout) as port:
        model = httpx.get(f"http://127.0.0.1:{port}/models").json()

    assert model["name"] == "flowers"
    assert sorted(model["labels"]) == ["rose", "tulip"]


def test_the_command_that_tests_runs_these_tests(checkout: Path) -> None:
    (checkout / ".venv" / "dev.stamp").touch()

    (command,) = commands("Test")

    assert run(f"{command} --dry-run", checkout).split()[1:3] == ["-m", "pytest"]


def test_no_command_is_left_out() -> None:
    everything = re.findall(r"^```sh\n(.*?)^```", README, re.MULTILINE | re.DOTALL)

    tested = [
        block
        for section in ("Serve", "Use", "Train", "Your own pictures", "Test")
        for block in blocks("sh", section)
    ]
    assert tested == everything


def test_variables_are_those_of_the_settings() -> None:
    from app.settings import Settings

    named = set(re.findall(r"`ALEXNET_(\w+)`", README))
    assert named <= {name.upper() for name in Settings.model_fields}
