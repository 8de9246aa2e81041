from __future__ import annotations

import json
import logging
import os
import re
import socket
import subprocess
import sys
from contextvars import copy_context
from pathlib import Path
from typing import Any

import httpx

from app.log import SERVER_LOGGER, ConsoleFormatter, JSONFormatter, log_config
from app.request_id import request_id, trace_id
from tests.app.client import free_port, until_ready
from tests.app.pictures import picture

EVIL = "cat\n2026-01-01T00:00:00.000Z CRITICAL forged\r\x1b[2J\x00\x85\u2028\u202etxt.gpj\ud800"


def record(message: str, *args: object, error: BaseException | None = None) -> logging.LogRecord:
    info = (type(error), error, error.__traceback__) if error else None
    return logging.LogRecord("app.images", logging.WARNING, "", 0, message, args, info)


def named(formatter: logging.Formatter, line: logging.LogRecord) -> str:
    def format_line() -> str:
        request_id.set("mine")
        trace_id.set("4bf92f3577b34da6a3ce929d0e0e4736")
        return formatter.format(line)

    return copy_context().run(format_line)


def test_console_line_names_the_request_before_its_message() -> None:
    line = named(ConsoleFormatter(), record("A picture of %d bytes.", 7))

    time = r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z"
    assert re.fullmatch(rf"{time} WARNING  \[mine\] A picture of 7 bytes\.", line)


def test_console_line_without_a_request() -> None:
    assert ConsoleFormatter().format(record("ready")).endswith("Z WARNING  ready")


def test_console_escapes_what_files_say() -> None:
    line = ConsoleFormatter().format(record("%s", EVIL))

    assert line.isprintable()
    assert r"cat\n2026-01-01T00:00:00.000Z CRITICAL forged\r\x1b[2J\x00\x85\u2028\u202etxt" in line


def test_console_indents_tracebacks_and_escapes_them() -> None:
    try:
        raise ValueError(EVIL)
    except ValueError as error:
        lines = ConsoleFormatter().format(record("It failed.\n", error=error)).split("\n")

    assert lines[0].endswith("It failed.")
    assert "    ValueError: cat" in lines
    assert all(line.isprintable() for line in lines)
    assert [line for line in lines[1:] if not line.startswith("    ")] == []


def test_json_line_has_every_part() -> None:
    try:
        raise ValueError(EVIL)
    except ValueError as error:
        failed = record("%s", EVIL, error=error)
    failed.fields = {"status": 500}
    text = named(JSONFormatter(), failed)

    assert text.isascii()
    assert text.isprintable()
    line: dict[str, Any] = json.loads(text)
    assert line.pop("time").endswith("Z")
    assert line.pop("exception").endswith("ValueError: " + EVIL)
    assert line == {
        "level": "warning",
        "logger": "app.images",
        "process": os.getpid(),
        "message": EVIL,
        "request_id": "mine",
        "trace_id": "4bf92f3577b34da6a3ce929d0e0e4736",
        "status": 500,
    }


def test_json_line_leaves_out_what_there_is_not() -> None:
    line = json.loads(JSONFormatter().format(record("ready")))

    assert set(line) == {"time", "level", "logger", "process", "message"}


def test_level_is_of_the_service_and_the_server() -> None:
    config = log_config("console", "error")

    assert config["loggers"]["app"] == config["loggers"]["uvicorn"] == {"level": "ERROR"}
    assert config["loggers"]["app.access_log"] == {"level": "INFO"}


FAILING_SERVICE = """
import app.service
from app.__main__ import main
app.service.Service.classify = lambda *_: 1 / 0
main()
"""


def served_lines(model: Path, log_format: str) -> str:
    """Serve, let a request fail, send what is none, end, and return the log."""
    port = free_port()
    variables = {
        "ALEXNET_MODEL": str(model),
        "ALEXNET_DEVICE": "cpu",
        "ALEXNET_LOG_FORMAT": log_format,
    }
    with subprocess.Popen(
        [sys.executable, "-c", FAILING_SERVICE, "--port", str(port), "--access-log"],
        env={**os.environ, **variables},
        stderr=subprocess.PIPE,
        text=True,
    ) as server:
        url = f"http://127.0.0.1:{port}"
        until_ready(url)
        failed = httpx.post(
            url + "/predict", files={"file": picture()}, headers={"X-Request-ID": "mine"}
        )
        upgrade = {"Connection": "Upgrade", "Upgrade": "websocket"}
        assert httpx.get(url + "/health/live", headers=upgrade).status_code == 200
        with socket.create_connection(("127.0.0.1", port)) as connection:
            connection.sendall(b"a cat, in words\r\n\r\n")
            assert b" 400 " in connection.recv(4096)
        server.terminate()
        log = server.communicate()[1]
    assert failed.status_code == 500
    assert failed.headers["x-request-id"] == "mine"
    return log


def test_every_line_of_a_server_is_json_and_those_of_a_request_name_it(tiny_model: Path) -> None:
    log = served_lines(tiny_model, "json")

    lines = [json.loads(line) for line in log.splitlines() if not is_of_litert(line)]
    messages = {line["message"]: line for line in lines}
    assert any(message.startswith("ready: red-or-blue") for message in messages)
    assert any(message.startswith("Started server process") for message in messages)
    failure = messages["Exception in ASGI application"]
    assert failure["logger"] == SERVER_LOGGER
    assert failure["exception"].endswith("ZeroDivisionError: division by zero")
    (access,) = [line for line in lines if line.get("path") == "/predict"]
    assert failure["request_id"] == access["request_id"] == "mine"
    assert "request_id" not in messages["Application startup complete."]
    warnings = [line for line in lines if line["level"] == "warning"]
    assert [line for line in warnings if line["logger"].startswith("uvicorn")] == []


def test_console_log_of_a_server(tiny_model: Path) -> None:
    log = served_lines(tiny_model, "console")

    assert re.search(r"^\S+Z INFO     Started server process \[\d+\]$", log, re.MULTILINE)
    assert re.search(r"^\S+Z ERROR    \[mine\] Exception in ASGI application$", log, re.MULTILINE)
    assert re.search(r"^    ZeroDivisionError: division by zero$", log, re.MULTILINE)
    assert re.search(r"^\S+Z INFO     \[mine\] 127\.0\.0\.1 POST /predict 500", log, re.MULTILINE)


def is_of_litert(line: str) -> bool:
    """Return whether LiteRT's own code, which logs by itself, has written the line."""
    return line.startswith(("INFO: ", "WARNING: "))
