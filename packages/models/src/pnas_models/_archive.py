import gzip
import shutil
import tarfile
import zlib
from collections.abc import Iterator
from pathlib import Path, PurePosixPath

from filelock import FileLock

from pnas_models._errors import ModelError

_MAX_NAME_BYTES = 255  # of file systems
# ValueError is how tarfile meets numbers that are none, or too large.
_DAMAGED = (tarfile.TarError, gzip.BadGzipFile, zlib.error, EOFError, ValueError)


def extract(archive: Path, folder: Path) -> Path:
    """The folder with a .tar.gz's files in it, all on one level; one that holds files already is left as it is.

    Raises:
        ModelError: the archive is cut off or damaged, or holds what no archive of a checkpoint does: links, devices,
            absolute paths or such with `..`, two files of one name, or no file.
    """
    if _is_filled(folder):
        return folder
    try:
        folder.parent.mkdir(parents=True, exist_ok=True)
        with FileLock(f"{folder}.lock"):
            if not _is_filled(folder):
                _fill(folder, archive)
    except OSError as error:
        raise ModelError(
            f"{archive} cannot be unpacked into {folder} ({error.strerror or error}): set PNAS_HOME to one of yours"
        ) from error
    return folder


def _is_filled(folder: Path) -> bool:
    return folder.is_dir() and any(folder.iterdir())


def _fill(folder: Path, archive: Path) -> None:
    """Through a folder beside it that is renamed at the end, so that a folder with files has all of them."""
    unfinished = Path(f"{folder}.part")
    if unfinished.exists():
        shutil.rmtree(unfinished)  # a process was killed over it
    unfinished.mkdir()
    try:
        _unpack(archive, unfinished)
        if folder.is_dir():
            folder.rmdir()  # Windows does not rename onto an empty folder
        unfinished.rename(folder)
    except BaseException:
        shutil.rmtree(unfinished)
        raise


def _unpack(archive: Path, folder: Path) -> None:
    try:
        # As a stream, which is read in small pieces, whatever sizes the archive claims.
        with gzip.open(archive) as stream, tarfile.open(fileobj=stream, mode="r|") as tar:
            for member in _files(tar, archive):
                _copy(tar, member, folder, archive)
            # To the very end: gzip's checksum stands behind what tar reads.
            while stream.read(1 << 20):
                continue
    except ModelError:
        raise
    except _DAMAGED as error:
        raise ModelError(
            f"{archive} is no .tar.gz, or a damaged one ({error}); delete it, and have it downloaded again"
        ) from error
    if not any(folder.iterdir()):
        raise _refused(archive, "it holds no file")


def _files(tar: tarfile.TarFile, archive: Path) -> Iterator[tarfile.TarInfo]:
    for member in tar:
        if not _is_plain(member.name):
            raise _refused(archive, f"it holds the path {member.name!r}, which may lead elsewhere")
        if member.isfile() and not member.issparse():
            yield member
        elif not member.isdir():
            raise _refused(archive, f"{member.name!r} in it is neither a plain file nor a folder")


def _is_plain(name: str) -> bool:
    path = PurePosixPath(name)
    is_inside = not path.is_absolute() and ".." not in path.parts and "\\" not in name
    return is_inside and name.isprintable() and len(path.name.encode()) <= _MAX_NAME_BYTES


def _copy(tar: tarfile.TarFile, member: tarfile.TarInfo, folder: Path, archive: Path) -> None:
    path = folder / PurePosixPath(member.name).name
    free = shutil.disk_usage(folder).free
    if member.size > free:
        raise ModelError(f"{path} needs {member.size} bytes, and {free} are free; make room for it")
    source = tar.extractfile(member)
    assert source is not None  # as of every plain file
    try:
        with source, path.open("xb") as target:
            shutil.copyfileobj(source, target)
    except FileExistsError as error:
        raise _refused(archive, f"it holds two files named {path.name}") from error


def _refused(archive: Path, reason: str) -> ModelError:
    return ModelError(f"{archive} is no archive of a checkpoint: {reason}; unpack it by hand if you trust it")
