"""What the container's files promise, as far as it shows without building them."""

from __future__ import annotations

import json
import os
import platform
import re
import shutil
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, HTTPServer
from importlib.util import find_spec
from pathlib import Path
from typing import NamedTuple

import pytest

from app import __version__
from app.metrics import Metrics
from app.settings import Settings
from tests.app.client import free_port

ROOT = Path(__file__).parents[1]
BASE = re.compile(r"python:3\.\d+-slim-bookworm")
LOCKS = {"cpu": "serve.txt", "gpu": "gpu.txt"}
COMPOSE_FILES = {
    "cpu": ["docker-compose.yml"],
    "gpu": ["docker-compose.yml", "docker-compose.gpu.yml"],
}
every_target = pytest.mark.parametrize("target", LOCKS)


class Stage(NamedTuple):
    base: str
    steps: list[tuple[str, str]]
    """Instructions, each with the rest of its line."""

    def all(self, instruction: str) -> list[str]:
        return [rest for name, rest in self.steps if name == instruction]


def text_of(name: str) -> str:
    return (ROOT / name).read_text()


def dockerfile() -> dict[str, Stage]:
    text = re.sub(r"^#.*\n", "", text_of("Dockerfile"), flags=re.MULTILINE).replace("\\\n", " ")
    stages: dict[str, Stage] = {}
    for line in filter(None, text.splitlines()):
        instruction, rest = line.split(maxsplit=1)
        if instruction == "FROM":
            base, _, name = rest.split()
            stage = stages[name] = Stage(base, [])
        else:
            stage.steps.append((instruction, rest))
    return stages


STAGES = dockerfile()


def test_every_stage_builds_on_one_pinned_python() -> None:
    foreign = {stage.base for stage in STAGES.values()} - set(STAGES)

    (base,) = foreign
    assert BASE.fullmatch(base)
    (labels,) = STAGES["service"].all("LABEL")
    assert f'base.name="{base}"' in labels


def test_what_is_built_without_a_target_is_the_cpus() -> None:
    assert list(STAGES.items())[-1][1] == Stage("cpu", [])


@every_target
def test_packages_are_locked_wheels_of_a_stage_that_is_left_behind(target: str) -> None:
    packages = STAGES[f"{target}-packages"]

    assert packages.all("COPY") == [f"requirements/{LOCKS[target]} ."]
    install = packages.all("RUN")[0]
    assert "--require-hashes --only-binary :all:" in install
    assert install.endswith(f"-r {LOCKS[target]}")
    assert STAGES[target].all("COPY")[0] == f"--from={target}-packages /opt/venv /opt/venv"


@every_target
def test_source_is_the_last_layer_of_files(target: str) -> None:
    assert STAGES[target].all("COPY")[-1] == "app app"


@every_target
def test_result_holds_no_build_tools_and_no_secrets(target: str) -> None:
    stage = STAGES[target]
    assert stage.base == "service"
    installs = [*STAGES["service"].all("RUN"), *stage.all("RUN")]
    assert not re.search(r"apt|pip install|gcc|curl", " ".join(installs))
    settings = " ".join(
        rest for each in STAGES.values() for rest in each.all("ENV") + each.all("ARG")
    )
    assert not re.search(r"secret|token|password|key", settings, re.IGNORECASE)


@every_target
def test_service_is_no_root_and_gets_signals_itself(target: str) -> None:
    assert STAGES[target].steps[-1] == ("USER", "10001:10001")
    (command,) = STAGES["service"].all("CMD")
    assert json.loads(command) == ["python", "-m", "app", "--host", "0.0.0.0"]


def test_label_tells_the_version() -> None:
    (labels,) = STAGES["service"].all("LABEL")
    assert f'image.version="{__version__}"' in labels


def test_build_is_given_what_is_copied_and_nothing_else() -> None:
    ignored = [line for line in text_of(".dockerignore").splitlines() if not line.startswith("#")]
    sources = {
        word.split("/")[0]
        for stage in STAGES.values()
        for rest in stage.all("COPY")
        if not rest.startswith("--from")
        for word in rest.split()[:-1]
    }
    assert ignored[0] == "*"
    assert {line[1:] for line in ignored if line.startswith("!")} == sources


@pytest.mark.skipif(sys.platform != "linux", reason="of the wheel for Linux")
def test_what_is_removed_of_litert_is_never_loaded(tiny_model: Path) -> None:
    _, removal = STAGES["cpu-packages"].all("RUN")
    removed = removal.split("rm -rf ")[1].split()
    installed = Path(find_spec("ai_edge_litert").origin).parent
    code = (
        "import sys\n"
        "from pathlib import Path\n"
        "import app.__main__\n"
        "from app.model import load_model\n"
        "from app.settings import Settings\n"
        "model = load_model(Settings(model=sys.argv[1], device='cpu'))\n"
        "lane = model.engines.processes[0].number\n"
        "for process in ('self', lane):\n"
        "    print(Path(f'/proc/{process}/maps').read_text())\n"
        "print([getattr(module, '__file__', '') for module in sys.modules.values()])\n"
    )
    loaded = subprocess.run(
        [sys.executable, "-c", code, tiny_model], capture_output=True, text=True, check=True
    ).stdout

    assert "/ai_edge_litert/libpywrap_litert_common.so" in loaded
    for name in removed:
        if platform.machine() == "x86_64":  # wheels for others have fewer parts
            assert (installed / name).exists(), "there is nothing to remove any more"
        assert f"/ai_edge_litert/{name}" not in loaded


def imported(target: str) -> str:
    """Return the code by which the byte code of what serves is written."""
    (step,) = STAGES[target].all("RUN")
    return step.removeprefix('python -c "').removesuffix('"')


def test_byte_code_of_all_that_serves_is_written() -> None:
    code = f"{imported('cpu')}; import sys; print(*sys.modules)"
    loaded = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True
    ).stdout.split()

    files = (path.relative_to(ROOT).with_suffix("") for path in ROOT.glob("app/**/*.py"))
    modules = {".".join(file.parts).removesuffix(".__init__") for file in files}
    elsewhere = {"app.engines.keras", "app.engines.remote", "app.ray_serve"}
    assert modules - set(loaded) == elsewhere
    assert imported("gpu") == imported("cpu").replace(
        "app.decoder,", "app.decoder, app.engines.keras,"
    )


@contextmanager
def answering(status: int) -> Iterator[int]:
    """Answer /health/ready with this status, and yield the port."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(status if self.path == "/health/ready" else 404)
            self.end_headers()

        def log_message(self, *_: object) -> None:
            pass

    with HTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield server.server_port
        server.shutdown()
        thread.join()


def healthy(port: int) -> bool:
    (check,) = STAGES["service"].all("HEALTHCHECK")
    _, *arguments = json.loads(check.split(" CMD ")[1])
    finished = subprocess.run(
        [sys.executable, *arguments],
        env={**os.environ, "PORT": str(port), "http_proxy": "http://127.0.0.1:9"},
        stderr=subprocess.DEVNULL,
        check=False,
    )
    return finished.returncode == 0


def test_health_check_asks_whether_the_service_is_ready() -> None:
    with answering(200) as port:
        assert healthy(port)
    with answering(503) as port:
        assert not healthy(port)
    assert not healthy(free_port())


def test_compose_passes_every_setting_on_but_the_models_folder() -> None:
    named = re.findall(r"^      ALEXNET_(\w+):", text_of("docker-compose.yml"), re.MULTILINE)
    assert sorted(named) == sorted({name.upper() for name in Settings.model_fields} - {"MODEL"})


def test_compose_confines_every_service() -> None:
    text = text_of("docker-compose.yml")
    services = re.findall(r"^  (\w+):\n(?=    )", text, re.MULTILINE)

    assert services == ["alexnet", "prometheus", "grafana"]
    assert text.count("    <<: *confined\n") == len(services)
    assert text.count("          memory: ") == len(services)
    assert "cap_drop: [ALL]" in text
    assert '["no-new-privileges:true"]' in text
    assert "    read_only: true" in text


def test_gpu_is_reserved_and_never_replaced_by_the_cpu() -> None:
    text = text_of("docker-compose.gpu.yml")
    assert "ALEXNET_DEVICE: gpu\n" in text
    assert "capabilities: [gpu]" in text
    assert "ALEXNET_DEVICE=gpu" in STAGES["gpu"].all("ENV")[0]


@every_target
def test_compose_files_are_valid(target: str) -> None:
    command = shutil.which("docker-compose")
    if command is None:
        pytest.skip("docker-compose is not installed")
    files = [option for name in COMPOSE_FILES[target] for option in ("-f", name)]

    checked = subprocess.run(
        [command, *files, "--profile", "monitoring", "config", "--quiet"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )

    assert checked.returncode == 0, checked.stderr


def test_dashboard_draws_what_the_service_tells() -> None:
    dashboard = json.loads(text_of("docker/grafana/dashboards/alexnet.json"))
    drawn = {
        name
        for panel in dashboard["panels"]
        for target in panel["targets"]
        for name in re.findall(r"\b(?:alexnet|process)_\w+", target["expr"])
    }
    kinds = re.findall(r"^# TYPE (\w+) (\w+)", Metrics().render().decode(), re.MULTILINE)
    told = {
        name + ending
        for name, kind in kinds
        for ending in (("_bucket", "_count", "_sum") if kind == "histogram" else ("",))
    }

    assert drawn
    assert drawn <= told
    assert {name for name, kind in kinds if kind != "histogram"} <= drawn
