"""Shards, made here."""

from __future__ import annotations

import io
import tarfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq


def write_parquet(path: Path, columns: Mapping[str, Any], rows_a_group: int = 1000) -> Path:
    """Write a Parquet shard, and return its path."""
    pq.write_table(pa.table(dict(columns)), path, row_group_size=rows_a_group)
    return path


def write_tar(path: Path, files: Mapping[str, bytes]) -> Path:
    """Write a tar shard, and return its path."""
    with tarfile.open(path, "w") as shard:
        for name, data in files.items():
            member = tarfile.TarInfo(name)
            member.size = len(data)
            shard.addfile(member, io.BytesIO(data))
    return path
