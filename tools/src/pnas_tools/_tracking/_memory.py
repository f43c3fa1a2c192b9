"""What `mlflow.json` in the folder of a run remembers, and the lock of those who send."""

import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from filelock import FileLock, Timeout

from pnas_tools._errors import BadInput
from pnas_tools._files import read_object, write_json_atomically
from pnas_tools._run_folder import RunFolder


def recall(run: RunFolder) -> dict[str, Any]:
    """What was remembered of a search; nothing where that was nothing."""
    return recalled(run.tracking)


def recalled(path: Path) -> dict[str, Any]:
    """What a `mlflow.json` holds; nothing where it is missing or damaged."""
    try:
        return read_object(path) or {}
    except ValueError:
        return {}


def remember(run: RunFolder, **values: Any) -> None:
    write_json_atomically(run.tracking, recall(run) | values)


def search_id(run: RunFolder) -> str:
    """A name for the search that no other has, and that is on disk before any store hears of it."""
    name = recall(run).get("search_id")
    if name is None:
        name = uuid.uuid4().hex
        remember(run, search_id=name)
    return str(name)


def remembered_uri(run: RunFolder) -> str | None:
    """The store that the search was sent to last."""
    return recall(run).get("tracking_uri")


def is_complete(run: RunFolder, uri: str) -> bool:
    """Whether the MLflow store at `uri` has everything of a finished search."""
    remembered = recall(run)
    return remembered.get("tracking_uri") == uri and "search_id" in remembered and bool(remembered.get("complete"))


@contextmanager
def sole_sender(run: RunFolder) -> Iterator[None]:
    """Two who send the same search would send its children twice.

    Raises:
        BadInput: another process is sending it.
    """
    try:
        lock = FileLock(run.path / ".mlflow-sender.lock").acquire(timeout=0)
    except Timeout as error:
        raise BadInput(
            f"another process is sending {run.path} to MLflow, as a search does while it runs: wait for its end"
        ) from error
    except OSError as error:
        raise BadInput(
            f"{run.path} cannot be written to ({error.strerror}), and remembers what MLflow has: copy it, and send that"
        ) from error
    with lock:
        yield
