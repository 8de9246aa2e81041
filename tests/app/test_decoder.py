from __future__ import annotations

import threading
from typing import Any

import httpx
import pytest

from tests.app.client import post
from tests.app.pictures import picture

pytestmark = pytest.mark.anyio


async def test_decoding_keeps_off_the_event_loop(
    fake_client: httpx.AsyncClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    from app.decoder import decode_image

    threads: list[threading.Thread] = []

    def watched(*arguments: Any) -> Any:
        threads.append(threading.current_thread())
        return decode_image(*arguments)

    monkeypatch.setattr("app.decoder.decode_image", watched)
    await post(fake_client, picture())

    assert threading.main_thread() not in threads
    assert threads
