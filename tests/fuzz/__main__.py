"""Fuzz the decoders of all formats, one after the other: `make fuzz`."""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
from pathlib import Path
from typing import Any

from app.images import FORMATS
from tests.fuzz.outcome import KINDS

_TAIL = 4000


def main() -> None:
    """Print what every format came to, and exit with 1 if anything was found."""
    options = _options()
    options.findings.mkdir(parents=True, exist_ok=True)
    print("| format | inputs |", " | ".join(KINDS.values()), "| slowest, ms | memory, MB |")
    print("|---" * (len(KINDS) + 4) + "|", flush=True)
    sessions = [
        _session(file_format, options.inputs // len(FORMATS), options.findings)
        for file_format in FORMATS
    ]
    inputs = sum(sum(session["outcomes"].values()) for session in sessions if session)
    print(f"\n{inputs} inputs; findings, if any, are in {options.findings}.")
    sys.exit(not all(sessions))


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser("python -m tests.fuzz", description=__doc__)
    parser.add_argument("--inputs", type=int, default=520_000, help="of all formats together")
    parser.add_argument("--findings", type=Path, default=Path("findings"), help="folder for them")
    return parser.parse_args()


def _session(file_format: str, inputs: int, findings: Path) -> dict[str, Any] | None:
    """Fuzz one format, print its row, and return its figures; None if something was found."""
    process = subprocess.run(
        [sys.executable, "-m", "tests.fuzz.target", file_format, str(inputs), str(findings)],
        capture_output=True,
        text=True,
    )
    if process.returncode:
        print(f"\n{file_format}: a finding.\n{(process.stdout + process.stderr)[-_TAIL:]}\n")
        return None
    session: dict[str, Any] = json.loads(process.stdout.splitlines()[-1])
    outcomes = session["outcomes"]
    counts = " | ".join(str(outcomes.get(kind, 0)) for kind in KINDS)
    slowest, memory = 1e3 * session["slowest"], session["bytes"] / 1e6
    print(f"| {file_format} | {inputs} | {counts} | {slowest:.0f} | {memory:.0f} |", flush=True)
    return session


if __name__ == "__main__":
    main()
