from __future__ import annotations

import mmap
import re
from pathlib import Path

import pytest

from app.engines.pages import release_pages

SIZE = 4 * 2**20

pytestmark = pytest.mark.skipif(
    not Path("/proc/self/smaps").exists(), reason="only Linux tells what is resident"
)


def resident_kb(path: Path) -> int:
    """Return how much of a file's mappings is in memory."""
    entries = re.split(
        r"^(?=[0-9a-f]+-[0-9a-f]+ )", Path("/proc/self/smaps").read_text(), flags=re.M
    )
    found = [entry for entry in entries if str(path) in entry]
    return sum(int(re.search(r"^Rss:\s+(\d+)", entry, re.M)[1]) for entry in found)


def test_pages_leave_memory_and_come_back(tmp_path: Path) -> None:
    path = tmp_path / "model"
    path.write_bytes(bytes(range(256)) * (SIZE // 256))
    with path.open("rb") as file, mmap.mmap(file.fileno(), 0, prot=mmap.PROT_READ) as mapped:
        assert len(bytes(mapped)) == SIZE
        assert resident_kb(path) == SIZE // 1024

        release_pages(path)

        assert resident_kb(path) == 0
        assert mapped[255] == 255


def test_other_files_stay(tmp_path: Path) -> None:
    path = tmp_path / "model"
    path.write_bytes(bytes(SIZE))
    with path.open("rb") as file, mmap.mmap(file.fileno(), 0, prot=mmap.PROT_READ) as mapped:
        assert len(bytes(mapped)) == SIZE

        release_pages(tmp_path / "another")

        assert resident_kb(path) == SIZE // 1024
