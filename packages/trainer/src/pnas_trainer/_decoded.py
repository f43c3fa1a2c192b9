"""A folder's images are decoded once, and kept as one file of bytes."""

import hashlib
import os
import time
import warnings
from collections.abc import Callable
from pathlib import Path
from tempfile import NamedTemporaryFile
from typing import Any

import numpy as np
import PIL
from numpy.typing import NDArray

from pnas_trainer._archives import BROKEN_ARCHIVE

_FORMAT = "pnas-trainer decoded images 1"
_SECONDS_OF_WRITING = 3600.0


def decoded_once(source: Any, decode: Callable[[Any], NDArray[np.uint8]]) -> NDArray[np.uint8]:
    """The images of an ImageFolder: from the file of an earlier call if no image has come, gone or changed since then,
    as its size and times tell, and otherwise as `decode` gives them, which are kept for the next.
    """
    root = Path(source.root).resolve()
    try:
        path = _cache_folder() / f"{root.parent.name}-{root.name}-{_digest(str(root))}.npz"
        identity = _identity(source)
    except (OSError, RuntimeError):  # no home, or an image that decoding will name
        return decode(source)
    images = _read(path, identity)
    if images is None:
        images = decode(source)
        try:
            _write(path, identity, images)
        except OSError as error:
            warnings.warn(
                f"{root} will be decoded at every use, since {path} cannot be written ({error}): "
                f"make room, or set PNAS_HOME to another folder",
                stacklevel=2,
            )
    return images


def _cache_folder() -> Path:
    """Where decoded images are kept: under `$PNAS_HOME`, or else under the user's cache folder."""
    if home := os.environ.get("PNAS_HOME"):
        return Path(home).expanduser().absolute() / "decoded"
    cache = Path(os.environ.get("XDG_CACHE_HOME", ""))
    # The XDG specification has relative paths ignored.
    return (cache if cache.is_absolute() else Path.home() / ".cache") / "pnas" / "decoded"


def _identity(source: Any) -> str:
    """What is another when the decoded images may be: files, or what decodes them."""
    files = ((path.removeprefix(source.root), Path(path).stat()) for path, _ in source.samples)
    # Programs that unpack or copy set the time of the last change, and none can set the other.
    lines = (f"{name} {stat.st_size} {stat.st_mtime_ns} {stat.st_ctime_ns}" for name, stat in files)
    return _digest(_FORMAT, PIL.__version__, *lines)


def _digest(*lines: str) -> str:
    return hashlib.blake2b("\n".join(lines).encode(errors="surrogateescape"), digest_size=8).hexdigest()


def _read(path: Path, identity: str) -> NDArray[np.uint8] | None:
    """The images in a file, or `None` where it is missing, damaged, or holds others."""
    try:
        with path.open("rb") as file, np.load(file, allow_pickle=False) as archive:
            return archive["images"] if str(archive["identity"]) == identity else None
    except BROKEN_ARCHIVE:
        return None


def _write(path: Path, identity: str, images: NDArray[np.uint8]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    for part in path.parent.glob("*.part"):
        if time.time() - part.stat().st_mtime > _SECONDS_OF_WRITING:  # left by a process that was killed
            part.unlink(missing_ok=True)
    # Under a name of its own first, since others may be decoding the same folder.
    with NamedTemporaryFile(dir=path.parent, prefix=f"{path.stem}.", suffix=".part", delete=False) as file:
        part = Path(file.name)
        try:
            np.savez(file, identity=np.str_(identity), images=images)
            file.close()
            part.replace(path)
        except BaseException:
            part.unlink()
            raise
