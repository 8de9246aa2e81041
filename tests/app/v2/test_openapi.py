from __future__ import annotations

import json

import httpx
import pytest

from tests.app.v2.requests import INFER

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
    for tensor in schema["properties"]["inputs"]["items"]["anyOf"]:
        assert {"name", "shape", "datatype", "parameters", "data"} <= set(tensor["properties"])
        assert "binary_data_size" in tensor["properties"]["parameters"]["properties"]


async def test_inputs_are_those_of_the_metadata(fake_client: httpx.AsyncClient) -> None:
    document = (await fake_client.get("/openapi.json")).json()
    metadata = (await fake_client.get("/v2/models/red-or-blue")).json()

    content = document["paths"]["/v2/models/{name}/infer"]["post"]["requestBody"]["content"]
    properties = content["application/json"]["schema"]["properties"]
    documented = {
        (tensor["name"]["const"], tensor["datatype"]["const"], tensor["shape"]["maxItems"])
        for tensor in (each["properties"] for each in properties["inputs"]["items"]["anyOf"])
    }
    assert documented == {
        (each["name"], each["datatype"], len(each["shape"])) for each in metadata["inputs"]
    }
    outputs = properties["outputs"]["items"]["properties"]["name"]["enum"]
    assert outputs == [each["name"] for each in metadata["outputs"]]


async def test_examples_can_be_sent_as_they_are(fake_client: httpx.AsyncClient) -> None:
    document = (await fake_client.get("/openapi.json")).json()

    content = document["paths"]["/v2/models/{name}/infer"]["post"]["requestBody"]["content"]
    examples = content["application/json"]["examples"].values()
    answers = [await fake_client.post(INFER, json=example["value"]) for example in examples]
    assert [answer.status_code for answer in answers] == [200, 200]


async def test_header_is_a_number_and_never_null(fake_client: httpx.AsyncClient) -> None:
    document = (await fake_client.get("/openapi.json")).json()

    parameters = document["paths"]["/v2/models/{name}/infer"]["post"]["parameters"]
    header = next(each["schema"] for each in parameters if each["in"] == "header")
    assert (header["type"], header["minimum"]) == ("integer", 0)
