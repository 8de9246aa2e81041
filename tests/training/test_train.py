from __future__ import annotations

import csv
import shutil
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from tests.training.pictures import write_zip
from training.data import load_dataset
from training.errors import DataError, RunError, TrainingError
from training.exclusions import difference_hash
from training.model import FULL_SIDE
from training.recipe import BEST, Recipe
from training.run import Run
from training.source import open_source
from training.split import Split, stratified_split
from training.train import train

PICTURES_A_CLASS = 10
SEED = 1


@pytest.fixture
def data(tmp_path: Path) -> Path:
    folder = tmp_path / "data"
    folder.mkdir()
    random = np.random.default_rng(0)
    for label in ("cat", "dog"):
        for number in range(PICTURES_A_CLASS):
            patches = random.integers(0, 256, (8, 8, 3), dtype=np.uint8)
            Image.fromarray(patches).resize((40, 40)).save(folder / f"{label}.{number}.png")
    return folder


@pytest.fixture
def splits(monkeypatch: pytest.MonkeyPatch) -> list[Split]:
    """The splits that were trained with; nothing is really trained."""
    splits: list[Split] = []
    monkeypatch.setattr("training.train.fit", lambda *given: splits.append(given[2].split))
    return splits


def train_without(run: Run, data: Path, positions: list[int], *, resume: bool = False) -> list[str]:
    """Train with the pictures at `positions` listed as exclusions; return their names."""
    cache = data.parent / "cache"
    with open_source(data) as source:
        dataset = load_dataset(source, FULL_SIDE, cache)
    exclusions = data.parent / "exclusions.csv"
    lines = [
        f"{Path(dataset.names[one]).name},{difference_hash(dataset.pixels[one]):016x},a lady"
        for one in positions
    ]
    exclusions.write_text("\n".join(["file,hash,reason", *lines]))
    train(run, data, BEST, split_seed=SEED, exclusions=exclusions, cache=cache, resume=resume)
    return [dataset.names[one] for one in positions]


def whole_split() -> Split:
    return stratified_split(np.repeat(np.array([0, 1], dtype=np.int32), PICTURES_A_CLASS), SEED)


def test_excluded_pictures_are_validated_on_but_not_trained_on(
    data: Path, tmp_path: Path, splits: list[Split], capsys: pytest.CaptureFixture[str]
) -> None:
    run, whole = Run(tmp_path / "run"), whole_split()
    trained, held_back = int(whole.training[2]), int(whole.validation[0])

    trained_name, held_back_name = train_without(run, data, [trained, held_back])

    (split,) = splits
    assert split.training.tolist() == [one for one in whole.training if one != trained]
    assert split.validation.tolist() == whole.validation.tolist()
    facts = run.read_data()
    assert facts["excluded"] == [trained_name]
    assert (facts["training"], facts["validation"]) == (15, 4)
    assert facts["counts"] == {"cat": 10, "dog": 10}
    rows = csv.DictReader(run.split_file.read_text().splitlines())
    parts = {row["file"]: row["part"] for row in rows}
    assert (parts.pop(trained_name), parts[held_back_name]) == ("excluded", "validation")
    assert set(parts.values()) == {"training", "validation"}
    printed = capsys.readouterr().out
    assert "1 of them are left out of the training" in printed
    assert f"excluded {trained_name}: a lady" in printed


def test_without_exclusions_everything_is_trained_on(
    data: Path, tmp_path: Path, splits: list[Split], capsys: pytest.CaptureFixture[str]
) -> None:
    run = Run(tmp_path / "run")

    train_without(run, data, [])

    assert splits[0].training.tolist() == whole_split().training.tolist()
    assert run.read_data()["excluded"] == []
    printed = capsys.readouterr().out
    assert "left out" not in printed
    assert "copies" not in printed


def test_copies_of_trained_pictures_among_those_to_validate_on_are_told(
    data: Path,
    tmp_path: Path,
    splits: list[Split],
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setattr("training.train._SHOWN_COPIES", 1)
    whole, names = whole_split(), sorted(data.iterdir())
    originals, copies = whole.training[:2], whole.validation[:2]
    for original, copy in zip(originals, copies, strict=True):
        shutil.copy(names[original], names[copy])

    train_without(Run(tmp_path / "run"), data, [])

    assert splits[0].validation.tolist() == whole.validation.tolist()
    printed = capsys.readouterr().out
    assert "2 of the 4 to validate on are exact copies of pictures that are trained on" in printed
    assert f"  {names[copies[0]].name} is a copy of {names[originals[0]].name}\n" in printed
    assert "  and 1 more\n" in printed
    assert names[copies[1]].name not in printed


def test_a_run_goes_on_with_the_same_exclusions_only(
    data: Path, tmp_path: Path, splits: list[Split]
) -> None:
    run, (first, second, *_) = Run(tmp_path / "run"), whole_split().training.tolist()
    train_without(run, data, [first])

    train_without(run, data, [first], resume=True)
    with pytest.raises(RunError, match="resume with the same --data, --split-seed and --exclusion"):
        train_without(run, data, [second], resume=True)

    assert len(splits) == 2


def test_a_second_training_is_kept_out(
    data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    run, begun = Run(tmp_path / "run"), []

    def second(*_: object) -> None:
        begun.append(run.exists)
        with pytest.raises(RunError, match="Another training is writing to"):
            train_without(run, data, [], resume=True)

    monkeypatch.setattr("training.train.fit", second)

    train_without(run, data, [])

    assert begun == [True]


def test_what_is_left_of_another_training_is_not_gone_on_with(
    data: Path, tmp_path: Path, splits: list[Split]
) -> None:
    run = Run(tmp_path / "run")
    (run.checkpoint_folder / "epoch-0007").mkdir(parents=True)

    with pytest.raises(RunError, match=r"what is left of a training without recipe\.json"):
        train_without(run, data, [])

    assert splits == []


def test_nothing_is_made_where_there_is_nothing_to_resume(data: Path, tmp_path: Path) -> None:
    run = Run(tmp_path / "run")

    with pytest.raises(RunError, match="leave out --resume to begin one"):
        train_without(run, data, [], resume=True)

    assert not run.folder.exists()


def refuse(run: Run, data: Path, reason: str, recipe: Recipe = BEST, *, resume: bool) -> None:
    with pytest.raises(TrainingError, match=reason):
        train(
            run,
            data,
            recipe,
            split_seed=SEED,
            exclusions=data.parent / "exclusions.csv",
            cache=data.parent / "cache",
            resume=resume,
        )


@pytest.mark.usefixtures("splits")
def test_a_run_that_does_not_fit_is_refused_before_pictures_are_decoded(
    data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    begun, other = Run(tmp_path / "run"), BEST.override({"seed": 9})
    train_without(begun, data, [])
    monkeypatch.setattr("training.train.load_dataset", None)

    refuse(begun, data, "holds a training already; add --resume", resume=False)
    refuse(begun, data, "was begun with another recipe", other, resume=True)
    refuse(Run(tmp_path / "new"), data, "leave out --resume to begin one", resume=True)


@pytest.mark.parametrize(
    ("names", "reason"),
    [
        (["owl.0.png", "owl.1.png"], r"data has too few pictures of owl \(2\); each class needs"),
        (["owl.png"], "nothing tells the label of owl.png"),
    ],
)
def test_classes_are_told_and_checked_before_pictures_are_decoded(
    data: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    names: list[str],
    reason: str,
) -> None:
    monkeypatch.setattr("training.train.load_dataset", None)
    (tmp_path / "exclusions.csv").touch()
    for name in names:
        (data / name).touch()

    refuse(Run(tmp_path / "run"), data, reason, resume=False)

    assert "pictures (10 cat, 10 dog" in capsys.readouterr().out
    assert not (tmp_path / "run").exists()


def test_a_class_of_which_nothing_can_be_decoded_is_named(
    data: Path, tmp_path: Path, splits: list[Split], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("training.data.MOST_SKIPPED", 0.2)
    for number in range(3):
        (data / f"owl.{number}.png").touch()

    with pytest.raises(DataError, match=r"too few pictures of owl \(0\)"):
        train_without(Run(tmp_path / "run"), data, [])

    assert splits == []


def test_pictures_that_lie_elsewhere_are_gone_on_with(
    data: Path, tmp_path: Path, splits: list[Split]
) -> None:
    run, first = Run(tmp_path / "run"), int(whole_split().training[0])
    train_without(run, data, [first])
    files = {f"data/{file.name}": file.read_bytes() for file in data.iterdir()}

    train_without(run, write_zip(tmp_path / "data.zip", files), [first], resume=True)

    assert len(splits) == 2


def test_the_pictures_of_a_run_without_a_digest_must_lie_where_they_lay(
    data: Path, tmp_path: Path, splits: list[Split]
) -> None:
    run = Run(tmp_path / "run")
    train_without(run, data, [])
    facts = run.read_data()
    del facts["pictures"]
    run.write_data(facts | {"fingerprint": "0" * 64})

    with pytest.raises(RunError, match="resume with the same --data"):
        train_without(run, data, [], resume=True)

    assert len(splits) == 1


def test_runs_without_a_digest_of_their_pictures_are_gone_on_with(
    data: Path, tmp_path: Path, splits: list[Split]
) -> None:
    run = Run(tmp_path / "run")
    train_without(run, data, [])
    facts = run.read_data()
    del facts["pictures"]
    run.write_data(facts)

    train_without(run, data, [], resume=True)

    assert len(splits) == 2
