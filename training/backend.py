"""Keras and its backend, which have to be there before anything else imports them."""

from __future__ import annotations

import sys

from training.errors import brief

BACKENDS = ("tensorflow", "jax")
"""Those of Keras's that are trained on here."""


def end_without_keras() -> None:
    """End the process with a sentence and exit code 1 where Keras cannot be imported.

    It imports the backend that KERAS_BACKEND or its own configuration names.
    """
    try:
        import keras  # noqa: F401
    except (ImportError, ValueError) as error:  # ValueError: it knows no such backend
        sys.exit(
            f"python -m training: Keras cannot be used ({brief(error)}); set "
            f"KERAS_BACKEND={' or '.join(BACKENDS)}, whichever is installed, or install "
            "requirements/train.txt."
        )
