"""What the folders of searches and of final trainings have in common: one process works in one, on one config."""

import json
from collections.abc import Mapping
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any

from filelock import FileLock, Timeout

from pnas_tools._errors import BadInput

LOCK_FILE = ".lock"

_SECONDS_FOR_A_LOOK = 0.5
"""Whoever looks whether somebody is at work holds the lock for a moment, which is waited for."""


def locked(folder: Path, taken: str) -> AbstractContextManager[object]:
    """The folder, made where there is none, locked against other processes until the end of the context.

    Args:
        folder: to work in.
        taken: the sentence for those who find another process at work.

    Raises:
        BadInput: another process is at work in it, or it cannot be written to.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
        return FileLock(folder / LOCK_FILE).acquire(timeout=_SECONDS_FOR_A_LOOK)
    except Timeout as error:
        raise BadInput(taken) from error
    except OSError as error:
        raise BadInput(f"{folder} cannot be written to ({error.strerror}): choose another one with --out") from error


def is_locked(folder: Path) -> bool | None:
    """Whether a process is at work in a folder; None where that cannot be known, in a folder of somebody else's."""
    lock = folder / LOCK_FILE
    if not lock.exists():
        return False
    try:
        with FileLock(lock).acquire(timeout=0):
            return False
    except Timeout:
        return True
    except OSError:
        return None


def check_same_config(
    folder: Path, what: str, there: Mapping[str, Any], here: Mapping[str, Any], flags: Mapping[str, str]
) -> None:
    """Raise `BadInput` where the config of what a folder holds is another one than was asked for, with the first name.

    Args:
        folder: that is to be worked in.
        what: it holds, such as `run`.
        there: config as JSON gave it.
        here: config that was asked for.
        flags: the options by which people know names.
    """
    here = json.loads(json.dumps(here))
    for name in sorted({*there, *here}):
        if there.get(name) != here.get(name):
            raise BadInput(
                f"{folder} holds a {what} of another config, {flags.get(name, name)} is {there.get(name)!r} there and "
                f"{here.get(name)!r} here: choose another folder with --out, or give the same options"
            )
