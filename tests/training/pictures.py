"""Data sets of tiny pictures, made here: cats are red, dogs are blue."""

from __future__ import annotations

import zipfile
from collections.abc import Iterable, Mapping
from pathlib import Path

from PIL import Image

from tests.app.pictures import BLUE, RED, picture

CAT = picture(RED, (16, 12))
DOG = picture(BLUE, (16, 12))


def size_of(path: Path) -> tuple[int, int]:
    """Return width and height of a picture."""
    with Image.open(path) as image:
        return image.size


def kaggle_files(count: int, folder: str = "train/") -> dict[str, bytes]:
    """Return files by name as in Kaggle's train.zip, `count` a class."""
    return {
        f"{folder}{label}.{number}.jpg": data
        for label, data in (("cat", CAT), ("dog", DOG))
        for number in range(count)
    }


def write_files(folder: Path, files: Mapping[str, bytes]) -> Path:
    """Write files below a folder, and return the folder."""
    for name, data in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)
    return folder


def write_zip(path: Path, files: Mapping[str, bytes], *, folders: Iterable[str] = ()) -> Path:
    """Write a zip archive, deflated, and return its path."""
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for folder in folders:
            archive.mkdir(folder)
        for name, data in files.items():
            archive.writestr(name, data)
    return path


def write_competition(path: Path, count: int) -> Path:
    """Write Kaggle's dogs-vs-cats.zip: archives inside an archive."""
    train = write_zip(path.with_name("train.zip"), kaggle_files(count), folders=["train"])
    test = write_zip(path.with_name("test1.zip"), {"test1/1.jpg": DOG, "test1/2.jpg": CAT})
    files = {file.name: file.read_bytes() for file in (train, test)}
    train.unlink()
    test.unlink()
    return write_zip(path, {**files, "sampleSubmission.csv": b"id,label\n1,0\n"})
