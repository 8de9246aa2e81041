from __future__ import annotations

from typing import Any

import pytest

from app.main import create_app
from app.settings import Settings
from tests.app.access.keys import KEY

HEALTH = {"/health/live", "/health/ready", "/v2/health/live", "/v2/health/ready"}


def document_of(**options: Any) -> dict[str, Any]:
    return create_app(Settings(device="cpu", **options)).openapi()


def operations(document: dict[str, Any]) -> dict[str, dict[str, Any]]:
    return {path: op for path, item in document["paths"].items() for op in item.values()}


def test_open_service_declares_no_keys() -> None:
    document = document_of()

    assert "security" not in document
    assert "securitySchemes" not in document["components"]
    for operation in operations(document).values():
        assert "security" not in operation
        assert "401" not in operation["responses"]


def test_closed_service_declares_both_ways_to_show_a_key() -> None:
    document = document_of(api_keys=KEY)

    assert document["security"] == [{"ApiKey": []}, {"Bearer": []}]
    schemes = document["components"]["securitySchemes"]
    assert schemes["ApiKey"] == {"type": "apiKey", "in": "header", "name": "X-API-Key"}
    assert schemes["Bearer"] == {"type": "http", "scheme": "bearer"}
    assert KEY not in str(document)


@pytest.mark.parametrize("open_metrics", [False, True])
def test_operations_that_need_no_key_say_so(open_metrics: bool) -> None:
    document = document_of(api_keys=KEY, open_metrics=open_metrics)

    without = {path for path, each in operations(document).items() if each.get("security") == []}
    assert without == HEALTH | ({"/metrics"} if open_metrics else set())


def test_operations_that_need_a_key_tell_how_they_refuse() -> None:
    for path, operation in operations(document_of(api_keys=KEY)).items():
        if path in HEALTH:
            assert "401" not in operation["responses"]
        else:
            (media_type,) = operation["responses"]["401"]["content"]
            below_v2 = path.startswith("/v2")
            assert media_type == ("application/json" if below_v2 else "application/problem+json")


def test_document_is_the_same_the_next_time() -> None:
    app = create_app(Settings(device="cpu", api_keys=KEY))

    assert app.openapi() == app.openapi()
