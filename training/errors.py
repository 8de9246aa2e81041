"""What goes wrong in training, said to the person at the command line."""

from __future__ import annotations

import errno

AGAIN = "run the command again once it can"

_PASSING = frozenset(
    {
        *(errno.EIO, errno.ESTALE, errno.ETIMEDOUT, errno.ENOTCONN, errno.ECONNRESET),
        *(errno.EHOSTDOWN, errno.EHOSTUNREACH, errno.ENETUNREACH, errno.EAGAIN, errno.EBUSY),
        *(errno.EMFILE, errno.ENFILE, errno.ENOMEM),
    }
)


class TrainingError(Exception):
    """The base of the errors that end a command with one sentence and exit code 1.

    * TrainingError
      + DataError        the pictures given with --data cannot be used
      + RunError         a run's folder is missing, damaged, in use or of another recipe
      + StorageError     there is no room for what is to be written
      + DeviceError      Keras's backend or its devices cannot be used, or have no room
      + ClusterError     Ray is not installed, or has not what scoring needs
      + ExportError      the exported model does not answer as the trained one does
    """


class DataError(TrainingError):
    """The pictures given with `--data` cannot be used."""


class RunError(TrainingError):
    """A run's folder is missing, damaged, in use, or belongs to another recipe or data set."""


class StorageError(TrainingError):
    """There is no room for what is to be written."""


class DeviceError(TrainingError):
    """Keras's backend or its devices cannot be trained on, or have no room for the pictures."""


class ClusterError(TrainingError):
    """Ray is not installed, or has not what scoring needs."""


class ExportError(TrainingError):
    """The exported model does not answer as the trained one does."""


def may_pass(error: BaseException | None) -> bool:
    """Whether an error is a disk's, a network's or the machine's, and says nothing of a file."""
    return isinstance(error, OSError) and error.errno in _PASSING


def brief(error: Exception) -> str:
    """What an error of somebody else's code says, in one line."""
    return str(error).partition("\n")[0] or type(error).__name__
