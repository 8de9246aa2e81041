from __future__ import annotations

import gc
import sys

import pytest

from app.interpreter import settled_interpreter


def test_interpreter_is_settled_and_left_as_it_was() -> None:
    before = sys.getswitchinterval()

    with settled_interpreter():
        assert gc.get_freeze_count() > 0
        assert sys.getswitchinterval() < before

    assert gc.get_freeze_count() == 0
    assert sys.getswitchinterval() == before


@pytest.mark.anyio
@pytest.mark.usefixtures("settled", "fake_client")
async def test_application_settles_it_while_it_serves() -> None:
    assert gc.get_freeze_count() > 0
