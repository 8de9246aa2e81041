from __future__ import annotations

import pytest
from starlette.requests import Request

from app.errors import NotAcceptableError
from app.negotiation import accepted_type

JSON, PNG = OFFERED = ("application/json", "image/png")


def request(*accept: str) -> Request:
    headers = [(b"accept", each.encode()) for each in accept]
    return Request({"type": "http", "method": "POST", "path": "/", "headers": headers})


@pytest.mark.parametrize(
    ("accept", "chosen"),
    [
        ("", JSON),
        ("*/*", JSON),
        ("application/json", JSON),
        ("image/png", PNG),
        ("IMAGE/PNG", PNG),
        ("image/*", PNG),
        ("image/png, application/json", JSON),
        ("image/png, application/json;q=0.9", PNG),
        ("image/png;q=0.2, */*;q=0.1", PNG),
        ("application/json;q=0, */*", PNG),
        ("text/html, image/avif, image/webp, */*; q=0.8", JSON),
        ("image/*;q=0.9, application/json;version=1;q=0.8", PNG),
        ("image/png;q=much, */*;q=0.1", JSON),
    ],
)
def test_preference_is_met(accept: str, chosen: str) -> None:
    assert accepted_type(request(accept), OFFERED) == chosen


def test_client_without_preference_gets_what_is_offered_first() -> None:
    assert accepted_type(request(), OFFERED) == JSON


def test_header_may_come_in_parts() -> None:
    assert accepted_type(request("application/json;q=0.1", "image/png"), OFFERED) == PNG


@pytest.mark.parametrize("accept", ["text/html", "image/webp", "*/*;q=0", "json"])
def test_what_takes_nothing_offered_is_refused(accept: str) -> None:
    with pytest.raises(NotAcceptableError, match="ask for application/json or image/png"):
        accepted_type(request(accept), OFFERED)


def test_long_headers_are_not_parsed() -> None:
    with pytest.raises(NotAcceptableError, match="too long"):
        accepted_type(request("," * 1025), OFFERED)
