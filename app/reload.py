"""Another model in place of the one that is served, while requests go on."""

from __future__ import annotations

import asyncio
import logging
import os
import signal
import sys
from collections.abc import Callable, Sequence

from fastapi import FastAPI

from app.errors import StartupError
from app.memory import return_freed_memory
from app.metrics import Metrics
from app.model import Model, load_model
from app.processes import ended_loading
from app.service import Service
from app.settings import Settings

logger = logging.getLogger(__name__)

CHECK = (sys.executable, "-m", "app", "--check")
"""A command that loads the model, and says in its last line why it cannot be served."""

_CHECK_SECONDS = 300.0


class Reloader:
    """Changes the model of an application for the one that is in its folder now."""

    def __init__(
        self,
        app: FastAPI,
        check: Sequence[str] = CHECK,
        load: Callable[[Settings], Model] = load_model,
    ) -> None:
        self._app = app
        self._check = check
        self._load = load
        self._retiring: set[asyncio.Task[None]] = set()

    async def reload(self) -> str | None:
        """Change the model, or keep it and return the sentence that says why.

        Requests that came before are answered by the model that was there when they came.
        """
        old: Service = self._app.state.service
        metrics: Metrics = self._app.state.metrics
        try:
            await run_check(self._check)
            model = await asyncio.to_thread(self._load, old.settings)
            self._app.state.service = Service(old.settings, model, metrics)
        except Exception as error:  # nothing that a model does may end the one that works
            sentence = str(error) if isinstance(error, StartupError) else repr(error)
            logger.error("The model was refused, and %s goes on. %s", old.model, sentence)
            metrics.count_reload("refused")
            return sentence
        metrics.count_reload("loaded")
        retiring = asyncio.create_task(_retire(old))
        self._retiring.add(retiring)
        retiring.add_done_callback(self._retiring.discard)
        return None

    async def retired(self) -> None:
        """Return once every request that an earlier model is to answer is answered."""
        await asyncio.gather(*self._retiring)


async def run_check(command: Sequence[str]) -> None:
    """Try the model in a process of its own: native code that meets a bad one may end its process.

    Raises:
        StartupError: It cannot be served.
    """
    process = await asyncio.create_subprocess_exec(
        *command,
        stdout=asyncio.subprocess.DEVNULL,
        stderr=asyncio.subprocess.PIPE,
        start_new_session=True,
    )
    try:
        _, told = await asyncio.wait_for(process.communicate(), _CHECK_SECONDS)
        status = await process.wait()
    except TimeoutError:
        raise StartupError("The model takes too long to load; export it again.") from None
    finally:
        if process.returncode is None:
            os.killpg(process.pid, signal.SIGKILL)  # and what it started, which may hang
            await process.wait()
    if status < 0:
        raise StartupError(ended_loading(status))
    if status > 0:
        raise StartupError(told.decode(errors="replace").strip().rpartition("\n")[2])


async def _retire(service: Service) -> None:
    await service.free()
    await service.close()
    del service  # nobody else has it
    await asyncio.to_thread(return_freed_memory)
