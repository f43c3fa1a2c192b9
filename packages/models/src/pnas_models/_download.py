"""Files from the net, kept in a folder: fetched once, checked at every use."""

import hashlib
import logging
import os
import re
import secrets
from collections.abc import Sequence
from pathlib import Path

from filelock import FileLock

from pnas_models._errors import ModelError
from pnas_models._part_file import PartFile
from pnas_models._transfer import TransferError, transfer

_log = logging.getLogger("pnas_models")


def cache_folder() -> Path:
    """Where checkpoints are kept: under `$PNAS_HOME`, or else under the user's cache folder."""
    try:
        if home := os.environ.get("PNAS_HOME"):
            return Path(home).expanduser().absolute() / "checkpoints"
        cache = Path(os.environ.get("XDG_CACHE_HOME", ""))
        # The XDG specification has relative paths ignored.
        return (cache if cache.is_absolute() else Path.home() / ".cache") / "pnas" / "checkpoints"
    except RuntimeError as error:
        raise ModelError(f"there is no folder for files from the net ({error}): set PNAS_HOME to one") from error


def download(
    urls: Sequence[str],
    file_name: str,
    *,
    sha256: str | None = None,
    n_bytes: int | None = None,
    folder: Path | None = None,
    progress: bool = True,
    timeout: float = 30.0,
) -> Path:
    """The path of a file that is fetched from the first URL that delivers it, unless it is there already.

    Args:
        urls: http, https or file URLs of the same file, tried in order.
        file_name: its name in the folder.
        sha256: its digest as 64 hex digits, or the first of them, 8 or more. `None` where nobody has published one: the
            digest of the file that comes first is recorded in `FILE_NAME.sha256`, and holds from then on.
        n_bytes: its size, where that is known.
        folder: where it is kept, by default `cache_folder()`.
        progress: whether a bar is shown on standard error.
        timeout: seconds without an answer after which a URL is given up.

    Raises:
        ModelError: no URL delivers the file, or the one that is there is damaged. It is not replaced unasked: somebody
            may have put it there by hand, and that a file has changed is what a recorded digest is there to tell.
    """
    _check_arguments(urls, file_name, sha256)
    folder = cache_folder() if folder is None else folder
    path = folder / file_name
    if path.is_file():
        _check_present(path, sha256, n_bytes)
        return path
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with FileLock(f"{path}.lock"):
            if not path.is_file():
                _fetch(urls, path, sha256, n_bytes, progress=progress, timeout=timeout)
                return path
    except OSError as error:
        raise ModelError(
            f"{path} cannot be written ({error.strerror or error}); choose another folder, or set PNAS_HOME to one"
        ) from error
    # Another process has fetched it while this one waited.
    _check_present(path, sha256, n_bytes)
    return path


def _check_arguments(urls: Sequence[str], file_name: str, sha256: str | None) -> None:
    if len(urls) == 0:
        raise ModelError(f"{file_name} needs at least one URL to come from, and none is given")
    for url in urls:
        if not re.match("(https?|file)://", url):
            raise ModelError(f"{url!r} must be a URL that begins with https://, http:// or file://")
    if Path(file_name).name != file_name or file_name in ("", ".."):
        raise ModelError(f"a file must be given a name without folders, and not {file_name!r}")
    if sha256 is not None and not re.fullmatch("[0-9a-fA-F]{8,64}", sha256):
        raise ModelError(f"a SHA-256 must be 64 hex digits, or the first 8 of them or more, and not {sha256!r}")


def _fetch(
    urls: Sequence[str], path: Path, sha256: str | None, n_bytes: int | None, *, progress: bool, timeout: float
) -> None:
    part = PartFile(Path(f"{path}.part"))
    failures = []
    for url in urls:
        try:
            transfer(url, part, n_bytes=n_bytes, label=path.name, progress=progress, timeout=timeout)
            _check_fetched(part, path, sha256)
        except TransferError as failure:
            failures.append(f"{url}: {failure}")
        else:
            part.finish(path)
            return
    raise ModelError(
        f"{path.name} could not be downloaded ({'; '.join(failures)}); fetch {urls[0]} in another way, and put it at "
        f"{path.absolute()}"
    )


def _check_fetched(part: PartFile, path: Path, sha256: str | None) -> None:
    digest = _digest(part.path)
    expected = sha256 or _recorded(path)
    if expected is None:
        _record(path, digest)
    elif not digest.startswith(expected.lower()):
        part.discard()
        raise TransferError(f"its file's SHA-256 is {digest}, and {expected} is {_origin(path, sha256)}")


def _check_present(path: Path, sha256: str | None, n_bytes: int | None) -> None:
    size = path.stat().st_size
    if n_bytes is not None and size != n_bytes:
        raise ModelError(f"{path} has {size} bytes, and {n_bytes} are expected; delete it to have it downloaded again")
    digest = _digest(path)
    expected = sha256 or _recorded(path)
    if expected is None:
        _record(path, digest)
    elif not digest.startswith(expected.lower()):
        raise ModelError(
            f"{path} is damaged or another file: its SHA-256 is {digest}, and {expected} is {_origin(path, sha256)}; "
            "delete it to have it downloaded again"
        )


def _origin(path: Path, sha256: str | None) -> str:
    if sha256 is not None:
        return "published"
    return f"recorded in {_record_path(path)} (delete that too if the file was meant to change)"


def _digest(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _record_path(path: Path) -> Path:
    return Path(f"{path}.sha256")


def _recorded(path: Path) -> str | None:
    record = _record_path(path)
    if not record.is_file():
        return None
    match = re.match("[0-9a-f]{64} ", record.read_text(encoding="utf-8", errors="replace"))
    if match is None:
        raise ModelError(f"{record} must begin with a SHA-256 of 64 hex digits, and does not; delete it")
    return match[0].strip()


def _record(path: Path, digest: str) -> None:
    """Take a file on trust at its first use; the record is as `sha256sum --check` reads it."""
    record = _record_path(path)
    # Renamed into place, so that another process sees no half of it.
    unfinished = Path(f"{record}.{secrets.token_hex(8)}")
    try:
        unfinished.write_text(f"{digest}  {path.name}\n", encoding="utf-8")
        unfinished.replace(record)
    except OSError as error:
        unfinished.unlink(missing_ok=True)
        _log.warning(
            "nobody has published a SHA-256 of %s, and that of this file, %s, could not be recorded (%s)",
            path.name,
            digest,
            error,
        )
    else:
        _log.warning(
            "nobody has published a SHA-256 of %s, so that of this file, %s, is recorded in %s, and later uses are "
            "checked against it",
            path.name,
            digest,
            record,
        )
