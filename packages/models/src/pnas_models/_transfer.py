"""One file from one URL into a part file; what an interruption leaves there is gone on with."""

import re
import time
from collections.abc import Callable, Iterator
from email.message import Message
from functools import partial
from http.client import HTTPException
from typing import Any
from urllib.error import HTTPError, URLError
from urllib.request import Request, urlopen

from tqdm import tqdm

from pnas_models._part_file import PartFile

_PAUSES = (0.5, 2.0, 8.0)  # seconds before an interrupted transfer goes on
_CHUNK_SIZE = 1 << 16


class TransferError(Exception):
    """Why a URL did not deliver the file: a clause, for a sentence about all URLs."""


class _InterruptedTransferError(TransferError):
    """A transfer that may go on at the next try."""


def transfer(url: str, part: PartFile, *, n_bytes: int | None, label: str, progress: bool, timeout: float) -> None:
    """Fill the part with the file at a URL, which must have `n_bytes` where they are given; raises `TransferError`."""
    new_bar = partial(tqdm, desc=label, disable=not progress, unit="B", unit_scale=True)
    for pause in (*_PAUSES, None):
        try:
            _go_on(url, part, n_bytes, timeout, new_bar)
            break
        except _InterruptedTransferError:
            if pause is None:
                raise
            time.sleep(pause)
    try:
        _check_size(part.path.stat().st_size, n_bytes)
    except TransferError:
        part.discard()
        raise


def _go_on(url: str, part: PartFile, n_bytes: int | None, timeout: float, new_bar: Callable[..., Any]) -> None:
    n_here, version = part.resumable(url)
    try:
        response = _requested(url, n_here, version, timeout)
    except HTTPError as error:
        with error:
            if n_here == 0 or error.code != 416:
                raise TransferError(f"HTTP {error.code} {error.reason}") from error
            _check_complete(error.headers, part, n_here)
            return
    with response:
        if response.status == 206:
            _check_continues(response.headers, part, n_here, version)
        elif response.status in (200, None):  # None is that of a file on this machine
            n_here = 0
        else:
            raise TransferError(f"HTTP {response.status} {response.reason}")
        n_coming = _length(response.headers)
        total = None if n_coming is None else n_here + n_coming
        _check_size(total, n_bytes)
        if n_here == 0:
            part.begin(url, _version(response.headers))
        with new_bar(total=total, initial=n_here) as bar:
            _append(response, part, bar, n_coming, n_bytes)


def _requested(url: str, n_here: int, version: str, timeout: float) -> Any:
    headers = {"User-Agent": "pnas-models"}
    if n_here > 0:
        # With If-Range the server sends the whole file if it no longer is of this version.
        headers |= {"Range": f"bytes={n_here}-", "If-Range": version}
    try:
        return urlopen(Request(url, headers=headers), timeout=timeout)
    except HTTPError:
        raise
    except (OSError, HTTPException, ValueError) as error:
        # A server that has sent a part of the file can be expected to come back.
        kind = _InterruptedTransferError if n_here > 0 else TransferError
        raise kind(_reason(error)) from error


def _append(response: Any, part: PartFile, bar: Any, n_coming: int | None, n_bytes: int | None) -> None:
    n_received = 0
    with part.path.open("ab") as file:
        for chunk in _chunks(response):
            file.write(chunk)
            bar.update(len(chunk))
            n_received += len(chunk)
            # A server that does not say how much it sends must not fill the disk.
            if n_bytes is not None and file.tell() > n_bytes:
                break
    # Python's HTTP client takes a closed connection for the end of the file.
    if n_coming is not None and n_received < n_coming:
        raise _InterruptedTransferError(f"the connection ended {n_coming - n_received} bytes before the file did")


def _chunks(response: Any) -> Iterator[bytes]:
    while True:
        try:
            chunk = response.read(_CHUNK_SIZE)
        except (OSError, HTTPException) as error:
            raise _InterruptedTransferError(_reason(error)) from error
        if not chunk:
            return
        yield chunk


def _check_complete(headers: Message, part: PartFile, n_here: int) -> None:
    """Whether the server has no more than what is here because that is all, and not because the file has changed."""
    if headers.get("Content-Range") != f"bytes */{n_here}":
        part.discard()
        raise _InterruptedTransferError("the file has changed on the server")


def _check_continues(headers: Message, part: PartFile, n_here: int, version: str) -> None:
    """Whether what comes is the rest, up to the end, of what is here."""
    match = re.fullmatch(r"bytes (\d+)-(\d+)/(\d+)", headers.get("Content-Range", ""))
    is_rest = match is not None and int(match[1]) == n_here and int(match[2]) == int(match[3]) - 1
    if not is_rest or _version(headers) not in ("", version):
        part.discard()
        raise _InterruptedTransferError("the server did not go on where the part ends")


def _length(headers: Message) -> int | None:
    length = headers.get("Content-Length", "")
    return int(length) if length.isdecimal() else None


def _version(headers: Message) -> str:
    etag = headers.get("ETag", "")
    # A weak ETag may stay when bytes change.
    return headers.get("Last-Modified", "") if etag == "" or etag.startswith("W/") else etag


def _check_size(size: int | None, n_bytes: int | None) -> None:
    if n_bytes is not None and size is not None and size != n_bytes:
        raise TransferError(f"its file has {size} bytes, and {n_bytes} are expected")


def _reason(error: Exception) -> str:
    reason = error.reason if isinstance(error, URLError) else error
    return str(reason) or type(reason).__name__
