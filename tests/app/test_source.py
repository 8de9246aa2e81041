from __future__ import annotations

import pytest

from app.source import LONGEST_HEADER, OverdueError, Source, UnusualError

HOUR = 3600.0


def test_a_source_is_a_file() -> None:
    source = Source(b"a picture", HOUR)

    assert source.read(2) == b"a "
    assert source.read() == b"picture"
    assert source.read(1) == b""
    assert source.getvalue() == b"a picture"


def test_nothing_is_read_once_the_time_is_over() -> None:
    with pytest.raises(OverdueError):
        Source(b"a picture", -1).read(1)


def test_what_is_left_of_the_time_is_told() -> None:
    assert HOUR - 60 < Source(b"a picture", HOUR).seconds_left() <= HOUR
    with pytest.raises(OverdueError):
        Source(b"a picture", -1).seconds_left()


def test_a_file_is_read_in_so_many_pieces() -> None:
    source = Source(bytes(100_000), HOUR)
    source.end_header()
    for _ in range(50_000):
        source.read(1)

    with pytest.raises(UnusualError):
        source.read(1)


def test_a_long_header_is_unusual() -> None:
    source = Source(bytes(2 * LONGEST_HEADER), HOUR)
    source.read(LONGEST_HEADER)

    with pytest.raises(UnusualError):
        source.read(1)


def test_pixels_are_no_header() -> None:
    source = Source(bytes(2 * LONGEST_HEADER), HOUR)
    source.end_header()

    assert len(source.read(2 * LONGEST_HEADER)) == 2 * LONGEST_HEADER


def test_a_file_read_as_a_whole_has_no_header() -> None:
    assert len(Source(bytes(2 * LONGEST_HEADER), HOUR).read()) == 2 * LONGEST_HEADER
