from __future__ import annotations

from collections.abc import Sequence

import pytest

from app.job import Job
from app.lanes.feeding import Feeder
from app.lanes.queue import Queue
from tests.app.lanes.jobs import job_of

pytestmark = pytest.mark.anyio

MAX_BATCH = 4


class FakeLane:
    """Has answered long ago, until that is changed."""

    def __init__(self) -> None:
        self.seconds_since_answer = 3600.0
        self.given: list[Job] = []
        self.asked: list[list[Job]] = []
        self.widths: list[bool] = []

    @property
    def pictures(self) -> int:
        return len(self.given) + sum(map(len, self.asked))

    @property
    def growing(self) -> int:
        return len(self.given)

    @property
    def batches(self) -> int:
        return len(self.asked)

    @property
    def predicting(self) -> bool:
        return bool(self.asked)

    def give(self, job: Job) -> None:
        self.given.append(job)

    def predict(self, *, wide: bool) -> None:
        self.asked.append(self.given)
        self.widths.append(wide)
        self.given = []

    def answer(self) -> None:
        self.asked.pop(0)
        self.seconds_since_answer = 0.0


class Clock:
    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture(autouse=True)
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    clock = Clock()
    monkeypatch.setattr("app.lanes.feeding.monotonic", clock)
    return clock


@pytest.fixture
def queue() -> Queue:
    return Queue()


@pytest.fixture
def feeder(queue: Queue) -> Feeder:
    return Feeder(queue, MAX_BATCH)


@pytest.fixture
def lanes() -> list[FakeLane]:
    return [FakeLane(), FakeLane()]


def let_wait(queue: Queue, jobs: Sequence[Job], *, patient: bool = False) -> None:
    for job in jobs:
        queue.append(job, patient=patient)


def some(count: int) -> list[Job]:
    return [job_of() for _ in range(count)]


def sizes(lane: FakeLane) -> list[int]:
    return [len(batch) for batch in lane.asked]


async def test_picture_alone_goes_to_the_first_lane_with_all_cores(
    feeder: Feeder, queue: Queue, lanes: list[FakeLane]
) -> None:
    let_wait(queue, some(1))

    assert not feeder.feed(lanes)
    assert [sizes(lane) for lane in lanes] == [[1], []]
    assert lanes[0].widths == [True]


async def test_picture_beside_another_has_one_core(
    feeder: Feeder, queue: Queue, lanes: list[FakeLane]
) -> None:
    let_wait(queue, some(1))
    feeder.feed(lanes)
    let_wait(queue, some(1))
    feeder.feed(lanes)

    assert [sizes(lane) for lane in lanes] == [[1], [1]]
    assert lanes[1].widths == [False]


async def test_lanes_divide_what_waits(feeder: Feeder, queue: Queue, lanes: list[FakeLane]) -> None:
    jobs = some(5)
    let_wait(queue, jobs)
    feeder.feed(lanes)

    assert [lane.asked for lane in lanes] == [[jobs[0::2]], [jobs[1::2]]]
    assert [lane.widths for lane in lanes] == [[False], [False]]
    assert queue.prompt == 0


async def test_lanes_take_no_more_than_a_batch(
    feeder: Feeder, queue: Queue, lanes: list[FakeLane]
) -> None:
    let_wait(queue, some(2 * MAX_BATCH + 3))
    feeder.feed(lanes)

    assert [sizes(lane) for lane in lanes] == [[MAX_BATCH], [MAX_BATCH]]
    assert queue.prompt == 3


async def test_busy_lane_is_given_nothing_while_another_is_idle(
    feeder: Feeder, queue: Queue, lanes: list[FakeLane]
) -> None:
    let_wait(queue, some(1))
    feeder.feed(lanes)
    let_wait(queue, some(MAX_BATCH + 1))
    feeder.feed(lanes)

    assert [sizes(lane) for lane in lanes] == [[1], [MAX_BATCH]]
    assert queue.prompt == 1


async def test_next_batches_are_given_ahead_where_more_waits_than_all_lanes_take(
    feeder: Feeder, queue: Queue, lanes: list[FakeLane]
) -> None:
    let_wait(queue, some(6 * MAX_BATCH))
    feeder.feed(lanes)
    assert [sizes(lane) for lane in lanes] == [[MAX_BATCH] * 2, [MAX_BATCH] * 2]

    feeder.feed(lanes)
    assert queue.prompt == 2 * MAX_BATCH, "no lane has three"


async def test_next_batch_is_not_given_ahead_where_another_lane_could_take_it(
    feeder: Feeder, queue: Queue, lanes: list[FakeLane]
) -> None:
    let_wait(queue, some(4 * MAX_BATCH - 1))
    feeder.feed(lanes)

    assert [sizes(lane) for lane in lanes] == [[MAX_BATCH], [MAX_BATCH]]


async def test_lane_that_has_just_answered_waits_for_its_share(
    feeder: Feeder, queue: Queue, lanes: list[FakeLane]
) -> None:
    let_wait(queue, some(4))
    feeder.feed(lanes)
    for lane in lanes:
        lane.answer()
    let_wait(queue, some(2))

    assert feeder.feed(lanes)
    assert [lane.growing for lane in lanes] == [1, 1], "and decodes meanwhile"

    let_wait(queue, some(2))
    assert not feeder.feed(lanes)
    assert [sizes(lane) for lane in lanes] == [[2], [2]]


async def test_lane_does_not_wait_long(feeder: Feeder, queue: Queue, lanes: list[FakeLane]) -> None:
    let_wait(queue, some(4))
    feeder.feed(lanes)
    for lane in lanes:
        lane.answer()
    let_wait(queue, some(2))
    feeder.feed(lanes)
    for lane in lanes:
        lane.seconds_since_answer = 0.004

    assert not feeder.feed(lanes)
    assert [sizes(lane) for lane in lanes] == [[1], [1]]


@pytest.mark.parametrize(("pauses", "waits"), [([0.2], True), ([0.3], True), ([0.3, 0.3], False)])
async def test_company_of_lately_is_expected(
    feeder: Feeder,
    queue: Queue,
    lanes: list[FakeLane],
    clock: Clock,
    pauses: list[float],
    waits: bool,
) -> None:
    let_wait(queue, some(4))
    feeder.feed(lanes)
    for lane in lanes:
        lane.answer()
    for pause in pauses:
        clock.now += pause
        feeder.feed(lanes)
    let_wait(queue, some(1))

    assert feeder.feed(lanes) is waits


async def test_company_is_not_expected_after_a_long_pause(
    feeder: Feeder, queue: Queue, lanes: list[FakeLane], clock: Clock
) -> None:
    let_wait(queue, some(4))
    feeder.feed(lanes)
    for lane in lanes:
        lane.answer()
    clock.now += 0.6
    let_wait(queue, some(1))

    assert not feeder.feed(lanes)
    assert lanes[0].widths[-1]


async def test_what_another_lane_predicts_is_not_waited_for(
    feeder: Feeder, queue: Queue, lanes: list[FakeLane]
) -> None:
    let_wait(queue, some(4))
    feeder.feed(lanes)
    lanes[0].answer()
    let_wait(queue, some(2))

    assert not feeder.feed(lanes)
    assert sizes(lanes[0]) == [2]


async def test_picture_that_goes_alone_has_a_batch_of_its_own(
    feeder: Feeder, queue: Queue, lanes: list[FakeLane]
) -> None:
    alone = job_of(goes_alone=True)
    others = some(3)
    let_wait(queue, [alone, *others])
    feeder.feed(lanes)

    assert [lane.asked for lane in lanes] == [[[alone]], [others]]


async def test_picture_that_goes_alone_does_not_join_others(
    feeder: Feeder, queue: Queue, lanes: list[FakeLane]
) -> None:
    before, alone, after = some(2), job_of(goes_alone=True), some(1)
    let_wait(queue, [*before, alone, *after])
    feeder.feed(lanes)

    assert [lane.asked for lane in lanes] == [[before[:1]], [before[1:]]]
    assert queue.take_all() == [alone, *after]


async def test_patient_pictures_go_to_the_last_of_idle_lanes(
    feeder: Feeder, queue: Queue, lanes: list[FakeLane]
) -> None:
    let_wait(queue, some(6), patient=True)
    feeder.feed(lanes)

    assert [sizes(lane) for lane in lanes] == [[], [MAX_BATCH]]
    assert queue.patient == 2


async def test_patient_pictures_leave_a_lane_idle(
    feeder: Feeder, queue: Queue, lanes: list[FakeLane]
) -> None:
    let_wait(queue, some(6), patient=True)
    feeder.feed(lanes)
    feeder.feed(lanes)
    assert queue.patient == 2

    let_wait(queue, some(1))
    feeder.feed(lanes)
    assert sizes(lanes[0]) == [2], "with one that is patient"


async def test_patient_pictures_have_a_quarter_of_a_batch_while_others_wait(
    feeder: Feeder, queue: Queue, lanes: list[FakeLane]
) -> None:
    patient, others = some(6), some(12)
    let_wait(queue, patient, patient=True)
    let_wait(queue, others)
    feeder.feed(lanes)

    assert [sizes(lane) for lane in lanes] == [[MAX_BATCH], [MAX_BATCH]]
    assert [lane.asked[0][-1] for lane in lanes] == patient[:2]
    assert queue.prompt == 6


async def test_patient_pictures_fill_a_small_batch_no_further(
    feeder: Feeder, queue: Queue, lanes: list[FakeLane]
) -> None:
    let_wait(queue, some(6), patient=True)
    let_wait(queue, some(1))
    feeder.feed(lanes)

    assert [sizes(lane) for lane in lanes] == [[2], []]
    assert lanes[0].widths == [False]


async def test_patient_pictures_do_not_go_ahead_of_others_that_wait(
    feeder: Feeder, queue: Queue, lanes: list[FakeLane]
) -> None:
    (lane, _) = lanes
    let_wait(queue, some(1))
    feeder.feed([lane])
    let_wait(queue, some(MAX_BATCH), patient=True)
    let_wait(queue, [job_of(goes_alone=True), *some(MAX_BATCH)])
    feeder.feed([lane])

    assert sizes(lane) == [1, 1]
    assert queue.patient == MAX_BATCH


@pytest.mark.parametrize("patient", [False, True])
async def test_without_lanes_all_wait(feeder: Feeder, queue: Queue, patient: bool) -> None:
    let_wait(queue, some(3), patient=patient)

    assert not feeder.feed([])
    assert queue.prompt + queue.patient == 3


async def test_cancelled_picture_is_not_given(
    feeder: Feeder, queue: Queue, lanes: list[FakeLane]
) -> None:
    jobs = some(2)
    let_wait(queue, jobs)
    jobs[0].answer.cancel()
    feeder.feed(lanes)

    assert [lane.asked for lane in lanes] == [[[jobs[1]]], []]
