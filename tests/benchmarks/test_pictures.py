from __future__ import annotations

import io

from PIL import Image

from benchmarks.pictures import Kind, photographs


def test_photographs_have_their_size_and_differ() -> None:
    kind = Kind(200, 150, 8_000, 3)

    files = list(photographs(kind))

    assert len(set(files)) == kind.different
    for file in files:
        assert 0.8 * kind.bytes < len(file) <= kind.bytes
        assert Image.open(io.BytesIO(file)).size == (200, 150)


def test_photographs_are_the_same_every_time() -> None:
    kind = Kind(100, 75, 3_000, 1)

    assert list(photographs(kind)) == list(photographs(kind))
