"""HTTP as the service speaks it: uvicorn's, with bounds to what a client may hold open."""

from __future__ import annotations

import asyncio
import logging
from http import HTTPStatus
from typing import Any, NamedTuple, NoReturn, cast

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol, RequestResponseCycle

from app.access.headers import SECURE_HEADERS
from app.deadline import BYTES_PER_SECOND
from app.errors import (
    CrowdedError,
    HeadersTooLargeError,
    MalformedRequestError,
    ServiceError,
    SlowRequestError,
)
from app.log import SERVER_LOGGER
from app.metrics import Metrics
from app.overload import CROWDED
from app.parser import PlainParser
from app.problems import MEDIA_TYPE, Problem, problem_of
from app.request_id import HEADER, new_name, request_id

logger = logging.getLogger(__name__)

SPARE_CONNECTIONS = 64
"""Beyond the limit: on them health is answered and pictures are refused; the next is closed."""

_MOST_PIPELINED = 8
"""Requests that may wait on a connection until one before them is answered."""
_MOST_HEADERS = 128
"""Of a request: each takes memory beyond its bytes."""
_MOST_LINE_BYTES = 2048
"""Of a request's path and query, which no path here needs, and which frameworks parse slowly."""
_HEADER_OVERHEAD = 4
"""Bytes of a header beside its name and value."""


class ConnectionLimits(NamedTuple):
    """How much a client may hold open, and how long."""

    connections: int
    """Of all clients."""
    header_bytes: int
    """Of a request's line and headers."""
    header_seconds: float
    """In which these arrive, from the connection or the answer before on; to the latter come the
    seconds for which uvicorn keeps connections that are silent."""
    transfer_seconds: float
    """In which an answer is fetched, beside what its size takes at BYTES_PER_SECOND."""


class BoundedProtocol(HttpToolsProtocol):
    """A connection that ends where its client is too slow or sends what no client should.

    uvicorn bounds neither the time nor the bytes that the head of a request takes, nor how many
    requests wait in a pipeline, and waits forever for clients to fetch their answers. What it is
    told here goes through the callbacks of asyncio and of httptools.
    """

    def __init__(
        self, limits: ConnectionLimits, admitted: set[BoundedProtocol], **of_uvicorn: Any
    ) -> None:
        """Serve a connection.

        Args:
            limits: Of this one and of all.
            admitted: Those within the limit, which all connections share.
            **of_uvicorn: What uvicorn gives its own.
        """
        super().__init__(**of_uvicorn)
        self.logger = logging.getLogger(SERVER_LOGGER)
        self.parser = PlainParser(self)  # type: ignore[assignment]  # does what uvicorn asks of one
        self._limits = limits
        self._admitted = admitted
        self._pending_bytes = 0
        """Received since the parser last made something of them."""
        self._in_head = False
        self._refusal: ServiceError = MalformedRequestError(
            "What was sent is not a valid HTTP request; send one."
        )
        self._end: asyncio.TimerHandle | None = None
        """Set while a head is due, and then while the last answer is."""
        self._stall: asyncio.TimerHandle | None = None
        """Set while answers wait for the client."""

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]  # of TCP
        super().connection_made(transport)
        if len(self.connections) > self._limits.connections + SPARE_CONNECTIONS:
            self._refuse(CrowdedError("Too many connections are open; try again in a moment."))
        else:
            self._admit()
            self._end_after(self._limits.header_seconds)

    def connection_lost(self, exc: Exception | None) -> None:
        self._cancel_end()
        self._cancel_stall()
        self._admitted.discard(self)
        super().connection_lost(exc)

    def pause_writing(self) -> None:
        super().pause_writing()
        self._stall = self.loop.call_later(self._fetch_seconds(), self.transport.abort)

    def resume_writing(self) -> None:
        self._cancel_stall()
        super().resume_writing()

    def data_received(self, data: bytes) -> None:
        self._pending_bytes += len(data)
        super().data_received(data)
        if self._pending_bytes > self._limits.header_bytes and not self.transport.is_closing():
            self._refuse(self._headers_too_large())

    def on_message_begin(self) -> None:
        self._in_head = True
        super().on_message_begin()

    def on_header(self, name: bytes, value: bytes) -> None:
        if not self._in_head:  # a trailer, which is none of the headers (RFC 9110, section 6.5.1)
            return
        if len(self.headers) >= _MOST_HEADERS:
            self._stop_parsing(
                HeadersTooLargeError(
                    f"The request has too many headers; send at most {_MOST_HEADERS}."
                )
            )
        super().on_header(name, value)

    def on_headers_complete(self) -> None:
        if self.parser.get_method() == b"CONNECT":
            self._stop_parsing(MalformedRequestError("This is no proxy; ask for a path of it."))
        size = sum(len(name) + len(value) + _HEADER_OVERHEAD for name, value in self.headers)
        if len(self.url) + size > self._limits.header_bytes:
            self._stop_parsing(self._headers_too_large())
        if len(self.url) > _MOST_LINE_BYTES:
            self._stop_parsing(
                HeadersTooLargeError(
                    f"The request's path and query are too long; send at most {_MOST_LINE_BYTES} "
                    "bytes."
                )
            )
        if self.parser.should_upgrade():
            return
        self._in_head = False
        self._cancel_end()
        self._pending_bytes = 0
        if len(self.pipeline) >= _MOST_PIPELINED:
            raise self._refusal  # which is not sent: it would be taken for an answer that is due
        if not self._admit():
            self.scope["extensions"] = {CROWDED: {}}
        super().on_headers_complete()

    def on_body(self, body: bytes) -> None:
        self._pending_bytes = 0
        super().on_body(body)

    def on_message_complete(self) -> None:
        if self.parser.should_upgrade():
            return
        self._pending_bytes = 0
        super().on_message_complete()
        if self.cycle.response_complete:  # it was refused unread, and can be followed by another
            self._end_after(self.timeout_keep_alive + self._limits.header_seconds)

    def on_response_complete(self) -> None:
        super().on_response_complete()
        if self.cycle.response_complete:  # else the next request is there already
            seconds = self.timeout_keep_alive + self._limits.header_seconds
            if self.cycle.more_body:  # browsers read the answer only when they have sent it all
                seconds = max(seconds, self._limits.transfer_seconds)
            self._end_after(seconds)

    def send_400_response(self, msg: str) -> None:
        self._refuse(self._refusal)

    def _admit(self) -> bool:
        """Let it in if there is room, where it stays until it ends, and say whether it is in."""
        if len(self._admitted) < self._limits.connections:
            self._admitted.add(self)
        return self in self._admitted

    def _stop_parsing(self, error: ServiceError) -> NoReturn:
        self._refusal = error
        raise error

    def _refuse(self, error: ServiceError) -> None:
        """End the connection: after the answers that are due, or else with one."""
        last = cast("RequestResponseCycle | None", self.cycle)
        if last and not last.response_complete and not last.more_body:
            last.keep_alive = False
            self.flow.pause_reading()
            return
        answering = last and last.response_started and not last.response_complete
        if not (answering or self.pipeline):
            self._answer(error)
        self.transport.close()
        self._end_after(self._fetch_seconds())

    def _answer(self, error: ServiceError) -> None:
        problem, name = problem_of(error), new_name()
        self.transport.write(_response(problem, {**SECURE_HEADERS, **error.headers, HEADER: name}))
        metrics: Metrics | None = self.app_state.get("metrics")
        if metrics is not None:
            metrics.count_refusal(problem.status, problem.kind)
        request_id.set(name)
        logger.debug("refused before it was a request: %s", error)

    def _end_after(self, seconds: float) -> None:
        self._cancel_end()
        self._end = self.loop.call_later(seconds, self._late)

    def _late(self) -> None:
        if self.transport.is_closing():  # but the client does not fetch what is left
            self.transport.abort()
        elif self._pending_bytes:
            self._refuse(SlowRequestError("The request's headers arrive too slowly; send again."))
        else:
            self.transport.close()
            self._end_after(self._fetch_seconds())

    def _fetch_seconds(self) -> float:
        size = self.transport.get_write_buffer_size()
        return self._limits.transfer_seconds + size / BYTES_PER_SECOND

    def _headers_too_large(self) -> HeadersTooLargeError:
        return HeadersTooLargeError(
            f"The request's line and headers are too large; send at most "
            f"{self._limits.header_bytes} bytes."
        )

    def _cancel_end(self) -> None:
        if self._end is not None:
            self._end.cancel()
            self._end = None

    def _cancel_stall(self) -> None:
        if self._stall is not None:
            self._stall.cancel()
            self._stall = None


def _response(problem: Problem, more_headers: dict[str, str]) -> bytes:
    body = problem.model_dump_json().encode()
    headers = {
        **more_headers,
        "Content-Type": MEDIA_TYPE,
        "Content-Length": str(len(body)),
        "Connection": "close",
    }
    lines = [f"HTTP/1.1 {problem.status} {HTTPStatus(problem.status).phrase}"]
    lines += [f"{name}: {value}" for name, value in headers.items()]
    return "\r\n".join([*lines, "", ""]).encode() + body
