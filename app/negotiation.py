"""Which of several media types a client wants (RFC 9110, section 12.5.1)."""

from __future__ import annotations

from collections.abc import Sequence

from starlette.requests import Request

from app.errors import NotAcceptableError

_LONGEST_ACCEPT = 1024


def accepted_type(request: Request, offered: Sequence[str]) -> str:
    """Return the media type that the header Accept prefers, of equals the one offered first.

    Raises:
        NotAcceptableError: It takes none of them, or is longer than any browser's.
    """
    accept = ",".join(request.headers.getlist("accept")) or "*/*"
    if len(accept) > _LONGEST_ACCEPT:
        raise NotAcceptableError(
            f"The header Accept is too long; send at most {_LONGEST_ACCEPT} characters."
        )
    weights = dict(map(_weighted_range, accept.split(",")))
    best = max(offered, key=lambda media_type: _weight(media_type, weights))
    if _weight(best, weights) == 0:
        raise NotAcceptableError(
            f"Accept: {accept!r} takes nothing that this answers with; ask for "
            f"{' or '.join(offered)}."
        )
    return best


def _weight(media_type: str, weights: dict[str, float]) -> float:
    kind = media_type.partition("/")[0]
    ranges = (media_type, f"{kind}/*", "*/*")
    return next((weights[each] for each in ranges if each in weights), 0)


def _weighted_range(text: str) -> tuple[str, float]:
    media_range, *parameters = (part.strip().lower() for part in text.split(";"))
    return media_range, next((_number(each[2:]) for each in parameters if each[:2] == "q="), 1)


def _number(text: str) -> float:
    try:
        return float(text)
    except ValueError:
        return 0
