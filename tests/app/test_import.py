from __future__ import annotations

import subprocess
import sys


def test_importing_the_service_imports_nothing_that_it_can_do_without() -> None:
    code = (
        "import sys, app.__main__, app.engines.litert;"
        "print({'tensorflow', 'keras', 'jax', 'ray', 'training', 'pi_heif'} & set(sys.modules))"
    )
    result = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True
    )

    assert result.stdout.strip() == "set()"
