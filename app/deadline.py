"""How long a request may take: its client to send it, and the service to answer."""

from __future__ import annotations

import asyncio

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from app.errors import DeadlineError, SlowRequestError
from app.problems import error_response

BYTES_PER_SECOND = 32_768
"""What a client must be able to send and to fetch."""


class Deadlines:
    """ASGI middleware that ends requests which take too long.

    Time passes for the client while the app waits for the body, and for the service while it does
    anything else, until the answer begins. A client that is late finds 408, as the app reads from
    it; a service that is late has its work cancelled, and is spoken for with 504.
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
        timer = asyncio.timeout(self._answer_seconds)
        body = _Body(receive, timer, Patience(self._transfer_seconds))

        async def timely_send(message: Message) -> None:
            if not timer.expired():
                timer.reschedule(None)
            await send(message)

        try:
            async with timer:
                await self._app(scope, body.receive, timely_send)
        except TimeoutError:
            if not timer.expired():
                raise
            error = DeadlineError(
                f"There was no answer within {self._answer_seconds:g} s; try again later."
            )
            response = await error_response(error, scope)
            await response(scope, receive, send)


class Patience:
    """The time that is left to a client for sending, which it spends by waiting."""

    def __init__(self, seconds: float) -> None:
        self.seconds = self._most = seconds

    def spend(self, seconds: float, received: int) -> None:
        """Take the time that a client took for some bytes, and give what they earn."""
        left = self.seconds - seconds + received / BYTES_PER_SECOND
        self.seconds = min(self._most, left)


class _Body:
    """The body of a request, as it arrives; the service's timer stands still meanwhile."""

    def __init__(self, receive: Receive, timer: asyncio.Timeout, patience: Patience) -> None:
        self._receive = receive
        self._timer = timer
        self._patience = patience
        self._arriving = True

    async def receive(self) -> Message:
        """Return the next message; raise SlowRequestError if the body is late."""
        if not self._arriving or self._timer.expired():
            return await self._receive()
        began = asyncio.get_running_loop().time()
        deadline = self._timer.when()
        self._timer.reschedule(None)
        try:
            async with asyncio.timeout(self._patience.seconds):
                message = await self._receive()
        except TimeoutError:
            raise SlowRequestError(
                "The request's body arrives too slowly; send it again over a faster connection."
            ) from None
        finally:
            waited = asyncio.get_running_loop().time() - began
            if deadline is not None:
                self._timer.reschedule(deadline + waited)
        self._patience.spend(waited, len(message.get("body", b"")))
        self._arriving = message.get("more_body", False)
        return message
