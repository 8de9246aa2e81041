from __future__ import annotations

import csv
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
import pytest
import ray.data

from app.card import read_card
from tests.app.cards import write_card
from tests.app.pictures import picture
from tests.training.bulk.cluster import VARIABLES, cluster
from tests.training.bulk.shards import write_parquet, write_tar
from tests.training.pictures import CAT, write_files
from training.__main__ import main
from training.bulk.job import Job
from training.bulk.score import score
from training.errors import DataError, RunError
from training.predict import predict
from training.predictor import load_predictor

MODEL = Path(__file__).parents[3] / "models" / "dogs-vs-cats"
KILLED_AFTER_A_PART = """
import os, signal, sys
from pathlib import Path

from tqdm import tqdm

tqdm.update = lambda *_: os.kill(os.getpid(), signal.SIGKILL)

from training.bulk import listing, score

listing.PICTURES_A_PART = 1
score._AT_ONCE = 1  # else others may be scored before this process is killed
score.score(*map(Path, sys.argv[1:]))
"""


@pytest.fixture(scope="module", autouse=True)
def ray_cluster() -> Iterator[None]:
    """Give the tests, and the processes that they start, a cluster."""
    with cluster() as address, pytest.MonkeyPatch.context() as patch:
        for name, value in {**VARIABLES, "RAY_ADDRESS": address}.items():
            patch.setenv(name, value)
        yield


def rows_of(output: Path) -> list[dict[str, str]]:
    return list(csv.DictReader(Job(output).scores_file.read_text().splitlines()))


def check(rows: list[dict[str, str]], expected: dict[int, dict[str, str]]) -> None:
    """Compare scores with those of `predict` for the picture of the same number."""
    for row in rows:
        theirs = expected[int(Path(row["name"]).stem)]
        assert row["label"] == theirs["label"]
        assert float(row[f"score_{theirs['label']}"]) == pytest.approx(
            float(theirs["score"]), abs=2e-6
        )
        assert float(row["score_cat"]) + float(row["score_dog"]) == pytest.approx(1)


@pytest.fixture(scope="module")
def pictures() -> list[bytes]:
    """Pictures, each in a colour of its own."""
    colours = np.random.default_rng(0).integers(0, 256, (30, 3)).tolist()
    return [picture((red, green, blue)) for red, green, blue in colours]


@pytest.fixture(scope="module")
def folder(pictures: list[bytes], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder of them, named by their numbers."""
    files = {f"{number}.jpg": data for number, data in enumerate(pictures)}
    return write_files(tmp_path_factory.mktemp("in"), files)


@pytest.fixture(scope="module")
def expected(folder: Path, tmp_path_factory: pytest.TempPathFactory) -> dict[int, dict[str, str]]:
    """What `predict` says of them."""
    output = tmp_path_factory.mktemp("predicted") / "predictions.csv"
    predict(load_predictor(MODEL), [folder], output=output)
    return {int(row["id"]): row for row in csv.DictReader(output.read_text().splitlines())}


@pytest.fixture(scope="module")
def mixture(pictures: list[bytes], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with pictures, with one that is none, and with shards."""
    folder = tmp_path_factory.mktemp("mixture")
    write_files(folder, {"0.jpg": pictures[0], "broken/1.jpg": b"no picture"})
    write_parquet(folder / "shard.parquet", {"image": pictures[:9]}, rows_a_group=5)
    write_tar(folder / "shard.tar", {f"{number}.jpg": pictures[number] for number in (20, 10)})
    return folder


@pytest.fixture(scope="module")
def scored(mixture: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The scores of the mixture."""
    output = tmp_path_factory.mktemp("scored") / "scores"
    main(["score", "--model", str(MODEL), "--output", str(output), str(mixture)])
    return output


def test_scores_are_those_of_predict(scored: Path, expected: dict[int, dict[str, str]]) -> None:
    rows = rows_of(scored)

    assert [row["name"] for row in rows] == [
        *(f"shard.parquet/{row}" for row in range(9)),
        *("shard.tar/20.jpg", "shard.tar/10.jpg", "0.jpg", "broken/1.jpg"),
    ]
    check([row for row in rows if not row["error"]], expected)
    (broken,) = (row for row in rows if row["error"])
    assert broken["name"] == "broken/1.jpg"
    assert broken["label"] == broken["score_cat"] == ""


def test_the_parts_have_what_the_csv_has(scored: Path) -> None:
    parts = pq.read_table(Job(scored).parts_folder)

    assert parts["name"].to_pylist() == [row["name"] for row in rows_of(scored)]


def test_a_killed_command_goes_on_with_the_parts_that_are_missing(
    folder: Path, expected: dict[int, dict[str, str]], tmp_path: Path
) -> None:
    job = Job(tmp_path / "scores")
    killed = subprocess.run(
        [sys.executable, "-c", KILLED_AFTER_A_PART, *map(str, (folder, MODEL, job.folder))],
        check=False,
    )
    assert killed.returncode == -signal.SIGKILL
    written = {path: path.stat().st_mtime_ns for path in job.parts_folder.glob("*.parquet")}
    assert len(written) == 1
    assert not job.scores_file.exists()

    totals = score(folder, MODEL, job.folder)

    assert totals == (len(expected), 0)
    assert {path: path.stat().st_mtime_ns for path in written} == written
    rows = rows_of(job.folder)
    assert {row["name"] for row in rows} == {f"{number}.jpg" for number in expected}
    assert len(rows) == len(expected)
    check(rows, expected)


@pytest.fixture
def moved(scored: Path, mixture: Path, tmp_path: Path) -> tuple[Path, Path]:
    """A finished job's pictures and scores, in another place."""
    return shutil.copytree(mixture, tmp_path / "in"), shutil.copytree(scored, tmp_path / "scores")


def test_a_finished_job_has_nothing_to_score(
    moved: tuple[Path, Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    source, output = moved
    before = Job(output).scores_file.read_text()
    monkeypatch.setattr(ray.data, "from_items", None)

    assert score(source, MODEL, output) == (13, 1)

    assert Job(output).scores_file.read_text() == before


def test_other_pictures_are_refused(moved: tuple[Path, Path]) -> None:
    source, output = moved
    (source / "0.jpg").write_bytes(CAT)

    with pytest.raises(RunError, match=r"other pictures.*name another folder with --output"):
        score(source, MODEL, output)


def test_another_model_is_refused(moved: tuple[Path, Path], tmp_path: Path) -> None:
    source, output = moved
    card = read_card(MODEL).model_copy(update={"version": "another"})
    (tmp_path / "model").mkdir()
    (tmp_path / "model" / "model.tflite").symlink_to(MODEL / "model.tflite")
    write_card(tmp_path / "model", card)

    with pytest.raises(RunError, match=r"another model \(version\)"):
        score(source, tmp_path / "model", output)


def test_scores_of_which_nobody_knows_what_of_are_refused(moved: tuple[Path, Path]) -> None:
    source, output = moved
    Job(output).facts_file.unlink()

    with pytest.raises(RunError, match=r"scores without job\.json"):
        score(source, MODEL, output)


def test_a_folder_within_the_pictures_is_refused(mixture: Path) -> None:
    with pytest.raises(DataError, match="a folder outside of it"):
        score(mixture, MODEL, mixture / "scores")
