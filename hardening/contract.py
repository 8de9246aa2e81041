"""The service against its OpenAPI document, by schemathesis."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, NamedTuple

import httpx

_CONFIGURATION = Path(__file__).with_name("schemathesis.toml")
_ROOT = Path(__file__).parents[1]
PHASES = ("examples", "coverage", "fuzzing", "stateful")
"""All that there are."""


class Verdict(NamedTuple):
    """What schemathesis found."""

    clean: bool
    """Whether it ended, with no finding and no error."""
    operations: int
    """That were tested; the document has no other ones."""
    requests: int
    findings: int
    """Different ones."""
    let_pass: int
    """Findings that `hardening.hooks` explains."""
    seconds: float
    printed: str


def check(
    address: str, *, examples: int, seed: int, phases: Sequence[str] = PHASES, key: str = ""
) -> Verdict:
    """Test a running service with all checks.

    Args:
        address: Of the service, such as http://127.0.0.1:8000.
        examples: The most requests that are made up for each operation in each phase.
        seed: Of what is made up.
        phases: Some of PHASES.
        key: Shown with every request, but where that is left out to see whether it matters.

    Raises:
        RuntimeError: schemathesis did not get as far as a report.
    """
    shown = {"X-API-Key": key} if key else {}
    model = httpx.get(f"{address}/models", headers=shown).raise_for_status().json()
    variables = {
        "CONTRACT_MODEL": model["name"],
        "CONTRACT_VERSION": model["version"],
        "PYTHONPATH": str(_ROOT),
    }
    with TemporaryDirectory() as folder:
        report = Path(folder) / "report.json"
        command: list[str | Path] = [Path(sys.executable).with_name("schemathesis")]
        command += ["--config-file", _CONFIGURATION]
        command += ["run", f"{address}/openapi.json", "--no-color", "--max-examples", str(examples)]
        command += ["--seed", str(seed), "--phases", ",".join(phases)]
        for name, value in shown.items():
            command += ["--header", f"{name}: {value}"]
        command += ["--report", "json", "--report-json-path", report]
        # In a folder of its own: it keeps what it has found in the current one.
        printed = subprocess.run(
            command,
            cwd=folder,
            env={**os.environ, **variables},
            check=False,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        ).stdout
        if not report.exists():
            raise RuntimeError(f"schemathesis made no report:\n{printed}")
        return _verdict(json.loads(report.read_text()), printed)


def _verdict(report: dict[str, Any], printed: str) -> Verdict:
    cases = report["test_cases"]
    return Verdict(
        clean=report["exit_code"] == 0 and report["complete"] and not report["errors"],
        operations=report["operations"]["tested"],
        requests=cases["generated"],
        findings=cases["unique_failures"],
        let_pass=report["filtered"],
        seconds=report["running_time"],
        printed=printed,
    )
