from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from benchmarks.comparison import _CEILING_HEAD, _best_rivals, _ceiling_row, _Round, _service
from benchmarks.inputs import Inputs
from benchmarks.load import Load
from benchmarks.report import Report
from benchmarks.rivals.catalogue import Rival
from benchmarks.service import Measured


def load(per_second: float) -> Load:
    return Load(per_second, 0.0, 6.0, p50_ms=10.0, p99_ms=20.0, failures=0, client_cores=1.0)


def test_ceiling_is_compared_with_and_without_the_load_generator() -> None:
    rounds = [_Round(200.0, 5.0, {16: load(90.0 + n)}, 90.0, {}) for n in range(3)]

    row = dict(zip(_CEILING_HEAD, _ceiling_row(rounds, 2, 16), strict=True))

    assert row["of the ceiling"].startswith("0.46 ")
    assert row["of the ceiling less those"].startswith("0.91 ")
    assert row["p99 / p50"].startswith("2.00 ")


@pytest.fixture
def inputs(tmp_path: Path) -> Inputs:
    nothing: Any = None
    return Inputs(*(tmp_path, tmp_path, 2, 1.0, 1, [], [], nothing, nothing, nothing))


def test_service_is_measured_with_the_model_that_is_named(
    inputs: Inputs, monkeypatch: pytest.MonkeyPatch
) -> None:
    served: list[Path] = []

    @contextmanager
    def product(_: Path, *, model: Path) -> Iterator[None]:
        served.append(model)
        yield

    monkeypatch.setattr("benchmarks.comparison.product", product)
    monkeypatch.setattr("benchmarks.comparison.measure", lambda *_: Measured(load(90.0), 1.0, 1.0))

    assert _service(inputs, (16,))[16].per_second == 90
    assert served == [inputs.model]


def test_rivals_are_taken_at_their_best_and_left_out_if_they_do_not_run(
    inputs: Inputs, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def measure(rival: Rival, *_: object) -> Measured:
        if rival.name.startswith("mosec"):
            raise RuntimeError("The server ended with 1: no mosec")
        return Measured(load(50.0 if "wait 2 ms" in rival.setting else 10.0), 1.0, 1.0)

    monkeypatch.setattr("benchmarks.comparison.measure_rival", measure)
    monkeypatch.setattr("benchmarks.networks.keras_installed", lambda: True)
    monkeypatch.setattr("benchmarks.networks.keras_file", lambda *_: Path("model.keras"))
    report = Report()

    rivals = _best_rivals(report, inputs)

    names = ["tutorial", "LitServe, pillow decoder", "LitServe, project decoder"]
    assert [rival.name for rival in rivals] == names
    assert all("wait 2 ms" in rival.setting for rival in rivals[1:])
    assert "mosec, project decoder did not answer, and is left out." in report.text()
    assert "no mosec" in capsys.readouterr().err
