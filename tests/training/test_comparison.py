from __future__ import annotations

from pathlib import Path

import pytest

from tests.training.workshop import Workshop
from training.comparison import comparison
from training.recipe import BEST, Recipe
from training.run import HISTORY_COLUMNS, Run

FIVE = BEST.override({"epochs": 2, "stages": ((99, 1.0), (227, 1.0))})


def make_run(
    folder: Path, recipe: Recipe, accuracies: tuple[float, ...], split_seed: int = 1
) -> Run:
    """Write a run whose first epoch was on small pictures."""
    run = Run(folder)
    run.write_recipe(recipe)
    run.write_data({"pictures": "0123", "split_seed": split_seed, "excluded": []})
    row = {**dict.fromkeys(HISTORY_COLUMNS, 0.0), "seconds": 30.0, "pictures_per_second": 100.0}
    run.write_history(
        [
            {
                **row,
                "side": 227 if epoch else 99,
                "val_accuracy": accuracy,
                "val_log_loss": 1 - accuracy,
                "waiting": 0.01 * epoch,
            }
            for epoch, accuracy in enumerate(accuracies)
        ]
    )
    return run


def rows(table: str) -> list[list[str]]:
    return [[cell.strip() for cell in line.split("|")[1:-1]] for line in table.splitlines()]


def test_runs_on_other_pictures_have_their_own_rows(tmp_path: Path) -> None:
    first = make_run(tmp_path / "first", FIVE, (0.9, 0.9))
    second = make_run(tmp_path / "second", FIVE, (0.8, 0.8), split_seed=2)

    found = [(row[0], row[3]) for row in rows(comparison([first, second]))[2:]]

    other = "other pictures, or another split of them"
    assert found == [("nothing", "0.9000"), (other, "0.8000")]


def test_runs_on_the_same_pictures_in_other_folders_share_a_row(tmp_path: Path) -> None:
    runs = [make_run(tmp_path / name, FIVE, (0.5, 0.9)) for name in ("unpacked", "zipped")]
    for run, excluded in zip(runs, ("cat.1.jpg", "train/cat.1.jpg"), strict=True):
        run.write_data(run.read_data() | {"excluded": [excluded]})

    (row,) = rows(comparison(runs))[2:]

    assert row[:2] == ["nothing", "2"]


def test_runs_computed_in_something_else_have_their_own_rows(tmp_path: Path) -> None:
    runs = [make_run(tmp_path / name, FIVE, (0.5, 0.9)) for name in ("exact", "rough", "before")]
    for run, precision in zip(runs, ("float32", "mixed_bfloat16"), strict=False):
        run.write_environments([{"precision": precision}])

    found = [row[:2] for row in rows(comparison([*runs, runs[0]]))[2:]]

    assert found == [
        ["nothing", "2"],
        ["precision mixed_bfloat16", "1"],
        ["precision and versions not known", "1"],
    ]


def test_a_row_tells_what_was_different_and_what_it_reached(tmp_path: Path) -> None:
    first = make_run(tmp_path / "first", FIVE, (0.99, 0.9, 0.91))
    second = make_run(tmp_path / "second", FIVE.override({"mixup": 0.2, "epochs": 3}), (0.5, 0.92))

    header, _, *body = rows(comparison([first, second]))

    assert header[:5] == ["differs in", "n", "epochs", "accuracy", "log loss"]
    assert body == [
        ["nothing", "1", "3 of 2", "0.9100", "0.0900", "1.5", "100", "2.0%"],
        ["epochs 3, mixup 0.2", "1", "2 of 3", "0.9200", "0.0800", "1.0", "100", "1.0%"],
    ]


def test_runs_of_several_seeds_share_a_row(tmp_path: Path) -> None:
    runs = [
        make_run(tmp_path / str(seed), FIVE.override({"seed": seed}), (0.5, accuracy))
        for seed, accuracy in enumerate((0.91, 0.92, 0.93))
    ]

    (row,) = rows(comparison(runs))[2:]

    assert row[:4] == ["nothing", "3", "2", "0.9200 ± 0.0100"]


def test_differences_are_told_from_any_recipe(tmp_path: Path) -> None:
    run = make_run(tmp_path / "run", FIVE, (0.5, 0.9))

    (row,) = rows(comparison([run], BEST))[2:]

    assert row[0] == "epochs 2, stages 99:1,227:1"


def test_a_run_without_an_epoch_at_full_size_has_no_accuracy(tmp_path: Path) -> None:
    run = make_run(tmp_path / "run", FIVE, (0.9,))

    (row,) = rows(comparison([run]))[2:]

    assert row[2:7] == ["1 of 2", "-", "-", "0.5", "-"]


def test_the_command_prints_it(workshop: Workshop, capsys: pytest.CaptureFixture[str]) -> None:
    workshop.command("table", workshop.run, "--against", "best")

    (row,) = rows(capsys.readouterr().out)[2:]
    assert row[0].startswith("learning_rate 0.003, epochs 6, batch_size 8, stages 99:1,227:5")
    assert float(row[3]) > 0.9


def test_the_command_leaves_out_what_is_no_run(
    workshop: Workshop, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    workshop.command("table", tmp_path, workshop.run)
    assert len(capsys.readouterr().out.splitlines()) == 3

    with pytest.raises(SystemExit, match="None of the folders holds a training"):
        workshop.command("table", tmp_path)
