"""The lines of the log, for people or for programs."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from logging import Formatter, LogRecord
from typing import Any, Literal

from app.request_id import request_id, trace_id

LogFormat = Literal["console", "json"]
LogLevel = Literal["debug", "info", "warning", "error"]

SERVER_LOGGER = "uvicorn.error.protocol"
"""For what the server says of requests before they have names."""


class ConsoleFormatter(Formatter):
    """One line a record, the request's name before the message; below it, indented, a traceback.

    Whatever could end the line, hide part of it or steer a terminal is escaped.
    """

    def format(self, record: LogRecord) -> str:
        name = f"[{names}] " if (names := request_id.get()) else ""
        line = f"{_time(record)} {record.levelname:<8} {name}{_escaped(_message(record))}"
        traceback = _traceback(self, record).splitlines()
        return "\n".join([line, *(f"    {_escaped(each)}" for each in traceback)])


class JSONFormatter(Formatter):
    """One JSON object a record, in ASCII and on one line.

    A record may have fields of its own: `logger.info(message, extra={"fields": {...}})`.
    """

    def format(self, record: LogRecord) -> str:
        line: dict[str, Any] = {
            "time": _time(record),
            "level": record.levelname.lower(),
            "logger": record.name,
            "process": record.process,
            "message": _message(record),
            "request_id": request_id.get(),
            "trace_id": trace_id.get(),
            "exception": _traceback(self, record),
        }
        present = {name: value for name, value in line.items() if value != ""}
        return json.dumps(present | getattr(record, "fields", {}), default=str)


def log_config(log_format: LogFormat, level: LogLevel) -> dict[str, Any]:
    """Return what `logging.config.dictConfig` needs, for the service's lines and the server's."""
    formatter = {"console": ConsoleFormatter, "json": JSONFormatter}[log_format]
    own_level = {"level": level.upper()}
    return {
        "version": 1,
        "disable_existing_loggers": False,
        "formatters": {"default": {"()": formatter}},
        "handlers": {"stderr": {"class": "logging.StreamHandler", "formatter": "default"}},
        "root": {"handlers": ["stderr"], "level": "WARNING"},
        "loggers": {
            "app": own_level,
            "app.access_log": {"level": "INFO"},  # has a switch of its own
            "uvicorn": own_level,
            # They warn of every malformed body and request; the client is told.
            "python_multipart": {"level": "ERROR"},
            SERVER_LOGGER: {"level": "ERROR"},
        },
    }


def _time(record: LogRecord) -> str:
    time = datetime.fromtimestamp(record.created, UTC).replace(tzinfo=None)
    return f"{time.isoformat(timespec='milliseconds')}Z"


def _message(record: LogRecord) -> str:
    return record.getMessage().rstrip()


def _traceback(formatter: Formatter, record: LogRecord) -> str:
    return formatter.formatException(record.exc_info) if record.exc_info else ""


def _escaped(text: str) -> str:
    if text.isprintable():
        return text
    return "".join(each if each.isprintable() else ascii(each)[1:-1] for each in text)
