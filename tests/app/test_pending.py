from __future__ import annotations

import pytest

from app.job import Job
from app.pending import Pending
from tests.app.lanes.jobs import job_of
from tests.app.pipelines import image

pytestmark = pytest.mark.anyio

MAX_BATCH = 4


@pytest.fixture
def pending() -> Pending:
    return Pending(MAX_BATCH)


def add(pending: Pending, count: int, *, patient: bool = False) -> list[Job]:
    """Let so many pictures wait that came decoded."""
    jobs = [job_of(image(0)) for _ in range(count)]
    for job in jobs:
        pending.append(job, patient=patient)
    return jobs


async def test_files_wait_to_be_decoded_and_then_for_an_engine(pending: Pending) -> None:
    job = job_of(b"a picture")
    pending.append(job)
    assert pending.next_batch(1, 1) == []

    assert pending.next_encoded() is job
    assert pending.next_encoded() is None
    assert pending.prompt == 1
    assert pending.next_batch(1, 1) == []
    pending.decoded(job)
    assert pending.next_batch(1, 1) == [job]
    assert pending.prompt == 0


async def test_file_that_could_not_be_decoded_waits_no_more(pending: Pending) -> None:
    pending.append(job_of(b"no picture"))
    pending.next_encoded()
    pending.decoded(None)

    assert pending.prompt == 0
    assert pending.next_batch(1, 1) == []


async def test_idle_engines_divide_what_waits(pending: Pending) -> None:
    jobs = add(pending, 5)

    assert pending.next_batch(2, 2) == jobs[:3]
    assert pending.next_batch(1, 2) == jobs[3:]


async def test_batch_is_no_larger_than_it_may_be(pending: Pending) -> None:
    jobs = add(pending, 9)

    assert pending.next_batch(1, 1) == jobs[:MAX_BATCH]


async def test_patient_pictures_have_a_share_of_every_batch(pending: Pending) -> None:
    patient = add(pending, 2, patient=True)
    jobs = add(pending, 9)

    assert pending.next_batch(1, 1) == [*jobs[:3], patient[0]]


async def test_patient_pictures_leave_an_engine_idle(pending: Pending) -> None:
    patient = add(pending, 2, patient=True)

    assert pending.next_batch(1, 2) == []
    assert pending.next_batch(2, 2) == patient


async def test_patient_pictures_let_others_be_decoded(pending: Pending) -> None:
    add(pending, 2, patient=True)
    pending.append(job_of(b"a picture"))

    assert pending.next_batch(1, 1) == []


async def test_all_are_taken_but_those_that_are_being_decoded(pending: Pending) -> None:
    for name in (b"1", b"2"):
        pending.append(job_of(name))
    pending.next_encoded()
    jobs = add(pending, 1) + add(pending, 1, patient=True)

    assert pending
    assert pending.take_all()[1:] == jobs
    assert not pending
    assert (pending.prompt, pending.patient) == (1, 0)


@pytest.mark.parametrize("patient", [False, True])
async def test_picture_that_is_removed_is_forgotten(pending: Pending, patient: bool) -> None:
    (job,) = add(pending, 1, patient=patient)
    pending.remove(job)
    pending.remove(job)

    assert not pending
