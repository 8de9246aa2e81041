from __future__ import annotations

import io
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from app.images import decode_image
from tests.training.pictures import write_files
from training.data import Dataset, load_dataset
from training.errors import DataError
from training.exclusions import (
    DEFAULT_EXCLUSIONS,
    Exclusion,
    difference_hash,
    find_excluded,
    read_exclusions,
)
from training.source import open_source

HEADER = "file,hash,reason\n"


def scene(seed: int, size: tuple[int, int] = (200, 200), quality: int = 90) -> bytes:
    """Return a JPEG of coarse random patches, the same ones at every size."""
    patches = np.random.default_rng(seed).integers(0, 256, (6, 6, 3), dtype=np.uint8)
    file = io.BytesIO()
    smooth = Image.fromarray(patches).resize(size, Image.Resampling.BICUBIC)
    smooth.save(file, "JPEG", quality=quality)
    return file.getvalue()


def hash_of(data: bytes) -> int:
    return difference_hash(decode_image(data, (227, 227)).pixels)


def bits_apart(first: bytes, second: bytes) -> int:
    return (hash_of(first) ^ hash_of(second)).bit_count()


def load(folder: Path, files: dict[str, bytes]) -> Dataset:
    with open_source(write_files(folder / "data", files)) as source:
        return load_dataset(source, 227, folder / "cache")


def written(folder: Path, text: str) -> Path:
    path = folder / "exclusions.csv"
    path.write_text(text, encoding="utf-8")
    return path


def test_each_bit_says_that_the_right_neighbour_is_darker() -> None:
    rising = np.repeat(np.arange(0, 180, 20, dtype=np.uint8), 10)
    half = np.zeros((80, 90, 3), dtype=np.uint8)
    half[:40] = rising[::-1][:, None]
    half[40:] = rising[:, None]

    assert difference_hash(half) == 0xFFFFFFFF_00000000


@pytest.mark.parametrize("size", [(500, 375), (240, 320), (100, 100)])
def test_a_picture_is_known_again_at_another_size(size: tuple[int, int]) -> None:
    assert max(bits_apart(scene(seed), scene(seed, size, quality=60)) for seed in range(20)) <= 5


def test_other_pictures_look_different() -> None:
    assert min(bits_apart(scene(seed), scene(seed + 1)) for seed in range(20)) > 10


def test_listed_pictures_are_found_with_their_reasons(tmp_path: Path) -> None:
    files = {f"train/dog.{number}.jpg": scene(number) for number in range(4)}
    exclusions = (
        Exclusion("dog.2.jpg", hash_of(scene(2, (500, 375))), "a lady"),
        Exclusion("dog.0.jpg", hash_of(scene(0)), "a logo"),
        Exclusion("dog.7.jpg", hash_of(scene(7)), "not in this data set"),
    )

    dataset = load(tmp_path, files)

    assert find_excluded(dataset, np.arange(4), exclusions) == {0: "a logo", 2: "a lady"}
    assert find_excluded(dataset, np.array([1, 2]), exclusions) == {2: "a lady"}


def test_another_picture_of_the_same_name_is_kept(tmp_path: Path) -> None:
    exclusions = (Exclusion("cat.0.jpg", hash_of(scene(0)), "a dog"),)

    dataset = load(tmp_path, {"cat.0.jpg": scene(1), "cat.1.jpg": scene(0)})

    assert find_excluded(dataset, np.arange(2), exclusions) == {}


def test_a_list_is_read(tmp_path: Path) -> None:
    path = written(tmp_path, f'{HEADER}cat.1.jpg,00000000000000ff,"a dog, no cat"\n')

    assert read_exclusions(path) == (Exclusion("cat.1.jpg", 255, "a dog, no cat"),)


def test_a_list_that_excel_saved_is_read(tmp_path: Path) -> None:
    path = tmp_path / "list.csv"
    path.write_text("\ufefffile,hash,reason\n")

    assert read_exclusions(path) == ()


@pytest.mark.parametrize("text", ["", HEADER])
def test_an_empty_list_excludes_nothing(tmp_path: Path, text: str) -> None:
    assert read_exclusions(written(tmp_path, text)) == ()


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("name,reason\n", "begins with 'name,reason'; make it 'file,hash,reason'"),
        (f"{HEADER}cat.1.jpg,00000000000000ff\n", "line 2 has 2 columns instead of 3"),
        (f"{HEADER}cat.1.jpg,00000000000000ff,a dog, no cat\n", "put quotes around"),
        (f"{HEADER}train/cat.1.jpg,00000000000000ff,a dog\n", "write it without folders"),
        (f"{HEADER},00000000000000ff,a dog\n", "'' is no name of a file"),
        (f"{HEADER}cat.1.jpg,ff,a dog\n", "line 2: 'ff' is no hash"),
        (f"{HEADER}cat.1.jpg,00000000000000ff,\n", "cat.1.jpg has no reason"),
        (HEADER + "cat.1.jpg,00000000000000ff,a dog\n" * 2, "line 3: cat.1.jpg is listed twice"),
    ],
)
def test_what_is_wrong_with_a_list_is_said(tmp_path: Path, text: str, complaint: str) -> None:
    with pytest.raises(DataError, match=complaint):
        read_exclusions(written(tmp_path, text))


def test_a_list_that_does_not_exist_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="an empty file to exclude nothing"):
        read_exclusions(tmp_path / "nowhere.csv")


def test_the_default_list_is_sorted_and_names_kaggles_pictures() -> None:
    names = [exclusion.file.split(".") for exclusion in read_exclusions(DEFAULT_EXCLUSIONS)]

    assert names == sorted(names, key=lambda name: (name[0], int(name[1])))
    assert {(label, suffix) for label, _, suffix in names} == {("cat", "jpg"), ("dog", "jpg")}


@pytest.mark.parametrize(
    ("data", "complaint"), [(b"\xff\xfe", "no text in UTF-8"), (b"x" * 200_000, "is no CSV")]
)
def test_a_file_that_is_no_list_is_an_error(tmp_path: Path, data: bytes, complaint: str) -> None:
    path = tmp_path / "exclusions.csv"
    path.write_bytes(data)

    with pytest.raises(DataError, match=complaint):
        read_exclusions(path)
