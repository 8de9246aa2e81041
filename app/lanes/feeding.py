"""Which lane is given what, and when it predicts."""

from __future__ import annotations

from collections.abc import Sequence
from time import monotonic

from app.lanes.lane import Lane
from app.lanes.queue import Queue
from app.room import patient_share

COMPANY_SECONDS = 0.004
"""That a lane which has just answered decodes what comes before it predicts: who has an answer asks
again, and it takes the event loop some milliseconds to read a batch of uploads."""
_RECENT_SECONDS = 0.25


class Feeder:
    """Gives lanes what waits.

    Lanes that are not predicting divide it, and decode at once. One predicts when it has its share
    of as many pictures as were here together lately, or has waited long enough for them. A picture
    that comes while all are idle goes to the first of them, for its engine that has all cores.
    Where more waits than all lanes take, each has its next batch before it has answered one.
    """

    def __init__(self, queue: Queue, max_batch: int) -> None:
        self._queue = queue
        self._max_batch = max_batch
        self._most_patient = patient_share(max_batch)
        self._demand = _Demand()

    def feed(self, lanes: Sequence[Lane]) -> bool:
        """Give lanes what they should have now; return whether one waits for company."""
        here = self._queue.prompt + sum(lane.pictures for lane in lanes)
        demand = self._demand.most(here)
        open_lanes = [lane for lane in lanes if not lane.predicting]
        most = self._max_batch - min(self._most_patient, self._queue.patient)
        self._divide([lane for lane in open_lanes if lane.growing < most], most)
        expected = demand - sum(lane.pictures for lane in lanes if lane.predicting)
        share = min(most, -(-expected // max(1, len(open_lanes))))
        waits = False
        for lane in open_lanes:
            if not lane.growing or lane.predicting:
                continue
            if lane.growing < share and lane.seconds_since_answer < COMPANY_SECONDS:
                waits = True
            else:
                self._predict(lane, lanes)
        for lane in lanes:
            if self._queue.prompt >= self._max_batch * len(lanes) and lane.batches == 1:
                self._divide([lane], most)
                if lane.growing:
                    self._predict(lane, lanes)
        # Whoever comes next is to find another lane idle, if there is one.
        at_rest = not (self._queue.prompt or any(lane.pictures for lane in lanes))
        if lanes and self._queue.patient and at_rest:
            self._predict(lanes[-1], lanes)
        return waits

    def _divide(self, lanes: list[Lane], most: int) -> None:
        """Give each of the lanes pictures, until it has `most`."""
        while lanes and (job := self._queue.next_prompt()):
            lane = min(lanes, key=lambda lane: lane.growing)
            alone = job.goes_alone
            if alone and lane.growing:
                self._queue.give_back([job])
                lane.predict(wide=False)
                lanes.remove(lane)
                continue
            lane.give(job)
            if alone:
                lane.predict(wide=False)
            if alone or lane.growing >= most:
                lanes.remove(lane)

    def _predict(self, lane: Lane, lanes: Sequence[Lane]) -> None:
        most = self._most_patient if lane.growing else self._max_batch
        for job in self._queue.take_patient(min(most, self._max_batch - lane.growing)):
            lane.give(job)
        if lane.growing:
            lane.predict(wide=sum(each.pictures for each in lanes) == 1)


class _Demand:
    """The most pictures that were here at once lately."""

    def __init__(self) -> None:
        self._began = monotonic()
        self._before = self._now = 0

    def most(self, pictures: int) -> int:
        """Return it, with so many here now."""
        now = monotonic()
        if now - self._began > _RECENT_SECONDS:
            self._before = self._now if now - self._began < 2 * _RECENT_SECONDS else 0
            self._began, self._now = now, 0
        self._now = max(self._now, pictures)
        return max(self._before, self._now)
