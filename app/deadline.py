"""How long a request may take: its client to send it, and the service to answer."""

from __future__ import annotations

import asyncio

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from app.errors import DeadlineError, ServiceError, SlowRequestError
from app.problems import error_response

BYTES_PER_SECOND = 32_768
"""What a client must be able to send and to fetch."""


class Deadlines:
    """ASGI middleware that ends requests which take too long.

    Time passes for the client while the app waits for the body, and for the service while it does
    anything else, until the answer begins. Where one is late, the app's work is cancelled, and the
    answer is 408 or 504.
    """

    def __init__(self, app: ASGIApp, *, transfer_seconds: float, answer_seconds: float) -> None:
        """Give clients and the service their time.

        Args:
            app: What answers.
            transfer_seconds: That the app may wait for a body, which earns more by arriving, but
                never to have more than these.
            answer_seconds: That the service may work on a request.
        """
        self._app = app
        self._transfer_seconds = transfer_seconds
        self._answer_seconds = answer_seconds

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on, and end it if it is late."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        clock = _Clock(receive, send, self._transfer_seconds, self._answer_seconds)
        try:
            async with clock.timeout:
                await self._app(scope, clock.receive, clock.send)
        except TimeoutError:
            if not clock.timeout.expired():
                raise
            response = await error_response(clock.lateness(), scope)
            await response(scope, receive, send)
        finally:
            clock.stop()


class Patience:
    """The time that is left to a client for sending, which it spends by waiting."""

    def __init__(self, seconds: float) -> None:
        self.seconds = self._most = seconds

    def spend(self, seconds: float, received: int) -> None:
        """Take the time that a client took for some bytes, and give what they earn."""
        left = self.seconds - seconds + received / BYTES_PER_SECOND
        self.seconds = min(self._most, left)


class _Clock:
    """Tells who is late with a request.

    One timer does for most requests: it is set anew only where it would ring too late, and where
    it rings too early.
    """

    def __init__(
        self, receive: Receive, send: Send, transfer_seconds: float, answer_seconds: float
    ) -> None:
        self.timeout = asyncio.timeout(None)
        self._receive = receive
        self._send = send
        self._loop = asyncio.get_running_loop()
        self._patience = Patience(transfer_seconds)
        self._answer_seconds = answer_seconds
        self._arriving = True
        self._late_client = False
        self._waiting = False
        self._due = self._answer_by = self._loop.time() + answer_seconds
        self._rings_at = self._due
        self._alarm = self._loop.call_at(self._due, self._ring)

    def lateness(self) -> ServiceError:
        """Return what is wrong once the time is over."""
        if self._late_client:
            return SlowRequestError(
                "The request's body arrives too slowly; send it again over a faster connection."
            )
        return DeadlineError(
            f"There was no answer within {self._answer_seconds:g} s; try again later."
        )

    def stop(self) -> None:
        """Let the request take what time it takes."""
        self._alarm.cancel()

    async def receive(self) -> Message:
        """Return the next message, for which the client has its time."""
        if not self._arriving:
            return await self._receive()
        began = self._loop.time()
        self._waiting = True
        self._ring_by(began + self._patience.seconds)
        message = await self._receive()
        waited = self._loop.time() - began
        self._waiting = False
        self._answer_by += waited
        self._ring_by(self._answer_by)
        self._patience.spend(waited, len(message.get("body", b"")))
        self._arriving = message.get("more_body", False)
        return message

    async def send(self, message: Message) -> None:
        """Pass a message on, and stop: how fast an answer is fetched is the server's concern."""
        self.stop()
        await self._send(message)

    def _ring_by(self, due: float) -> None:
        self._due = due
        if due < self._rings_at:
            self._alarm.cancel()
            self._set_alarm()

    def _set_alarm(self) -> None:
        self._rings_at = self._due
        self._alarm = self._loop.call_at(self._due, self._ring)

    def _ring(self) -> None:
        if self._loop.time() < self._due:
            self._set_alarm()
            return
        self._late_client = self._waiting
        self.timeout.reschedule(self._due)  # which is now
