from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np

from tests.training.bulk.shards import write_tar
from tests.training.pictures import CAT, DOG, write_files, write_zip
from training.bulk.listing import Piece
from training.bulk.reading import decode_ahead, open_reader
from training.data import Skipped


def test_pictures_and_shards_are_read_in_their_order(tmp_path: Path) -> None:
    folder = write_files(tmp_path, {"b.jpg": CAT, "a.jpg": DOG})
    write_tar(folder / "c.tar", {"1.jpg": CAT})

    with open_reader(folder) as reader:
        pictures = list(reader.pictures([Piece("b.jpg"), Piece("c.tar"), Piece("a.jpg")]))

    assert pictures == [("b.jpg", CAT), ("c.tar/1.jpg", CAT), ("a.jpg", DOG)]


def test_members_of_an_archive_are_read(tmp_path: Path) -> None:
    archive = write_zip(tmp_path / "in.zip", {"in/1.jpg": CAT, "in/2.jpg": DOG})

    with open_reader(archive) as reader:
        assert list(reader.pictures([Piece("in/2.jpg")])) == [("in/2.jpg", DOG)]


def test_a_single_shard_is_read(tmp_path: Path) -> None:
    shard = write_tar(tmp_path / "c.tar", {"1.jpg": CAT})

    with open_reader(shard) as reader:
        assert list(reader.pictures([Piece("c.tar")])) == [("c.tar/1.jpg", CAT)]


def test_a_file_that_is_gone_does_not_keep_others_from_being_read(tmp_path: Path) -> None:
    folder = write_files(tmp_path, {"b.jpg": CAT})

    with open_reader(folder) as reader:
        (_, gone), there = reader.pictures([Piece("a.jpg"), Piece("b.jpg")])

    assert isinstance(gone, Skipped)
    assert "cannot be read" in gone.reason
    assert there == ("b.jpg", CAT)


def test_pictures_are_decoded_in_their_order_and_errors_kept_in_place() -> None:
    unread = Skipped("c", "no reason")
    pictures = [("a", CAT), ("b", b"no picture"), ("c", unread), ("d", DOG)]

    with ThreadPoolExecutor(2) as threads:
        names, decoded = zip(*decode_ahead(pictures, (8, 8), threads, count=2), strict=True)

    assert names == ("a", "b", "c", "d")
    cat, broken, kept, dog = decoded
    assert (cat.shape, cat.dtype) == ((8, 8, 3), np.uint8)
    assert broken.name == "b"
    assert "not an image" in broken.reason
    assert kept is unread
    assert cat[0, 0, 0] > dog[0, 0, 0]


def test_no_more_is_read_than_is_wanted_soon() -> None:
    read = []

    def pictures():
        for number in range(10):
            read.append(number)
            yield str(number), CAT

    with ThreadPoolExecutor(1) as threads:
        next(decode_ahead(pictures(), (8, 8), threads, count=3))

    assert read == [0, 1, 2, 3]
