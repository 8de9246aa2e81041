from __future__ import annotations

import json
import socket
import threading
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from app.errors import ModelCardError
from app.lanes.wire import Message, read_message, send_message
from app.lanes.work import FILE, KEPT_FILE, NARROW, PIXELS, WIDE, Loading, engine_of, work
from tests.app.fake_engine import FakeEngine
from tests.app.lanes.servers import FAKE, TINY
from tests.app.pictures import BLUE, RED, picture


class Lane:
    """A lane in a thread, with fake engines."""

    def __init__(self, loading: Loading = FAKE) -> None:
        self.narrow, self.wide = FakeEngine(), FakeEngine()
        self.connection, theirs = socket.socketpair()
        self.thread = threading.Thread(target=self._work, args=(theirs, loading))
        self.thread.start()

    def _work(self, connection: socket.socket, loading: Loading) -> None:
        with connection:
            work(connection, loading, self.narrow, self.wide)

    def give(self, kind: str, *blobs: bytes) -> None:
        send_message(self.connection, kind, blobs)

    def answer(self) -> Message:
        return read_message(self.connection)

    def end(self) -> None:
        self.connection.close()
        self.thread.join()


@pytest.fixture
def loading() -> Loading:
    return FAKE


@pytest.fixture
def lane(loading: Loading) -> Iterator[Lane]:
    """One that is ready."""
    lane = Lane(loading)
    assert lane.answer() == Message("ready", [])
    yield lane
    lane.end()


def shares_of_red(blob: bytes) -> list[float]:
    return [round(float(red), 2) for red in np.frombuffer(blob, np.float32)[::2]]


def test_lane_is_ready_once_it_has_answered(lane: Lane) -> None:
    assert lane.narrow.batch_sizes == [1]


def test_pictures_are_decoded_and_predicted(lane: Lane) -> None:
    lane.give(FILE, picture(RED, file_format="PNG"))
    lane.give(FILE, picture(BLUE, (30, 20), file_format="PNG"))
    lane.give(NARROW)
    (told, begin, end, fault), (probabilities, typicality) = lane.answer()

    assert [description for description, *_ in told] == [[64, 48, "PNG"], [30, 20, "PNG"]]
    times = [time for _, *times in told for time in times] + [begin, end]
    assert times == sorted(times)
    assert fault == ""
    assert shares_of_red(probabilities) == [0.9, 0.08]
    assert np.frombuffer(typicality, np.float32) == pytest.approx([0.9, 0.9], abs=0.01)
    assert lane.narrow.batch_sizes == [1, 2]


def test_pictures_are_predicted_by_the_engine_that_is_named(lane: Lane) -> None:
    for engine in (WIDE, NARROW, WIDE):
        lane.give(FILE, picture())
        lane.give(engine)
        lane.answer()

    assert lane.narrow.batch_sizes == [1, 1]
    assert lane.wide.batch_sizes == [1, 1]


def test_pixels_need_not_be_decoded(lane: Lane) -> None:
    lane.give(PIXELS, np.full((8, 8, 3), (255, 0, 0), np.uint8).tobytes())
    lane.give(NARROW)
    ((description, *_),), *_ = (answer := lane.answer()).told

    assert description is None
    assert shares_of_red(answer.blobs[0]) == [1]


def test_pixels_that_are_to_be_kept_are_sent_back(lane: Lane) -> None:
    lane.give(KEPT_FILE, picture(RED, file_format="PNG"))
    lane.give(FILE, picture(RED, file_format="PNG"))
    lane.give(KEPT_FILE, b"broken")
    lane.give(KEPT_FILE, picture(BLUE, file_format="PNG"))
    lane.give(NARROW)

    assert lane.answer().blobs[2:] == [bytes(RED) * 64, bytes(BLUE) * 64]


def test_broken_picture_is_told_and_not_predicted(lane: Lane) -> None:
    for file in (picture(), b"broken", picture()):
        lane.give(FILE, file)
    lane.give(NARROW)
    told, *_, fault = lane.answer().told

    assert told[1][0]["error"] == "UnsupportedImageError"
    assert "send one of JPEG" in told[1][0]["detail"]
    assert fault == ""
    assert lane.narrow.batch_sizes == [1, 2]


def test_batch_without_pictures_is_not_predicted(lane: Lane) -> None:
    lane.give(FILE, b"broken")
    lane.give(NARROW)
    answer = lane.answer()

    assert len(answer.told[0]) == 1
    assert answer.blobs == [b"", b""]
    assert lane.narrow.batch_sizes == [1]


@pytest.mark.parametrize("loading", [FAKE._replace(order=FAKE.order._replace(max_pixels=None))])
def test_unexpected_failure_to_decode_is_told_in_full(lane: Lane) -> None:
    lane.give(FILE, picture())
    lane.give(NARROW)
    ((description, *_),), *_ = lane.answer().told

    assert description["error"] == ""
    assert description["detail"].startswith("Traceback")
    assert "TypeError" in description["detail"]


def test_fault_of_the_engine_is_told_in_full_and_survived(lane: Lane) -> None:
    lane.narrow.faults = [MemoryError("no memory")]
    for _ in range(2):
        lane.give(FILE, picture())
        lane.give(NARROW)
    *_, fault = (failed := lane.answer()).told

    assert fault.startswith("Traceback")
    assert "no memory" in fault
    assert failed.blobs == [b"", b""]
    assert lane.answer().told[-1] == ""


def test_rest_of_a_batch_is_given_back_where_decoding_takes_long(
    lane: Lane, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("app.lanes.work._PATIENCE_SECONDS", 0)
    for _ in range(2):
        for color in (RED, BLUE, BLUE):
            lane.give(FILE, picture(color, file_format="PNG"))
        lane.give(NARROW)
        told, *_ = (answer := lane.answer()).told

        assert len(told) == 1, "and the next batch begins anew"
        assert shares_of_red(answer.blobs[0]) == [0.9]


def test_network_may_not_tell_how_typical_a_picture_is(
    lane: Lane, monkeypatch: pytest.MonkeyPatch
) -> None:
    predict = lane.narrow.predict
    monkeypatch.setattr(
        lane.narrow, "predict", lambda pictures: predict(pictures)._replace(typicality=None)
    )
    lane.give(FILE, picture())
    lane.give(NARROW)

    assert lane.answer().blobs[1] == b""


def test_lane_ends_when_nobody_can_ask_it_any_more(lane: Lane) -> None:
    lane.connection.shutdown(socket.SHUT_WR)
    lane.thread.join()

    assert lane.connection.recv(1) == b""


@pytest.mark.parametrize("loading", [FAKE, TINY])
def test_what_to_load_survives_json(loading: Loading) -> None:
    assert Loading.told(json.loads(json.dumps(loading))) == loading


def test_engine_has_answered_before_it_is_used(tiny_model: Path) -> None:
    engine = engine_of(tiny_model / "model.tflite", TINY, threads=1)

    assert engine.predict(np.zeros((1, 227, 227, 3), np.uint8)).probabilities.shape == (1, 2)


@pytest.mark.parametrize(
    ("change", "fault"),
    [
        ({"classes": 3}, "names 3 labels"),
        ({"typicality": False}, "one tells how typical"),
        ({"input_shape": (8, 8, 3)}, "its card says uint8"),
    ],
)
def test_engine_that_is_not_what_its_card_says_is_refused(
    tiny_model: Path, change: dict[str, object], fault: str
) -> None:
    loading = TINY._replace(expected=TINY.expected._replace(**change))

    with pytest.raises(ModelCardError, match=fault):
        engine_of(tiny_model / "model.tflite", loading, threads=1)
