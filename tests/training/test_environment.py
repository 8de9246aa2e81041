from __future__ import annotations

from pathlib import Path

import keras
import pytest

from training.environment import current_environment, differing_environment, note_environment
from training.run import Environment, Run

EXACT: Environment = {"precision": "float32", "backend": "tensorflow", "devices": 1, "keras": "3"}
ROUGH: Environment = {**EXACT, "precision": "mixed_bfloat16"}


@pytest.fixture
def run(tmp_path: Path) -> Run:
    return Run(tmp_path)


def test_an_environment_tells_precision_backend_devices_and_versions() -> None:
    environment = current_environment("float32", 2)

    backend = keras.backend.backend()
    assert (environment["precision"], environment["devices"]) == ("float32", 2)
    assert (environment["backend"], environment["keras"]) == (backend, keras.__version__)
    assert "." in str(environment[backend])


def test_a_run_that_goes_on_in_the_same_has_nothing_to_tell(
    run: Run, capsys: pytest.CaptureFixture[str]
) -> None:
    note_environment(run, EXACT, resumed=False)
    note_environment(run, EXACT, resumed=True)

    assert run.read_environments() == [EXACT]
    assert capsys.readouterr().out == ""


def test_a_run_that_goes_on_in_another_precision_is_told(
    run: Run, capsys: pytest.CaptureFixture[str]
) -> None:
    note_environment(run, EXACT, resumed=False)
    note_environment(run, ROUGH, resumed=True)

    assert run.read_environments() == [EXACT, ROUGH]
    told = capsys.readouterr().out
    assert "was computed in float32 so far, and goes on in mixed_bfloat16" in told
    assert "add --precision float32" in told


def test_what_is_begun_anew_forgets_what_it_was_computed_in(run: Run) -> None:
    note_environment(run, EXACT, resumed=False)
    note_environment(run, ROUGH, resumed=False)

    assert run.read_environments() == [ROUGH]


def test_of_a_run_of_before_nothing_is_known(run: Run) -> None:
    note_environment(run, EXACT, resumed=True)

    assert run.read_environments() == []


@pytest.mark.parametrize(
    ("ours", "theirs", "told"),
    [
        ([EXACT], [EXACT], []),
        ([], [], []),
        ([ROUGH], [EXACT], ["precision mixed_bfloat16"]),
        ([EXACT, ROUGH], [EXACT], ["precision float32 then mixed_bfloat16"]),
        ([], [EXACT], ["precision and versions not known"]),
        ([EXACT], [], ["precision float32", "backend tensorflow", "devices 1", "keras 3"]),
    ],
)
def test_what_differs_is_named(
    ours: list[Environment], theirs: list[Environment], told: list[str]
) -> None:
    assert differing_environment(ours, theirs) == told
