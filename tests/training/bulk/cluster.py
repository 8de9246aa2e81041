"""A Ray cluster of one core, in processes of its own."""

from __future__ import annotations

import contextlib
import os
import subprocess
import sys
from collections.abc import Iterator
from tempfile import TemporaryDirectory

import psutil

from tests.app.client import free_port

_PORTS = (
    "ray-client-server-port",
    "dashboard-agent-grpc-port",
    "dashboard-agent-listen-port",
    "metrics-export-port",
    "runtime-env-agent-port",
)
"""Given, since a raylet does not wait long until its agents have chosen some."""
_PATIENT_RAY = """
import time, types
from ray._private import node
from ray.scripts.scripts import main

# Ray gives itself half a minute to start, which a machine that is busy may exceed.
node.time = types.SimpleNamespace(**{**vars(time), "monotonic": lambda: 0.0})
main()
"""
VARIABLES = {
    "RAY_USAGE_STATS_ENABLED": "0",
    "RAY_AUTH_MODE": "disabled",  # else Ray leaves a token in the home folder
    "RAY_worker_register_timeout_seconds": "600",  # for the same reason
    "RAY_health_check_initial_delay_ms": "60000",
    "RAY_health_check_timeout_ms": "60000",
}


@contextlib.contextmanager
def cluster() -> Iterator[str]:
    """Yield the address of a cluster that ends with the block."""
    port = free_port()
    with TemporaryDirectory(prefix="ray-", ignore_cleanup_errors=True) as folder:
        options = {
            "port": port,
            "temp-dir": folder,
            "num-cpus": 1,
            "object-store-memory": 100_000_000,
            "include-dashboard": "false",
            **{name: free_port() for name in _PORTS},
        }
        process = subprocess.Popen(
            [
                *(sys.executable, "-c", _PATIENT_RAY, "start", "--head", "--block"),
                *(f"--{name}={value}" for name, value in options.items()),
            ],
            env={**os.environ, **VARIABLES},
            stdout=subprocess.PIPE,
            text=True,
            start_new_session=True,
        )
        assert process.stdout is not None
        family = [psutil.Process(process.pid)]
        try:
            with process.stdout as printed:
                assert any("Ray runtime started" in line for line in printed)
                yield f"127.0.0.1:{port}"
        finally:
            family += family[0].children(recursive=True)
            for each in family:
                with contextlib.suppress(psutil.NoSuchProcess):
                    each.kill()
            process.wait()
