import contextlib
import hashlib
import os
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from pnas_search._errors import SearchError
from pnas_search._executors._ray_cluster import import_ray


class RayFile(os.PathLike[str]):
    """A file of this machine that is there, as a local file, on every node of a Ray cluster.

    Where it is made, it is the path of the file. Sent to a `RayExecutor`'s workers, as part of what makes what they
    train with, it takes the content along: through Ray's object store to every node once, and there into one file for
    all workers, in the folder of temporary files, when the first of them asks for it. That file stays for later
    searches; its name is the content's digest. Workers on the node where it was made use the file itself.

    Args:
        path: the file, which must be there when the executor is entered.
    """

    def __init__(self, path: str | os.PathLike[str]) -> None:
        self._path = Path(path).absolute()
        self._sent: dict[str, tuple[Path, str, Any, str]] = {}

    def __fspath__(self) -> str:
        return str(self._path)

    def __reduce__(self) -> tuple[object, ...]:
        return _NodeFile, self._placed()

    def _placed(self) -> tuple[Path, str, Any, str]:
        """What workers get, made once for every connection; the object store keeps what is referred to from here."""
        ray = import_ray()
        if not ray.is_initialized():
            raise SearchError(f"{self._path} can be sent to the workers of a RayExecutor only, by entering that")
        context = ray.get_runtime_context()
        job = context.get_job_id()
        if job not in self._sent:
            content = np.fromfile(self._path, dtype=np.uint8)  # of an array, workers need no copy
            digest = hashlib.sha256(content.data).hexdigest()
            name = f"{digest}{self._path.suffix}"
            self._sent = {job: (self._path, context.get_node_id(), ray.put(content), name)}
        return self._sent[job]


@dataclass(frozen=True, eq=False)
class _NodeFile(os.PathLike[str]):
    """The file as workers see it.

    Attributes:
        origin: where it is on the node that it comes from.
        node: which that is.
        content: where the object store has it, `(N,)`, uint8.
        name: of the file on other nodes; the digest of its content and the suffix.
    """

    origin: Path
    node: str
    content: Any
    name: str

    def __fspath__(self) -> str:
        from filelock import FileLock

        ray = import_ray()
        if ray.get_runtime_context().get_node_id() == self.node:
            return str(self.origin)
        path = _folder() / self.name
        with FileLock(f"{path}.lock"):
            if not self._is_at(path):
                _write(path, ray.get(self.content))
        return str(path)

    def _is_at(self, path: Path) -> bool:
        """Whether that file is whole, and nobody else's."""
        with contextlib.suppress(FileNotFoundError), path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest() == path.stem
        return False


def _folder() -> Path:
    """Of this user, on this node."""
    folder = Path(tempfile.gettempdir(), f"pnas-search-{os.getuid()}")
    folder.mkdir(mode=0o700, exist_ok=True)
    return folder


def _write(path: Path, content: Any) -> None:
    with tempfile.NamedTemporaryFile(dir=path.parent, delete=False) as file:
        try:
            file.write(memoryview(content))
            file.flush()
            Path(file.name).replace(path)
        except BaseException:
            Path(file.name).unlink()
            raise
