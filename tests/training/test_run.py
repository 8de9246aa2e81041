from __future__ import annotations

from pathlib import Path

import pytest

from training.errors import RunError
from training.files import write_text
from training.recipe import BEST
from training.run import HISTORY_COLUMNS, Run


@pytest.fixture
def run(tmp_path: Path) -> Run:
    return Run(tmp_path / "run")


def test_a_run_exists_once_its_recipe_is_written(run: Run) -> None:
    assert not run.exists

    run.write_recipe(BEST)

    assert run.exists
    assert run.read_recipe() == BEST


def test_history_is_read_as_it_was_written(run: Run) -> None:
    rows = [dict.fromkeys(HISTORY_COLUMNS, value) for value in (1.0, 0.1234567890123)]

    assert run.read_history() == []
    run.write_history(rows)

    assert run.read_history() == rows


def test_labels_keep_the_order_of_the_outputs(run: Run) -> None:
    run.write_data({"labels": ["dog", "cat"]})

    assert run.read_labels() == ("dog", "cat")


def test_a_folder_without_a_training_is_told_from_one_under_way(run: Run) -> None:
    with pytest.raises(RunError, match=r"holds no training \(recipe.json is missing\)"):
        run.read_best()

    run.write_recipe(BEST)

    with pytest.raises(RunError, match="no finished epoch at full size yet"):
        run.read_best()


def test_a_damaged_file_is_named(run: Run) -> None:
    run.write_recipe(BEST)
    run.recipe_file.write_text("{")

    with pytest.raises(RunError, match=r"recipe.json is damaged"):
        run.read_recipe()


@pytest.mark.parametrize("text", ["[]", '{"stages": []}', '{"stages": 1}', "{", "\x00"])
def test_a_damaged_recipe_is_told(run: Run, text: str) -> None:
    write_text(run.recipe_file, text)

    with pytest.raises(RunError, match=r"recipe.json is damaged \(.*\); train again"):
        run.read_recipe()


@pytest.mark.parametrize("text", ["[]", "{}", '{"labels": null}'])
def test_damaged_facts_are_told(run: Run, text: str) -> None:
    write_text(run.data_file, text)

    for read in (run.read_labels, run.read_summary):
        with pytest.raises(RunError, match=r"data.json is damaged \(.*\); train again"):
            read()


@pytest.mark.parametrize("text", ["{", "1", "[1]", '{"precision": "float32"}'])
def test_damaged_environments_are_told(run: Run, text: str) -> None:
    write_text(run.environment_file, text)

    with pytest.raises(RunError, match=r"environment.json is damaged \(.*\); train again"):
        run.read_environments()


@pytest.mark.parametrize(
    "text",
    [
        "",
        "epoch,side\n",
        f"{','.join(HISTORY_COLUMNS)}\n1,99\n",
        f"{','.join(HISTORY_COLUMNS)}\n{','.join('x' * len(HISTORY_COLUMNS))}\n",
    ],
)
def test_a_damaged_history_is_told(run: Run, text: str) -> None:
    write_text(run.history_file, text)

    with pytest.raises(RunError, match=r"history.csv is damaged \(.*\); train again"):
        run.read_history()


def test_a_run_is_written_to_by_one_training_at_a_time(run: Run) -> None:
    with (
        run.alone(),
        pytest.raises(RunError, match=r"Another training is writing to .*; wait until it ends"),
        run.alone(),
    ):
        pass

    with run.alone():
        assert not run.exists
