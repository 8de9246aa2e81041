from __future__ import annotations

import pytest

from app.errors import NotReadyError, OverloadedError
from app.room import check_fits, check_room, patient_share


def test_one_more_may_wait_as_long_as_the_queue_is_not_full() -> None:
    check_room(healthy=True, waiting=5, max_queue=6)

    with pytest.raises(OverloadedError, match="try again"):
        check_room(healthy=True, waiting=6, max_queue=6)


def test_none_may_wait_where_none_is_predicted() -> None:
    with pytest.raises(NotReadyError, match="try again later"):
        check_room(healthy=False, waiting=0, max_queue=6)


def test_several_fit_or_none_does() -> None:
    check_fits(6, 6)

    with pytest.raises(OverloadedError, match="try again"):
        check_fits(7, 6)


@pytest.mark.parametrize(("max_batch", "share"), [(1, 0), (2, 1), (4, 1), (8, 2), (9, 3)])
def test_a_quarter_of_a_batch_is_for_patient_pictures(max_batch: int, share: int) -> None:
    assert patient_share(max_batch) == share
