"""Whether a pipeline takes one more picture, and how much of a batch is for whom."""

from __future__ import annotations

from app.errors import NotReadyError, OverloadedError

_PATIENT_SHARE = 4
"""The part of a batch that is kept for patient pictures, while others wait, is one in this."""


def check_room(*, healthy: bool, waiting: int, max_queue: int) -> None:
    """Raise UnavailableError unless a pipeline predicts, and fewer than `max_queue` wait."""
    if not healthy:
        raise NotReadyError("The service is not predicting; try again later.")
    check_fits(waiting + 1, max_queue)


def check_fits(pictures: int, max_queue: int) -> None:
    """Raise OverloadedError if so many are more than may wait."""
    if pictures > max_queue:
        raise OverloadedError("Too many pictures are waiting; try again in a moment.")


def patient_share(max_batch: int) -> int:
    """Return the most patient pictures of a batch, while others wait."""
    return min(max_batch - 1, -(-max_batch // _PATIENT_SHARE))
