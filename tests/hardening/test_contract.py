from __future__ import annotations

import httpx

from hardening.contract import check


def test_schemathesis_finds_nothing(port: int) -> None:
    address = f"http://127.0.0.1:{port}"

    verdict = check(
        address,
        examples=2,
        seed=1,
        phases=["examples", "coverage", "fuzzing"],
    )

    assert verdict.clean, verdict.printed
    paths = httpx.get(f"{address}/openapi.json").json()["paths"]
    assert verdict.operations == sum(len(path) for path in paths.values())
