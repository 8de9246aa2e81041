"""The service as a process, as it is run."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx

from tests.app.client import free_port


class Served:
    """A running service."""

    def __init__(self, process: subprocess.Popen, port: int, log: Path) -> None:
        self.process = process
        self.port = port
        self.url = f"http://127.0.0.1:{port}"
        self._log = log

    @property
    def log(self) -> str:
        return self._log.read_text()

    def ready(self) -> bool:
        try:
            return httpx.get(self.url + "/health/ready").status_code == 200
        except httpx.HTTPError:
            return False

    def version(self, client: httpx.Client, upload: bytes) -> str:
        """Return which version of the model answers."""
        response = client.post(self.url + "/predict", files={"file": upload})
        assert response.status_code == 200, response.text
        return response.json()["model"]["version"]

    def wait_until(self, condition: Callable[[], bool]) -> None:
        for _ in range(600):
            assert self.process.poll() is None, self.log
            if condition():
                return
            time.sleep(0.1)
        raise AssertionError(self.log)


@contextmanager
def served(model: Path, folder: Path, **variables: str) -> Iterator[Served]:
    """Serve on a free port until the end of the block; the log goes to the folder."""
    port = free_port()
    log = folder / "log.txt"
    environment = {"ALEXNET_MODEL": str(model), "ALEXNET_DEVICE": "cpu", **variables}
    with (
        log.open("w") as file,
        subprocess.Popen(
            [sys.executable, "-m", "app", "--port", str(port)],
            env={**os.environ, **environment},
            stderr=file,
            start_new_session=True,  # a process group of its own, as a terminal gives it
        ) as process,
    ):
        service = Served(process, port, log)
        try:
            service.wait_until(service.ready)
            yield service
        finally:
            process.terminate()


def start(**variables: str) -> subprocess.CompletedProcess[str]:
    """Start a service that is to end by itself, and return how it did."""
    return subprocess.run(
        [sys.executable, "-m", "app", "--port", variables.pop("PORT", "0")],
        env={**os.environ, "ALEXNET_DEVICE": "cpu", **variables},
        capture_output=True,
        text=True,
        check=False,
    )
