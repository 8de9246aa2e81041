"""Jobs of no pipeline. To be made where an event loop runs."""

from __future__ import annotations

import asyncio

from app.images import DecodedImage
from app.job import Job


def job_of(
    picture: bytes | DecodedImage = b"", *, keeps_pixels: bool = False, goes_alone: bool = False
) -> Job:
    answer = asyncio.get_running_loop().create_future()
    job = Job(picture, answer, keeps_pixels=keeps_pixels)
    job.goes_alone = goes_alone
    return job
