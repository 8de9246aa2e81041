"""What `/metrics` tells."""

from __future__ import annotations

import httpx
from prometheus_client.parser import text_string_to_metric_families


def figure(text: str, name: str, /, **labels: str) -> float:
    """Return the sum of the samples of this name that have these labels."""
    return sum(
        sample.value
        for family in text_string_to_metric_families(text)
        for sample in family.samples
        if sample.name == name and labels.items() <= sample.labels.items()
    )


async def figures(client: httpx.AsyncClient) -> str:
    response = await client.get("/metrics")
    assert response.status_code == 200
    assert response.headers["content-type"].startswith("text/plain; version=")
    return response.text
