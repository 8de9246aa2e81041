"""What goes wrong in training, said to the person at the command line."""

from __future__ import annotations

import errno

_OF_THE_FILE = frozenset(
    {
        *(errno.ENOENT, errno.EACCES, errno.EPERM, errno.EISDIR, errno.ENOTDIR),
        *(errno.ENAMETOOLONG, errno.ELOOP),
    }
)


class TrainingError(Exception):
    """The base of the errors that end a command with one sentence and exit code 1.

    * TrainingError
      + DataError        the pictures given with --data cannot be used
      + RunError         a run's folder is missing, damaged, in use or of another recipe
      + StorageError     there is no room for what is to be written
      + DeviceError      the devices given with --devices cannot be used
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
    """The devices given with `--devices` cannot be used."""


class ClusterError(TrainingError):
    """Ray is not installed, or has not what scoring needs."""


class ExportError(TrainingError):
    """The exported model does not answer as the trained one does."""


def may_pass(error: BaseException | None) -> bool:
    """Whether an error is a disk's or a network's, and says nothing of what is on it."""
    return (
        isinstance(error, OSError) and error.errno is not None and error.errno not in _OF_THE_FILE
    )


def brief(error: Exception) -> str:
    """What an error of somebody else's code says, in one line."""
    return str(error).partition("\n")[0] or type(error).__name__
