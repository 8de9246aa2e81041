from __future__ import annotations

import httpx

from hardening.contract import check
from tests.app.access.keys import KEY


def test_schemathesis_finds_nothing(closed_port: int) -> None:
    address = f"http://127.0.0.1:{closed_port}"

    verdict = check(
        address, examples=2, seed=1, phases=["examples", "coverage", "fuzzing"], key=KEY
    )

    assert verdict.clean, verdict.printed
    paths = httpx.get(f"{address}/openapi.json").json()["paths"]
    assert verdict.operations == sum(len(path) for path in paths.values())
