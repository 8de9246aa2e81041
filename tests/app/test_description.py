"""What linters of OpenAPI documents (Spectral's `oas` rules) ask for, and FastAPI leaves open."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from app.main import create_app
from app.settings import Settings
from tests.app.access.keys import KEY

METHODS = {"get", "post", "put", "patch", "delete"}


@pytest.fixture(scope="module", params=["", KEY], ids=["open", "closed"])
def document(request: pytest.FixtureRequest) -> dict[str, Any]:
    keys = {"api_keys": request.param} if request.param else {}
    return create_app(Settings(device="cpu", **keys)).openapi()


def operations(document: dict[str, Any]) -> list[dict[str, Any]]:
    return [path[method] for path in document["paths"].values() for method in METHODS & set(path)]


def objects(part: Any) -> Iterator[dict[str, Any]]:
    """Yield all JSON objects in a part of the document."""
    if isinstance(part, dict):
        yield part
    if isinstance(part, dict | list):
        for each in part.values() if isinstance(part, dict) else part:
            yield from objects(each)


def test_service_is_described(document: dict[str, Any]) -> None:
    assert {"title", "version", "description", "contact", "license"} <= set(document["info"])
    assert [server["url"] for server in document["servers"]] == ["/"]


def test_tags_are_described(document: dict[str, Any]) -> None:
    described = {tag["name"] for tag in document["tags"] if tag["description"]}

    assert {tag for operation in operations(document) for tag in operation["tags"]} == described


def test_operations_are_described_and_named_apart(document: dict[str, Any]) -> None:
    names = [operation["operationId"] for operation in operations(document)]

    assert len(set(names)) == len(names)
    assert all(
        operation["summary"] and operation["description"] for operation in operations(document)
    )


def test_every_response_in_json_has_an_example(document: dict[str, Any]) -> None:
    without = [
        (operation["operationId"], status, media_type)
        for operation in operations(document)
        for status, response in operation["responses"].items()
        for media_type, content in response["content"].items()
        if "json" in media_type and not (content.get("example") or content.get("examples"))
    ]

    assert without == []


def test_examples_are_whole(document: dict[str, Any]) -> None:
    """FastAPI drops what is null: no example may need it."""
    schemas = document["components"]["schemas"]
    answers = [operation["responses"]["200"]["content"] for operation in operations(document)]
    for content in [each["application/json"] for each in answers if "application/json" in each]:
        schema = schemas[content["schema"]["$ref"].rpartition("/")[2]]
        shown = set(content["example"])
        assert set(schema.get("required", [])) <= shown <= set(schema["properties"])


def test_references_lead_somewhere(document: dict[str, Any]) -> None:
    schemas = {f"#/components/schemas/{name}" for name in document["components"]["schemas"]}

    assert {each["$ref"] for each in objects(document) if "$ref" in each} <= schemas


def test_arrays_say_what_they_hold(document: dict[str, Any]) -> None:
    arrays = [each for each in objects(document) if each.get("type") == "array"]

    assert arrays
    assert all("items" in each for each in arrays)


def test_batch_holds_at_least_one_file(document: dict[str, Any]) -> None:
    content = document["paths"]["/predict/batch"]["post"]["requestBody"]["content"]
    assert content["multipart/form-data"]["schema"]["properties"]["files"]["minItems"] == 1
