from __future__ import annotations

import pytest

from app.job import Job
from app.lanes.queue import Queue
from tests.app.lanes.jobs import job_of

pytestmark = pytest.mark.anyio


@pytest.fixture
def queue() -> Queue:
    return Queue()


@pytest.fixture
async def jobs(queue: Queue) -> list[Job]:
    """Three that wait."""
    jobs = [job_of() for _ in range(3)]
    for job in jobs:
        queue.append(job, patient=False)
    return jobs


@pytest.fixture
async def patient(queue: Queue) -> list[Job]:
    """Three that wait patiently."""
    jobs = [job_of() for _ in range(3)]
    for job in jobs:
        queue.append(job, patient=True)
    return jobs


async def test_who_comes_first_goes_first(queue: Queue, jobs: list[Job]) -> None:
    assert [queue.next_prompt() for _ in range(4)] == [*jobs, None]
    assert queue.prompt == 0


async def test_patient_pictures_wait_by_themselves(
    queue: Queue, jobs: list[Job], patient: list[Job]
) -> None:
    assert (queue.prompt, queue.patient) == (3, 3)
    assert queue.take_patient(2) == patient[:2]
    assert queue.next_prompt() == jobs[0]
    assert queue.take_patient(2) == patient[2:]
    assert (queue.prompt, queue.patient) == (2, 0)


async def test_pictures_that_are_given_back_go_first(queue: Queue, jobs: list[Job]) -> None:
    taken = [queue.next_prompt(), queue.next_prompt()]
    queue.give_back(job for job in taken if job)

    assert [queue.next_prompt() for _ in range(3)] == jobs


async def test_cancelled_pictures_are_not_taken(
    queue: Queue, jobs: list[Job], patient: list[Job]
) -> None:
    jobs[0].answer.cancel()
    patient[1].answer.cancel()

    assert queue.next_prompt() == jobs[1]
    assert queue.take_patient(2) == [patient[0], patient[2]]


async def test_picture_is_forgotten_wherever_it_waits(
    queue: Queue, jobs: list[Job], patient: list[Job]
) -> None:
    queue.remove(jobs[1])
    queue.remove(patient[0])
    queue.remove(job_of())

    assert queue.take_all() == [jobs[0], jobs[2], *patient[1:]]


async def test_taking_all_leaves_nothing(queue: Queue, jobs: list[Job], patient: list[Job]) -> None:
    jobs[2].answer.cancel()

    assert queue.take_all() == [*jobs[:2], *patient]
    assert (queue.prompt, queue.patient) == (0, 0)
    assert queue.take_all() == []


async def test_pictures_that_are_held_back_are_not_taken_until_they_are_let_go(
    queue: Queue, jobs: list[Job]
) -> None:
    held = [queue.next_prompt(), queue.next_prompt()]
    queue.hold(job for job in held if job)
    assert (queue.waiting, queue.prompt) == (3, 1)
    assert [queue.next_prompt(), queue.next_prompt()] == [jobs[2], None]

    queue.let_go()
    assert (queue.waiting, queue.prompt) == (2, 2)
    assert [queue.next_prompt(), queue.next_prompt()] == jobs[:2]


async def test_pictures_that_are_held_back_are_forgotten_and_taken_with_all(
    queue: Queue, jobs: list[Job]
) -> None:
    while job := queue.next_prompt():
        queue.hold([job])
    queue.remove(jobs[1])

    assert queue.take_all() == [jobs[0], jobs[2]]
    assert queue.waiting == 0
