from __future__ import annotations

import sys

import pytest

from app.processes import resident_bytes


@pytest.mark.skipif(sys.platform != "linux", reason="other systems do not tell")
def test_this_process_has_memory() -> None:
    assert 2**20 < resident_bytes() < 2**40
