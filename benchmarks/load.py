"""Requests over real HTTP, by wrk."""

from __future__ import annotations

import json
import resource
import shutil
import subprocess
import sys
from pathlib import Path
from typing import NamedTuple

_SCRIPT = Path(__file__).with_name("post.lua")
_BOUNDARY = "----frontier"
_HEAD = (
    f"--{_BOUNDARY}\r\n"
    'Content-Disposition: form-data; name="file"; filename="photo.jpg"\r\n'
    "Content-Type: image/jpeg\r\n\r\n"
).encode()
_TAIL = f"\r\n--{_BOUNDARY}--\r\n".encode()


class Bodies(NamedTuple):
    """Request bodies in a folder, named 1, 2, 3, ..."""

    folder: Path
    number: int
    content_type: str


class Load(NamedTuple):
    """What wrk measured."""

    per_second: float
    """Requests that were answered with success."""
    refused_per_second: float
    """Requests that were answered with anything else."""
    seconds: float
    """That it took."""
    p50_ms: float
    p99_ms: float
    failures: int
    """Connections that broke, timed out, or were refused; and answers that were no success."""
    client_cores: float
    """That wrk itself kept busy."""


def require_wrk() -> None:
    """Exit with a sentence if wrk is not installed."""
    if shutil.which("wrk") is None:
        sys.exit("wrk is needed: install it with 'apt-get install wrk' or 'brew install wrk'.")


def forms(folder: Path, pictures: list[bytes]) -> Bodies:
    """Write the pictures as multipart forms."""
    bodies = [_HEAD + picture + _TAIL for picture in pictures]
    return _write(folder, bodies, f"multipart/form-data; boundary={_BOUNDARY}")


def raw_files(folder: Path, pictures: list[bytes]) -> Bodies:
    """Write the pictures as they are."""
    return _write(folder, pictures, "image/jpeg")


def post(
    port: int,
    path: str,
    bodies: Bodies,
    *,
    connections: int,
    seconds: float,
    pause_ms: int | None = None,
) -> Load:
    """Keep `connections` busy for `seconds`, each with one request at a time.

    Args:
        pause_ms: How long a connection rests after each answer, on average: by half more or less.
    """
    before = _children_seconds()
    arguments = [path, str(bodies.folder), str(bodies.number), bodies.content_type]
    if pause_ms is not None:
        arguments.append(str(pause_ms))
    printed = subprocess.run(
        [
            "wrk",
            "-t1",
            f"-c{connections}",
            f"-d{max(1, round(seconds))}s",
            "--timeout",
            "20s",
            "-s",
            _SCRIPT,
            f"http://127.0.0.1:{port}",
            "--",
            *arguments,
        ],
        check=True,
        stdout=subprocess.PIPE,
        text=True,
    ).stdout
    measured = json.loads(printed.rsplit("JSON", 1)[1])
    elapsed = measured["seconds"]
    return Load(
        per_second=(measured["requests"] - measured["refused"]) / elapsed,
        refused_per_second=measured["refused"] / elapsed,
        seconds=elapsed,
        p50_ms=measured["p50_ms"],
        p99_ms=measured["p99_ms"],
        failures=measured["refused"] + measured["broken"],
        client_cores=(_children_seconds() - before) / elapsed,
    )


def _write(folder: Path, bodies: list[bytes], content_type: str) -> Bodies:
    folder.mkdir(parents=True)
    for number, body in enumerate(bodies, 1):
        (folder / str(number)).write_bytes(body)
    return Bodies(folder, len(bodies), content_type)


def _children_seconds() -> float:
    usage = resource.getrusage(resource.RUSAGE_CHILDREN)
    return usage.ru_utime + usage.ru_stime
