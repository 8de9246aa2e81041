"""A Ray cluster on this machine, whose nodes are processes of their own."""

from __future__ import annotations

import contextlib
import os
import subprocess
import sys
import time
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

import psutil
import ray
import yaml
from ray import serve

from benchmarks.server import free_port

APPLICATION = "alexnet"
DEPLOYMENTS = ("http", "engine")
_CONFIG = Path(__file__).parents[1] / "serve.yaml"
_RAY = Path(sys.executable).with_name("ray")
_SERVE = Path(sys.executable).with_name("serve")
_PORTS = (
    "--dashboard-agent-grpc-port",
    "--dashboard-agent-listen-port",
    "--metrics-export-port",
    "--runtime-env-agent-port",
)
"""Given, or the second node would want those that the first one has."""
_STARTS = 3
"""Of a node: a raylet waits but seconds for its agents, and ends where the machine is busy."""
_OBJECT_STORE_BYTES = 100 * 2**20
_DEADLINE_SECONDS = 300
_PAUSE_SECONDS = 0.1
_STARTED = "Ray runtime started."
"""What each node prints once it is one of the cluster's."""
_VARIABLES = {
    "RAY_USAGE_STATS_ENABLED": "0",
    "RAY_AUTH_MODE": "disabled",  # else Ray leaves a token in the home folder
    "RAY_worker_niceness": "0",  # or what Ray keeps for itself would go before the replicas
    # A lost node is noticed after three seconds, not fifteen: until then, calls to it wait.
    "RAY_health_check_period_ms": "1000",
    "RAY_health_check_failure_threshold": "3",
    "PYTHONPATH": str(_CONFIG.parent),
}


class Node:
    """A raylet with all that it has started, and on the first node what keeps the cluster."""

    def __init__(self, process: subprocess.Popen[bytes]) -> None:
        self.process = process

    @property
    def ended(self) -> bool:
        """Whether it is no more."""
        return self.process.poll() is not None

    def family(self) -> list[psutil.Process]:
        """Return its processes, as far as they run: those of its session, orphans too."""
        return [each for each in psutil.process_iter() if _session(each) == self.process.pid]

    def replicas(self, deployment: str) -> list[psutil.Process]:
        """Return the processes of the deployment's replicas here."""
        name = f"ServeReplica:{APPLICATION}:{deployment}"
        return [each for each in self.family() if name in title(each)]

    def kill(self) -> None:
        """End all of it at once, as a machine does that loses its power."""
        for each in self.family():
            with contextlib.suppress(psutil.NoSuchProcess):
                each.kill()
        self.process.wait()


class Cluster:
    """Nodes, and the service on them."""

    def __init__(self, folder: Path, session: Path) -> None:
        """Start nothing yet; Ray's own files go to `session`, whose path must be short."""
        self.port = free_port()
        """Of the service: all nodes listen on it, and the system deals connections among them."""
        self.nodes: list[Node] = []
        self._folder = folder
        self._log = folder / "ray.log"
        self._log.write_bytes(b"")  # nodes of a cluster before are not counted
        self._session = session
        self._address = f"127.0.0.1:{free_port()}"

    def add_node(
        self, cores: Collection[int] | None = None, *, slots: int = len(DEPLOYMENTS)
    ) -> None:
        """Start a node.

        Args:
            cores: That it may use; None is all that this process may.
            slots: Replicas that it has room for.
        """
        kept = [] if cores is None else ["taskset", "-c", ",".join(map(str, cores))]
        size = ["--num-cpus", str(slots), "--object-store-memory", str(_OBJECT_STORE_BYTES)]
        for _ in range(_STARTS):
            command = [*kept, str(_RAY), "start", "--block", *self._role(), *size, *_free_ports()]
            if self._joins(Node(self._run(command))):
                return
        raise RuntimeError(f"A node does not start; see {self._log}.")

    def deploy(
        self,
        replicas: int,
        arguments: Mapping[str, str] | None = None,
        variables: Mapping[str, str] | None = None,
        *,
        spread: bool = True,
    ) -> None:
        """Serve with so many replicas of each deployment.

        Args:
            replicas: Of each deployment, as the least and the most that it scales to.
            arguments: Of the application, in place of those in `serve.yaml`.
            variables: Of the replicas' environment.
            spread: No two of a deployment to a node.
        """
        config = yaml.safe_load(_CONFIG.read_text())
        config["http_options"] = {"host": "127.0.0.1", "port": self.port}
        (application,) = config["applications"]
        application["args"].update(arguments or {})
        application["runtime_env"] = {"env_vars": {"ALEXNET_DEVICE": "cpu", **(variables or {})}}
        for deployment in application["deployments"]:
            deployment["autoscaling_config"].update(min_replicas=replicas, max_replicas=replicas)
            if spread:
                deployment["max_replicas_per_node"] = 1
        path = self._folder / "serve.yaml"
        path.write_text(yaml.safe_dump(config))
        subprocess.run(
            [_SERVE, "run", "--non-blocking", "--address", self._address, path],
            env={**os.environ, **_VARIABLES},
            cwd=_CONFIG.parent,
            check=True,
            capture_output=True,
        )
        _wait(lambda: self.is_whole(replicas), "the replicas do not start")

    def replicas(self, deployment: str) -> list[psutil.Process]:
        """Return the processes of the deployment's replicas on all nodes."""
        return [each for node in self.nodes for each in node.replicas(deployment)]

    def is_whole(self, replicas: int) -> bool:
        """Whether so many replicas of each deployment run, and Ray knows that they do."""
        if any(len(self.replicas(each)) != replicas for each in DEPLOYMENTS):
            return False
        known = serve.status().applications[APPLICATION].deployments  # none yet, at times
        states = {name: deployment.replica_states for name, deployment in known.items()}
        return states == {each: {"RUNNING": replicas} for each in DEPLOYMENTS}

    def end(self) -> None:
        """Leave nothing behind."""
        if ray.is_initialized():
            serve.shutdown()  # or the next cluster would be asked for this one's controller
        ray.shutdown()
        for node in reversed(self.nodes):
            node.kill()

    def _role(self) -> list[str]:
        if self.nodes:
            return ["--address", self._address]
        port = self._address.rpartition(":")[2]
        session = ["--temp-dir", str(self._session), "--include-dashboard", "false"]
        return ["--head", "--port", port, "--ray-client-server-port", str(free_port()), *session]

    def _run(self, command: Sequence[str]) -> subprocess.Popen[bytes]:
        with self._log.open("ab") as log:
            return subprocess.Popen(
                command,
                env={**os.environ, **_VARIABLES},
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )

    def _joins(self, node: Node) -> bool:
        self.nodes.append(node)
        _wait(lambda: node.ended or self._started() == len(self.nodes), "a node does not start")
        if node.ended:
            self.nodes.remove(node)
            node.kill()  # what it leaves behind
        elif not ray.is_initialized():
            ray.init(self._address, log_to_driver=False, logging_level="ERROR")
        return not node.ended

    def _started(self) -> int:
        return self._log.read_text().count(_STARTED)


@contextmanager
def cluster(folder: Path) -> Iterator[Cluster]:
    """Yield a cluster without nodes; those that it is given end with the block.

    Args:
        folder: For the configuration, and for what the nodes print.
    """
    os.environ.update(_VARIABLES)  # for this process, which asks how the replicas are
    with TemporaryDirectory(prefix="ray-", ignore_cleanup_errors=True) as session:
        started = Cluster(folder, Path(session))
        try:
            yield started
        finally:
            started.end()


def _free_ports() -> list[str]:
    return [part for name in _PORTS for part in (name, str(free_port()))]


def _session(process: psutil.Process) -> int | None:
    try:
        return os.getsid(process.pid)
    except ProcessLookupError:
        return None


def title(process: psutil.Process) -> str:
    """Return what a process calls itself."""
    try:
        return " ".join(process.cmdline())
    except psutil.Error:
        return ""


def _wait(condition: Callable[[], bool], otherwise: str) -> None:
    end = time.monotonic() + _DEADLINE_SECONDS
    while not condition():
        if time.monotonic() > end:
            raise TimeoutError(f"After {_DEADLINE_SECONDS} s {otherwise}.")
        time.sleep(_PAUSE_SECONDS)
