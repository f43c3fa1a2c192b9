"""A folder's images are decoded once, and kept as one file of bytes."""

import hashlib
import os
import warnings
import zlib
from collections.abc import Callable
from pathlib import Path
from tempfile import NamedTemporaryFile
from typing import Any
from zipfile import BadZipFile

import numpy as np
from numpy.typing import NDArray

from pnas_trainer._errors import TrainerError

_FORMAT = "pnas-trainer decoded images 1"


def cache_folder() -> Path:
    """Where decoded images are kept: under `$PNAS_HOME`, or else under the user's cache folder."""
    try:
        if home := os.environ.get("PNAS_HOME"):
            return Path(home).expanduser().absolute() / "decoded"
        cache = Path(os.environ.get("XDG_CACHE_HOME", ""))
        # The XDG specification has relative paths ignored.
        return (cache if cache.is_absolute() else Path.home() / ".cache") / "pnas" / "decoded"
    except RuntimeError as error:
        raise TrainerError(
            f"there is no folder for decoded images ({error}): set PNAS_HOME to one, or load with cache=False"
        ) from error


def decoded_once(source: Any, decode: Callable[[Any], NDArray[np.uint8]]) -> NDArray[np.uint8]:
    """The images of an ImageFolder: from the file of an earlier call if no image has come, gone or changed since then,
    as its size and the time of its last change tell, and otherwise as `decode` gives them, which are kept for the next.
    """
    folder, root = cache_folder(), Path(source.root).absolute()
    path = folder / f"{root.name}-{_digest(str(root))}.npz"
    identity = _identity(source)
    images = _read(path, identity)
    if images is None:
        images = decode(source)
        try:
            _write(path, identity, images)
        except OSError as error:
            warnings.warn(
                f"{root} will be decoded at every use, since {path} cannot be written ({error}): "
                f"make room, set PNAS_HOME to another folder, or load with cache=False",
                stacklevel=2,
            )
    return images


def _identity(source: Any) -> str:
    files = ((path.removeprefix(source.root), Path(path).stat()) for path, _ in source.samples)
    return _digest(_FORMAT, *(f"{name} {stat.st_size} {stat.st_mtime_ns}" for name, stat in files))


def _digest(*lines: str) -> str:
    return hashlib.blake2b("\n".join(lines).encode(errors="surrogateescape"), digest_size=8).hexdigest()


def _read(path: Path, identity: str) -> NDArray[np.uint8] | None:
    """The images in a file, or `None` where it is missing, damaged, or holds others."""
    try:
        with path.open("rb") as file, np.load(file, allow_pickle=False) as archive:
            return archive["images"] if str(archive["identity"]) == identity else None
    except (OSError, ValueError, KeyError, TypeError, EOFError, BadZipFile, zlib.error):
        return None


def _write(path: Path, identity: str, images: NDArray[np.uint8]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
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
