from __future__ import annotations

import numpy as np
import pytest

from training.batches import Batches

PIXELS = np.arange(10, dtype=np.uint8)[:, None, None, None] * np.ones((1, 2, 2, 3), np.uint8)
CLASSES = np.array([0, 1] * 5, dtype=np.int32)
POSITIONS = np.arange(1, 10)


def batches(order: tuple[int, ...] | None, batch_size: int = 4) -> Batches:
    return Batches(PIXELS, CLASSES, POSITIONS, class_count=2, batch_size=batch_size, order=order)


def numbers(of: Batches) -> list[int]:
    return [int(pixels[0, 0, 0]) for index in range(len(of)) for pixels in of[index][0][0]]


def test_without_an_order_every_picture_comes_once_in_its_place() -> None:
    assert numbers(batches(order=None)) == POSITIONS.tolist()


def test_with_an_order_only_full_batches_come() -> None:
    shuffled = batches(order=(1, 0))

    assert len(shuffled) == 2
    assert shuffled.picture_count == 8
    assert len(set(numbers(shuffled))) == 8


def test_every_epoch_has_an_order_of_its_own() -> None:
    first, again, next_epoch = (numbers(batches(order)) for order in ((1, 0), (1, 0), (1, 1)))

    assert first == again
    assert first != next_epoch


@pytest.mark.parametrize("order", [None, (1, 0)])
def test_targets_belong_to_their_pictures(order: tuple[int, ...] | None) -> None:
    for index in range(2):
        ((pixels, targets),) = batches(order)[index]
        np.testing.assert_array_equal(targets.argmax(axis=1), pixels[:, 0, 0, 0] % 2)
        np.testing.assert_array_equal(targets.sum(axis=1), 1)


def test_positions_are_handed_out_as_pixels_are() -> None:
    places = np.arange(len(PIXELS), dtype=np.int32)
    by_position = Batches(places, CLASSES, POSITIONS, class_count=2, batch_size=4, order=(1, 0))

    for index in range(2):
        ((chosen, targets),) = by_position[index]
        ((pixels, same_targets),) = batches(order=(1, 0))[index]
        assert chosen.dtype == np.int32
        np.testing.assert_array_equal(PIXELS[chosen], pixels)
        np.testing.assert_array_equal(targets, same_targets)


@pytest.mark.parametrize(("backend", "threads"), [("jax", False), ("tensorflow", True)])
def test_positions_need_no_threads_on_jax(
    monkeypatch: pytest.MonkeyPatch, backend: str, threads: bool
) -> None:
    monkeypatch.setattr("keras.backend.backend", lambda: backend)
    places = np.arange(len(PIXELS), dtype=np.int32)

    by_position = Batches(places, CLASSES, POSITIONS, class_count=2, batch_size=4)

    assert (by_position.workers > 1) is threads
    assert batches(order=None).workers > 1


def test_fewer_pictures_than_a_batch_are_a_batch() -> None:
    assert len(numbers(batches(order=(1, 0), batch_size=64))) == 9
