from __future__ import annotations

import json

import httpx
import pytest

pytestmark = pytest.mark.anyio


async def test_openapi_describes_both_content_types(fake_client: httpx.AsyncClient) -> None:
    document = (await fake_client.get("/openapi.json")).json()

    infer = document["paths"]["/v2/models/{name}/infer"]["post"]
    assert infer["tags"] == ["Open Inference Protocol"]
    content = infer["requestBody"]["content"]
    assert set(content) == {"application/json", "application/octet-stream"}
    assert set(infer["responses"]["200"]["content"]) == set(content)
    assert {"400", "404", "413", "415", "500", "503"} <= set(infer["responses"])
    header = next(each for each in infer["parameters"] if each["in"] == "header")
    assert header["name"] == "Inference-Header-Content-Length"


async def test_request_schema_refers_to_nothing_that_is_not_there(
    fake_client: httpx.AsyncClient,
) -> None:
    document = (await fake_client.get("/openapi.json")).json()

    body = document["paths"]["/v2/models/{name}/infer"]["post"]["requestBody"]
    schema = body["content"]["application/json"]["schema"]
    assert "$ref" not in json.dumps(schema)
    tensor = schema["properties"]["inputs"]["items"]["properties"]
    assert {"name", "shape", "datatype", "parameters", "data"} <= set(tensor)
    assert "binary_data_size" in tensor["parameters"]["properties"]
